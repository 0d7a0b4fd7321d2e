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

#include "ir/op.h"
#include "ops/math.h"
#include "ops/native_arith.h"
#include "plan/pack.h"
#include "target/compiled_code.h"

namespace ingot::target {
namespace {

using plan::Step;
using plan::View;

enum class B { packed, rows, transposed, strided };
enum class Epilogue { none, residual, indices, tanh };

struct Case {
  DType dtype = DType::f32;
  std::int64_t m = 1, n = 1, k = 1, chains = 1;
  bool bias = false;
  B b = B::packed;
  Epilogue epilogue = Epilogue::none;
  Arithmetic arithmetic = Arithmetic::fused;
  bool symbolic_m = false, symbolic_n = false, symbolic_k = false;
  std::int64_t batch = 0;  // 0: no batch dimension
  std::int64_t a_step = 1, a_gap = 0, c_step = 1, c_gap = 0;
  bool wild = false;  // infinities, NaN, subnormals, negative zeros
  bool in_place = false;
  unsigned seed = 0;
};

std::ostream& operator<<(std::ostream& out, const Case& c) {
  return out << name(c.dtype) << " m" << c.m << " n" << c.n << " k" << c.k << " chains " << c.chains
             << " bias " << c.bias << " b" << static_cast<int>(c.b) << " epilogue "
             << static_cast<int>(c.epilogue) << (c.arithmetic == Arithmetic::fused ? "" : " strict")
             << " symbolic " << c.symbolic_m << c.symbolic_n << c.symbolic_k << " batch " << c.batch
             << " a " << c.a_step << "+" << c.a_gap << " c " << c.c_step << "+" << c.c_gap
             << " wild " << c.wild << " in place " << c.in_place << " seed " << c.seed;
}

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

/// Numbers of elements from the first to the last one that is used.
struct Layout {
  std::int64_t a_row, a_batch, b_column, b_row, c_row, c_batch;
  std::size_t a = 0, b = 0, bias = 0, c = 0;
};

class Builder {
 public:
  explicit Builder(const Case& c) : c_(c) {
    m_ = size("M", c.m, c.symbolic_m);
    n_ = size("N", c.n, c.symbolic_n);
    k_ = size("K", c.k, c.symbolic_k);
    const Dim a_row = k_ * Dim(c.a_step) + Dim(c.a_gap);
    const Dim c_row = n_ * Dim(c.c_step) + Dim(c.c_gap);
    Dim b_column = 1, b_row = n_;
    if (c.b == B::transposed) b_column = k_, b_row = 1;
    if (c.b == B::strided) b_column = 2, b_row = n_ * Dim(2) + Dim(1);
    layout.a_row = value(a_row);
    layout.a_batch = value(m_ * a_row);
    layout.c_row = value(c_row);
    layout.c_batch = value(m_ * c_row);
    layout.b_column = value(b_column);
    layout.b_row = value(b_row);
    const std::int64_t batch = std::max<std::int64_t>(1, c.batch);
    layout.a = extent({{batch, layout.a_batch}, {c.m, layout.a_row}, {c.k, c.a_step}});
    layout.c = extent({{batch, layout.c_batch}, {c.m, layout.c_row}, {c.n, c.c_step}});
    if (c.b != B::packed) {
      layout.b = extent({{c.k, layout.b_row}, {c.n, layout.b_column}});
      if (c.bias) layout.bias = static_cast<std::size_t>(c.n);
    }
    a_ = View{0, 0, lead({a_row, 0, Dim(c.a_step)}, m_ * a_row)};
    b_ = View{1, 0, lead({0, b_column, b_row}, 0)};
    out_ = View{4, 0, lead({c_row, Dim(c.c_step)}, m_ * c_row)};
  }

  plan::Plan build(const Tensor& weights, const Tensor& bias) {
    plan.name = "test";
    plan.arithmetic = c_.arithmetic;
    const std::int64_t sizes[] = {
        static_cast<std::int64_t>(layout.a), static_cast<std::int64_t>(layout.b),
        static_cast<std::int64_t>(layout.bias), static_cast<std::int64_t>(layout.c)};
    for (std::uint32_t i = 0; i < 4; ++i) port(plan::Buffer::Kind::input, i, sizes[i]);
    port(plan::Buffer::Kind::output, 0, sizes[3]);

    plan::Contract contract;
    contract.k = k_;
    contract.chains = c_.chains;
    contract.a = a_;
    if (c_.b == B::packed) {
      contract.b = plan::pack(weights, c_.bias ? &bias : nullptr, plan.weights);
    } else {
      contract.b = b_;
      if (c_.bias) contract.bias = View{2, 0, lead({0, 1}, 0)};
    }
    epilogue(contract);
    plan::Kernel kernel;
    kernel.name = "product";
    if (c_.batch > 0) kernel.space.emplace_back(c_.batch);
    kernel.space.push_back(m_);
    kernel.space.push_back(n_);
    kernel.work = std::move(contract);
    plan.kernels.push_back(std::move(kernel));
    return std::move(plan);
  }

  Layout layout{};

 private:
  Dim size(const char* symbol, std::int64_t number, bool symbolic) {
    if (!symbolic) return number;
    plan.symbols.push_back({symbol, {0, 1 << 20}});
    values_[symbol] = number;
    return Dim::symbol(symbol);
  }
  std::int64_t value(const Dim& dim) const { return *dim.evaluate(values_); }
  static std::size_t extent(std::initializer_list<std::pair<std::int64_t, std::int64_t>> axes) {
    std::int64_t last = 0;
    for (const auto& [count, stride] : axes) {
      if (count == 0) return 0;
      last += (count - 1) * stride;
    }
    return static_cast<std::size_t>(last + 1);
  }
  std::vector<Dim> lead(std::vector<Dim> strides, const Dim& batch) const {
    if (c_.batch > 0) strides.insert(strides.begin(), batch);
    return strides;
  }
  /// Ports are flat: their number of elements as a symbol, so that any size will do.
  void port(plan::Buffer::Kind kind, std::uint32_t index, std::int64_t elements) {
    plan::Buffer buffer;
    buffer.kind = kind;
    buffer.dtype = c_.dtype;
    buffer.shape = {Dim(elements)};
    buffer.index = index;
    buffer.name = fmt::format("port_{}", plan.buffers.size());
    auto& ports = kind == plan::Buffer::Kind::input ? plan.inputs : plan.outputs;
    ports.push_back(
        {buffer.name, {c_.dtype, buffer.shape}, static_cast<plan::BufferId>(plan.buffers.size())});
    plan.buffers.push_back(std::move(buffer));
  }

  void epilogue(plan::Contract& contract) {
    auto& steps = contract.epilogue.steps;
    const auto step = [&](Step::Kind kind, std::uint32_t index = 0) {
      Step next;
      next.kind = kind;
      next.dtype = c_.dtype;
      next.index = index;
      steps.push_back(next);
      return static_cast<std::uint32_t>(steps.size() - 1);
    };
    const auto apply = [&](std::string_view name, std::vector<std::uint32_t> operands) {
      const std::uint32_t number = step(Step::Kind::apply);
      steps.back().op = &op(name);
      steps.back().operands = std::move(operands);
      return number;
    };
    const std::uint32_t first_axis = c_.batch > 0 ? 1 : 0;
    std::uint32_t last = step(Step::Kind::product);
    switch (c_.epilogue) {
      case Epilogue::none:
        break;
      case Epilogue::residual: {
        View residual = out_;
        residual.buffer = c_.in_place ? 4 : 3;
        contract.loads.push_back(residual);
        const std::uint32_t other = step(Step::Kind::load);
        last = apply("add", {last, other});
        const std::uint32_t zero = step(Step::Kind::constant);
        steps.back().constant = Tensor(c_.dtype, {});
        last = apply("max", {zero, last});
        break;
      }
      case Epilogue::indices: {
        const std::uint32_t row = step(Step::Kind::index, first_axis);
        const std::uint32_t column = step(Step::Kind::index, first_axis + 1);
        last = apply("sub", {apply("add", {last, column}), row});
        const std::uint32_t rows = step(Step::Kind::dim);
        steps.back().dim = m_;
        last = apply("add", {last, rows});
        break;
      }
      case Epilogue::tanh:
        last = apply("tanh", {last});
        break;
    }
    contract.stores.push_back({last, out_});
  }

  const Case& c_;
  plan::Plan plan;
  SymbolValues values_;
  Dim m_, n_, k_;
  View a_, b_, out_;
};

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
