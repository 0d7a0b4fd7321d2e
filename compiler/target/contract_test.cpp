// SPDX-License-Identifier: Apache-2.0
// Compiled contractions against the canonical sum written as a plain loop: the same bits for every
// form of operands, size, tail, number of chains and instruction set; nothing read or written
// beside the operands; no floating-point exception that the plain loop does not raise.
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cfenv>
#include <cmath>
#include <cstdlib>
#include <random>

#include "ops/math.h"
#include "ops/native_arith.h"
#include "target/compiled_code.h"
#include "target/contract_case.h"

namespace ingot::target {
namespace {

using namespace contract_case;

/// Exactly sized memory that ends or begins at a page that may not be touched.
class Fenced {
 public:
  Fenced(std::size_t bytes, bool at_end) : bytes_(bytes) {
    const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    inner_ = (bytes / page + 1) * page;
    map_ = inner_ + 2 * page;
    base_ = static_cast<std::byte*>(
        ::mmap(nullptr, map_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    std::fill_n(base_, map_, filler);
    ::mprotect(base_, page, PROT_NONE);
    ::mprotect(base_ + page + inner_, page, PROT_NONE);
    start_ = base_ + page;
    data_ = at_end ? start_ + inner_ - bytes : start_;
  }
  Fenced(const Fenced&) = delete;
  Fenced& operator=(const Fenced&) = delete;
  ~Fenced() { ::munmap(base_, map_); }

  template <class T>
  T* as() const {
    return reinterpret_cast<T*>(data_);
  }
  std::span<std::byte> bytes() const { return {data_, bytes_}; }
  bool margins_are_clean() const {
    const auto is_filler = [](std::byte byte) { return byte == filler; };
    return std::all_of(start_, data_, is_filler) &&
           std::all_of(data_ + bytes_, start_ + inner_, is_filler);
  }
  static constexpr std::byte filler{0xA5};

 private:
  std::size_t bytes_, inner_, map_;
  std::byte* base_;
  std::byte* start_;
  std::byte* data_;
};

template <class T>
T multiply_add(Arithmetic arithmetic, T a, T b, T c) {
  if constexpr (std::is_floating_point_v<T>) {
    if (arithmetic == Arithmetic::fused) return std::fma(a, b, c);
    const T product = a * b;
    return product + c;
  } else {
    return static_cast<T>(static_cast<std::uint64_t>(a) * static_cast<std::uint64_t>(b) +
                          static_cast<std::uint64_t>(c));
  }
}

template <class T>
T add(T a, T b) {
  if constexpr (std::is_floating_point_v<T>) return a + b;
  return static_cast<T>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
}
template <class T>
class Checker {
 public:
  explicit Checker(const Case& c) : c_(c), random_(c.seed) {}

  void check(const std::vector<int>& levels) {
    const Tensor weights = tensor({c_.k, c_.n});
    const Tensor bias = tensor({c_.n});
    Builder builder(c_);
    const Layout layout = builder.layout;
    const plan::Plan plan = builder.build(weights, bias);
    Options options;
    options.isa_levels = levels;
    const CompiledCode code(plan, options);

    for (const int level : levels) {
      for (const bool at_end : {false, true}) {
        Fenced a(layout.a * sizeof(T), at_end), b(layout.b * sizeof(T), at_end);
        Fenced bias_memory(layout.bias * sizeof(T), at_end), residual(layout.c * sizeof(T), at_end);
        Fenced out(layout.c * sizeof(T), at_end);
        for (const Fenced* memory : {&a, &residual})
          for (std::size_t i = 0; i < memory->bytes().size() / sizeof(T); ++i)
            memory->as<T>()[i] = number();
        for (std::int64_t k = 0; k < c_.k && c_.b != B::packed; ++k)
          for (std::int64_t n = 0; n < c_.n; ++n)
            b.as<T>()[k * layout.b_row + n * layout.b_column] = weights.at<T>(k * c_.n + n);
        for (std::size_t n = 0; n < layout.bias; ++n)
          bias_memory.as<T>()[n] = bias.at<T>(static_cast<std::int64_t>(n));
        if (c_.in_place) std::ranges::copy(residual.bytes(), out.bytes().begin());
        std::vector<T> expected(layout.c);
        std::copy_n(out.as<T>(), layout.c, expected.begin());

        std::feclearexcept(FE_ALL_EXCEPT);
        fill(layout, weights, bias, a.as<T>(), residual.as<T>(), expected);
        const int allowed = std::fetestexcept(FE_ALL_EXCEPT);
        std::feclearexcept(FE_ALL_EXCEPT);
        const int status = call(code.entry(level), plan, {&a, &b, &bias_memory, &residual}, out);
        const int raised = std::fetestexcept(FE_ALL_EXCEPT) & ~allowed;

        ASSERT_EQ(status, INGOT_OK) << "v" << level << " " << c_;
        for (std::size_t i = 0; i < expected.size(); ++i)
          ASSERT_TRUE(same(expected[i], out.as<T>()[i]))
              << "v" << level << " element " << i << ": " << +out.as<T>()[i] << ", expected "
              << +expected[i] << "; " << c_;
        for (const Fenced* memory : {&a, &b, &bias_memory, &residual, &out})
          ASSERT_TRUE(memory->margins_are_clean()) << "v" << level << " " << c_;
        ASSERT_EQ(raised, 0) << "floating-point exceptions, v" << level << " " << c_;
      }
    }
  }

 private:
  T number() {
    if constexpr (std::is_floating_point_v<T>) {
      static constexpr T special[] = {std::numeric_limits<T>::infinity(),
                                      std::numeric_limits<T>::quiet_NaN(), T(-0.0), T(3e38),
                                      std::numeric_limits<T>::denorm_min()};
      if (c_.wild && random_() % 60 == 0) return special[random_() % std::size(special)];
      return static_cast<T>(static_cast<double>(random_()) / 2147483648.0 - 1.0);
    } else {
      return static_cast<T>(random_());
    }
  }
  Tensor tensor(std::vector<std::int64_t> shape) {
    Tensor result(c_.dtype, std::move(shape));
    for (std::int64_t i = 0; i < result.elements(); ++i) result.set<T>(i, number());
    return result;
  }
  static bool same(T a, T b) {
    if constexpr (std::is_floating_point_v<T>)
      if (std::isnan(a) && std::isnan(b)) return true;
    return std::memcmp(&a, &b, sizeof a) == 0;
  }

  void fill(const Layout& layout, const Tensor& weights, const Tensor& bias, const T* a,
            const T* residual, std::vector<T>& out) const {
    for (std::int64_t p = 0; p < std::max<std::int64_t>(1, c_.batch); ++p)
      for (std::int64_t m = 0; m < c_.m; ++m)
        for (std::int64_t n = 0; n < c_.n; ++n) {
          std::vector<T> chains(static_cast<std::size_t>(c_.chains));
          if (c_.bias) chains[0] = bias.at<T>(n);
          for (std::int64_t k = 0; k < c_.k; ++k) {
            T& chain = chains[static_cast<std::size_t>(k % c_.chains)];
            chain = multiply_add(c_.arithmetic,
                                 a[p * layout.a_batch + m * layout.a_row + k * c_.a_step],
                                 weights.at<T>(k * c_.n + n), chain);
          }
          for (std::size_t half = chains.size() / 2; half > 0; half /= 2)
            for (std::size_t i = 0; i < half; ++i) chains[i] = add(chains[i], chains[i + half]);
          const auto place =
              static_cast<std::size_t>(p * layout.c_batch + m * layout.c_row + n * c_.c_step);
          out[place] = finish(chains[0], m, n, residual[place]);
        }
  }
  T finish(T sum, std::int64_t m, std::int64_t n, T residual) const {
    switch (c_.epilogue) {
      case Epilogue::none:
        return sum;
      case Epilogue::residual:
        sum = add(sum, residual);
        return T(0) > sum ? T(0) : sum;
      case Epilogue::indices:
        if constexpr (std::is_floating_point_v<T>)
          return sum + static_cast<T>(n) - static_cast<T>(m) + static_cast<T>(c_.m);
        return add(add(add(sum, static_cast<T>(n)), static_cast<T>(-m)), static_cast<T>(c_.m));
      case Epilogue::tanh:
        if constexpr (std::is_same_v<T, float>) {
          ops::NativeArith arith;
          arith.strict = c_.arithmetic == Arithmetic::strict;
          return ops::math::tanh(arith, sum);
        }
    }
    return sum;
  }

  int call(ingot_run run, const plan::Plan& plan, const std::vector<const Fenced*>& inputs,
           const Fenced& output) const {
    std::vector<ingot_tensor> in;
    for (const Fenced* input : inputs)
      in.push_back(CompiledCode::tensor(input->bytes(), c_.dtype, 1));
    ingot_tensor out = CompiledCode::tensor(output.bytes(), c_.dtype, 1);
    std::vector<std::int64_t> symbols;
    for (const Symbol& symbol : plan.symbols)
      symbols.push_back(symbol.name == "M" ? c_.m : symbol.name == "N" ? c_.n : c_.k);
    ingot_error error{};
    error.struct_bytes = sizeof error;
    ingot_call call{};
    call.struct_bytes = sizeof call;
    call.tensor_bytes = sizeof(ingot_tensor);
    call.symbols = symbols.data();
    call.symbol_count = static_cast<std::uint32_t>(symbols.size());
    call.inputs = in.data();
    call.input_count = static_cast<std::uint32_t>(in.size());
    call.outputs = &out;
    call.output_count = 1;
    call.error = &error;
    return run(&call);
  }

  const Case& c_;
  std::mt19937 random_;
};

/// The levels that this machine runs and that the case allows.
std::vector<int> levels(const Case& c) {
  std::vector<int> found;
  if (__builtin_cpu_supports("x86-64-v4")) found.push_back(4);
  if (__builtin_cpu_supports("x86-64-v3")) found.push_back(3);
  if (c.arithmetic == Arithmetic::strict) found.push_back(2);
  return found;
}

void check(const Case& c) {
  const std::vector<int> found = levels(c);
  if (found.empty()) GTEST_SKIP() << "no x86-64-v3 CPU";
  switch (c.dtype) {
    case DType::f32:
      return Checker<float>(c).check(found);
    case DType::f64:
      return Checker<double>(c).check(found);
    case DType::i8:
      return Checker<std::int8_t>(c).check(found);
    case DType::u16:
      return Checker<std::uint16_t>(c).check(found);
    case DType::i32:
      return Checker<std::int32_t>(c).check(found);
    case DType::i64:
      return Checker<std::int64_t>(c).check(found);
    default:
      FAIL() << "no reference for " << name(c.dtype);
  }
}

TEST(Contract, PanelsOfEveryWidthAndNumberOfRows) {
  for (const std::int64_t n : {5, 16, 27, 33, 64, 130}) {
    for (const std::int64_t m : {0, 1, 9, 22}) {
      Case c{.m = m, .n = n, .k = 37, .chains = n > 64 ? 1 : n > 32 ? 2 : 4, .bias = true};
      c.symbolic_m = m % 2 == 0;
      check(c);
      if (HasFatalFailure()) return;
    }
  }
}

TEST(Contract, DotsOfEveryNumberOfChains) {
  for (const std::int64_t chains : {1, 4, 8, 16}) {
    for (const std::int64_t n : {1, 2, 3, 4}) {
      Case c{.m = n == 1 ? 21 : 11, .n = n, .k = 16 * n + 3, .chains = chains, .bias = n % 2 == 0};
      c.symbolic_m = chains != 4;
      c.epilogue = n > 2 ? Epilogue::tanh : Epilogue::residual;
      check(c);
      if (HasFatalFailure()) return;
    }
  }
}

TEST(Contract, OneRowThatIsKnownToBeAlone) {
  for (const std::int64_t chains : {1, 16})
    for (const std::int64_t n : {1, 2, 3, 4, 40})
      check({.m = 1, .n = n, .k = 200, .chains = chains, .bias = true});
}

TEST(Contract, FewerElementsThanChains) {
  for (const std::int64_t k : {0, 1, 7})
    for (const std::int64_t n : {1, 3, 6})
      for (const B b : {B::packed, B::rows})
        check({.m = 2, .n = n, .k = k, .chains = 16, .bias = k % 2 == 1, .b = b});
}

TEST(Contract, EpilogueInPlaceOfItsOperand) {
  for (const std::int64_t n : {1, 3, 96}) {
    Case c{.m = 13, .n = n, .k = 20, .epilogue = Epilogue::residual};
    c.in_place = true;
    c.symbolic_m = true;
    check(c);
  }
}

Case random_case(std::mt19937& random) {
  const auto one_of = [&](auto... values) {
    const std::common_type_t<decltype(values)...> list[] = {values...};
    return list[random() % std::size(list)];
  };
  const auto chance = [&](unsigned in) { return random() % in == 0; };
  Case c;
  c.seed = random();
  c.dtype = one_of(DType::f32, DType::f32, DType::f32, DType::f64, DType::i32, DType::i64,
                   DType::i8, DType::u16);
  c.m = random() % (chance(3) ? 71 : 10);
  c.n = 1 + random() % (chance(3) ? 130 : 9);
  c.k = random() % (chance(2) ? 151 : 20);
  c.chains = one_of(1, 2, 4, 8, 16);
  c.bias = chance(2);
  c.b = one_of(B::packed, B::packed, B::rows, B::transposed, B::strided);
  c.epilogue = one_of(Epilogue::none, Epilogue::residual, Epilogue::indices, Epilogue::tanh);
  if (c.epilogue == Epilogue::tanh && c.dtype != DType::f32) c.epilogue = Epilogue::none;
  c.in_place = c.epilogue == Epilogue::residual && chance(2);
  c.arithmetic = chance(3) ? Arithmetic::strict : Arithmetic::fused;
  c.symbolic_m = chance(2);
  c.symbolic_n = c.b != B::packed && chance(3);
  c.symbolic_k = c.b != B::packed && chance(3);
  if (chance(5)) c.batch = 1 + random() % 3;
  c.a_step = chance(5) ? 2 : 1;
  c.a_gap = chance(4) ? 3 : 0;
  c.c_step = chance(5) ? 2 : 1;
  c.c_gap = chance(4) ? 5 : 0;
  c.wild = chance(4);
  return c;
}

// INGOT_RANDOM_GRAPHS, which `./dev full` sets, asks for a long run; a failure names its case.
TEST(Contract, RandomCasesHaveTheBitsOfTheCanonicalSum) {
  const char* many = std::getenv("INGOT_RANDOM_GRAPHS");
  const int count = many ? std::max(1, std::atoi(many) / 4) : 40;
  std::mt19937 random(7);
  for (int i = 0; i < count; ++i) {
    check(random_case(random));
    if (HasFatalFailure()) return;
  }
}

}  // namespace
}  // namespace ingot::target
