// SPDX-License-Identifier: Apache-2.0
// Proves the error bounds of compiler/ops/math.h: runs a function over all 2^32 inputs, with fma
// and in strict mode, and prints the worst error in ULP and where it is. Exit status 1 above 2 ULP.
//
// The reference is the C library's float64 function, good to a few units in its last place: about
// 1e-8 ULP of float32. It is not trusted blindly: MPFR (200 bits) is asked for every 65,521st
// input, for every error within 1e-3 of the limit or above it, and for the worst one, which is what
// gets printed. A library value off by more than 1e-3 ULP is reported and fails the run.
#include <mpfr.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <limits>
#include <mutex>
#include <random>
#include <span>
#include <string_view>
#include <thread>
#include <vector>

#include "ops/math.h"
#include "ops/native_arith.h"

namespace {

using ingot::ops::NativeArith;
namespace math = ingot::ops::math;

constexpr double limit_ulp = 2.0;
constexpr double doubt_ulp = 1e-3;
constexpr std::uint64_t audit_every = 65521;
constexpr int block_size = 4096;

/// Distance of `got` from `expected` in units of the last place that float32 has at `expected`.
/// Beyond the largest float everything is 2^128, which is what infinity stands for in rounding.
double error_in_ulp(double got, double expected) {
  constexpr double infinite = std::numeric_limits<double>::infinity();
  if (std::isnan(got) || std::isnan(expected)) {
    return std::isnan(got) && std::isnan(expected) ? 0.0 : infinite;
  }
  if (got == 0.0 && std::signbit(got) != std::signbit(expected)) return infinite;
  const double bound = 0x1p128;
  const double a = std::clamp(got, -bound, bound);
  const double b = std::clamp(expected, -bound, bound);
  const auto biased = static_cast<int>(std::bit_cast<std::uint64_t>(b) >> 52 & 0x7ff);
  const int exponent = std::clamp(biased - 1023, -126, 127);
  const auto scale = std::bit_cast<double>(static_cast<std::uint64_t>(1023 + 23 - exponent) << 52);
  return std::fabs(a - b) * scale;
}

// --- functions
// ------------------------------------------------------------------------------------

using Block = void (*)(const float* x, float* y, bool strict);
using Reference = double (*)(double);
using Exact = int (*)(mpfr_ptr, mpfr_srcptr, mpfr_rnd_t);

int exact_sigmoid(mpfr_ptr y, mpfr_srcptr x, mpfr_rnd_t rounding) {
  mpfr_neg(y, x, rounding);
  mpfr_exp(y, y, rounding);
  mpfr_add_ui(y, y, 1, rounding);
  return mpfr_ui_div(y, 1, y, rounding);
}

// The loops are separate for the two modes, so that the compiler can turn them into vectors.
#define INGOT_BLOCK(name)                                              \
  [](const float* x, float* y, bool strict) {                          \
    if (strict) {                                                      \
      NativeArith f{true};                                             \
      for (int i = 0; i < block_size; ++i) y[i] = math::name(f, x[i]); \
    } else {                                                           \
      NativeArith f{false};                                            \
      for (int i = 0; i < block_size; ++i) y[i] = math::name(f, x[i]); \
    }                                                                  \
  }

struct Function {
  std::string_view name;
  Block block;
  Reference reference;
  Exact exact;
};

#define INGOT_FUNCTION(name)                                                     \
  Function {                                                                     \
    #name, INGOT_BLOCK(name), [](double x) { return std::name(x); }, mpfr_##name \
  }

const Function functions[] = {
    INGOT_FUNCTION(exp),
    INGOT_FUNCTION(expm1),
    {"sigmoid", INGOT_BLOCK(sigmoid), [](double x) { return 1.0 / (1.0 + std::exp(-x)); },
     exact_sigmoid},
    INGOT_FUNCTION(tanh),
    INGOT_FUNCTION(log),
    INGOT_FUNCTION(log1p),
    INGOT_FUNCTION(erf),
    INGOT_FUNCTION(sin),
    INGOT_FUNCTION(cos),
    INGOT_FUNCTION(tan),
    INGOT_FUNCTION(asin),
    INGOT_FUNCTION(acos),
    INGOT_FUNCTION(atan),
    INGOT_FUNCTION(sinh),
    INGOT_FUNCTION(cosh),
    INGOT_FUNCTION(asinh),
    INGOT_FUNCTION(acosh),
    INGOT_FUNCTION(atanh),
};

double exact_value(Exact exact, float x) {
  mpfr_t value;
  mpfr_init2(value, 200);
  mpfr_set_flt(value, x, MPFR_RNDN);
  exact(value, value, MPFR_RNDN);
  const double result = mpfr_get_d(value, MPFR_RNDN);
  mpfr_clear(value);
  return result;
}

double exact_pow(float x, float y) {
  mpfr_t a, b;
  mpfr_init2(a, 200);
  mpfr_init2(b, 200);
  mpfr_set_flt(a, x, MPFR_RNDN);
  mpfr_set_flt(b, y, MPFR_RNDN);
  mpfr_pow(a, a, b, MPFR_RNDN);
  const double result = mpfr_get_d(a, MPFR_RNDN);
  mpfr_clears(a, b, nullptr);
  return result;
}

// --- sweeping
// -------------------------------------------------------------------------------------

struct Worst {
  double error = 0.0;
  float x = 0.0f;
  float y = 0.0f;  // the second argument, of pow

  void keep(double other_error, float other_x, float other_y = 0.0f) {
    if (other_error > error) *this = {other_error, other_x, other_y};
  }
};

struct Verdict {
  Worst worst[2];  // with fma, strict
  Worst library;   // how far the reference was from MPFR

  void keep(const Verdict& other) {
    for (int mode = 0; mode < 2; ++mode) {
      worst[mode].keep(other.worst[mode].error, other.worst[mode].x, other.worst[mode].y);
    }
    library.keep(other.library.error, other.library.x, other.library.y);
  }
};

struct Range {
  std::uint64_t first = 0;
  std::uint64_t last = 0xffffffff;
  std::uint64_t stride = 1;
  unsigned threads = 2;
};

/// Calls body(first block number, verdict of this thread) until the blocks are used up.
template <class Body>
Verdict on_threads(unsigned threads, std::uint64_t blocks, Body body) {
  Verdict all;
  std::mutex all_mutex;
  std::atomic<std::uint64_t> next{0};
  const auto work = [&] {
    Verdict mine;
    for (std::uint64_t block = next++; block < blocks; block = next++) body(block, mine);
    mpfr_free_cache();
    const std::lock_guard lock(all_mutex);
    all.keep(mine);
  };
  std::vector<std::thread> pool;
  for (unsigned i = 1; i < threads; ++i) pool.emplace_back(work);
  work();
  for (std::thread& thread : pool) thread.join();
  return all;
}

Verdict sweep(const Function& function, const Range& range) {
  const std::uint64_t count = (range.last - range.first) / range.stride + 1;
  const std::uint64_t blocks = (count + block_size - 1) / block_size;
  return on_threads(range.threads, blocks, [&](std::uint64_t block, Verdict& verdict) {
    alignas(64) float x[block_size];
    alignas(64) float y[2][block_size];
    alignas(64) double reference[block_size];
    const std::uint64_t start = block * block_size;
    const auto input = [&](std::uint64_t i) {
      const std::uint64_t step = std::min(start + i, count - 1);
      return std::bit_cast<float>(static_cast<std::uint32_t>(range.first + step * range.stride));
    };
    for (int i = 0; i < block_size; ++i) x[i] = input(static_cast<std::uint64_t>(i));
    for (int i = 0; i < block_size; ++i) reference[i] = function.reference(x[i]);
    for (int mode = 0; mode < 2; ++mode) {
      function.block(x, y[mode], mode == 1);
      double errors[block_size];
      double block_worst = 0.0;
      for (int i = 0; i < block_size; ++i) {
        errors[i] = error_in_ulp(y[mode][i], reference[i]);
        block_worst = std::max(block_worst, errors[i]);
      }
      if (block_worst <= verdict.worst[mode].error) continue;
      for (int i = 0; i < block_size; ++i) {
        if (errors[i] <= verdict.worst[mode].error) continue;
        const double exact = errors[i] > limit_ulp - doubt_ulp
                                 ? error_in_ulp(y[mode][i], exact_value(function.exact, x[i]))
                                 : errors[i];
        verdict.worst[mode].keep(exact, x[i]);
      }
    }
    for (std::uint64_t i = (audit_every - start % audit_every) % audit_every; i < block_size;
         i += audit_every) {
      verdict.library.keep(error_in_ulp(reference[i], exact_value(function.exact, x[i])), x[i]);
    }
  });
}

/// Argument pairs in five kinds: any bits; a result spread over the whole range; bases near 1;
/// small integers as exponents; special values against each other and against anything.
Verdict sweep_pow(std::uint64_t count, unsigned threads) {
  constexpr float inf = std::numeric_limits<float>::infinity();
  const float special[] = {0.0f,
                           -0.0f,
                           1.0f,
                           -1.0f,
                           inf,
                           -inf,
                           2.0f,
                           -2.0f,
                           0.5f,
                           -0.5f,
                           3.0f,
                           -3.0f,
                           0x1p-149f,
                           -0x1p-149f,
                           0x1p-126f,
                           16777216.0f,
                           16777215.0f,
                           -16777215.0f,
                           8388607.5f,
                           1.5f,
                           -1.5f,
                           0x1.fffffep127f,
                           -0x1.fffffep127f,
                           0x1.fffffep-1f,
                           0x1.000002p0f,
                           std::numeric_limits<float>::quiet_NaN()};
  const std::uint64_t blocks = (count + block_size - 1) / block_size;
  return on_threads(threads, blocks, [&](std::uint64_t block, Verdict& verdict) {
    std::mt19937_64 random(block);
    const auto any = [&] { return std::bit_cast<float>(static_cast<std::uint32_t>(random())); };
    const auto uniform = [&](double a, double b) {
      return a + (b - a) * static_cast<double>(random() >> 11) * 0x1p-53;
    };
    const auto any_special = [&] { return special[random() % std::size(special)]; };
    float x[block_size], y[block_size], got[2][block_size];
    for (int i = 0; i < block_size; ++i) {
      x[i] = any();
      y[i] = any();
      switch (i % 6) {
        case 1:
          x[i] = std::fabs(x[i]);
          y[i] = static_cast<float>(uniform(-152.0, 129.0) / std::log2(static_cast<double>(x[i])));
          break;
        case 2:
          x[i] = static_cast<float>(1.0 + uniform(-1.0, 1.0) * std::exp2(uniform(-23.0, -1.0)));
          y[i] = static_cast<float>(uniform(-152.0, 129.0) / std::log2(static_cast<double>(x[i])));
          break;
        case 3:
          y[i] = static_cast<float>(static_cast<int>(random() % 61) - 30);
          x[i] = std::copysign(static_cast<float>(std::exp2(uniform(-152.0, 129.0) /
                                                            std::max(1.0f, std::fabs(y[i])))),
                               x[i]);
          break;
        case 4:
          x[i] = any_special();
          y[i] = any_special();
          break;
        case 5:
          (random() % 2 != 0 ? x[i] : y[i]) = any_special();
          break;
        default:
          break;
      }
    }
    for (int mode = 0; mode < 2; ++mode) {
      NativeArith f{mode == 1};
      for (int i = 0; i < block_size; ++i) got[mode][i] = math::pow(f, x[i], y[i]);
    }
    for (int i = 0; i < block_size; ++i) {
      const double reference = std::pow(static_cast<double>(x[i]), static_cast<double>(y[i]));
      const bool audit = (block * block_size + static_cast<std::uint64_t>(i)) % audit_every == 0;
      if (audit) {
        const double exact = exact_pow(x[i], y[i]);
        verdict.library.keep(error_in_ulp(reference, exact), x[i], y[i]);
      }
      for (int mode = 0; mode < 2; ++mode) {
        double error = error_in_ulp(got[mode][i], reference);
        if (error > limit_ulp - doubt_ulp)
          error = error_in_ulp(got[mode][i], exact_pow(x[i], y[i]));
        verdict.worst[mode].keep(error, x[i], y[i]);
      }
    }
  });
}

// --- command line
// ---------------------------------------------------------------------------------

/// Prints the verdict, its worst cases measured once more with MPFR instead of the library.
/// `function` is null for pow.
bool report(std::string_view name, Verdict verdict, const Function* function) {
  bool good = verdict.library.error <= doubt_ulp;
  std::printf("%-8.*s", static_cast<int>(name.size()), name.data());
  for (int mode = 0; mode < 2; ++mode) {
    Worst& worst = verdict.worst[mode];
    NativeArith f{mode == 1};
    if (function != nullptr) {
      std::vector<float> x(block_size, worst.x), y(block_size);
      function->block(x.data(), y.data(), f.strict);
      worst.error = error_in_ulp(y[0], exact_value(function->exact, worst.x));
      std::printf("  %s %.4f ULP at %a", f.strict ? "strict" : "fma", worst.error, worst.x);
    } else {
      worst.error = error_in_ulp(math::pow(f, worst.x, worst.y), exact_pow(worst.x, worst.y));
      std::printf("  %s %.4f ULP at (%a, %a)", f.strict ? "strict" : "fma", worst.error, worst.x,
                  worst.y);
    }
    good = good && worst.error <= limit_ulp;
  }
  std::printf("  library within %.1e\n", verdict.library.error);
  if (verdict.library.error > doubt_ulp) {
    std::printf("  the C library is off at (%a, %a): no reference\n", verdict.library.x,
                verdict.library.y);
  }
  std::fflush(stdout);
  return good;
}

bool read_number(const char* text, std::uint64_t& value) {
  const char* end = text + std::strlen(text);
  const bool hex = text[0] == '0' && text[1] == 'x';
  const auto result = std::from_chars(hex ? text + 2 : text, end, value, hex ? 16 : 10);
  return result.ec == std::errc{} && result.ptr == end;
}

int usage() {
  std::fputs(
      "usage: ulp_sweep [--stride K] [--first BITS] [--last BITS] [--threads T] [--count N] "
      "NAME...\n"
      "NAME is a function of ops/math.h, or `all`; BITS is a float32 bit pattern such as "
      "0x3f800000;\n"
      "--count is the number of argument pairs tried for pow (100000000)\n",
      stderr);
  return 2;
}

}  // namespace

int main(int argc, char** argv) {
  Range range;
  std::uint64_t count = 100'000'000;
  std::vector<std::string_view> names;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (!argument.starts_with("--")) {
      names.push_back(argument);
      continue;
    }
    std::uint64_t value = 0;
    ++i;
    if (i == argc || !read_number(argv[i], value)) return usage();
    if (argument == "--stride" && value > 0)
      range.stride = value;
    else if (argument == "--first" && value <= 0xffffffff)
      range.first = value;
    else if (argument == "--last" && value <= 0xffffffff)
      range.last = value;
    else if (argument == "--threads" && value > 0 && value <= 1024)
      range.threads = static_cast<unsigned>(value);
    else if (argument == "--count" && value > 0)
      count = value;
    else
      return usage();
  }
  if (names.empty() || range.first > range.last) return usage();

  bool good = true;
  for (const std::string_view name : names) {
    bool known = false;
    for (const Function& function : functions) {
      if (name != "all" && name != function.name) continue;
      known = true;
      good = report(function.name, sweep(function, range), &function) && good;
    }
    if (name == "all" || name == "pow") {
      known = true;
      good = report("pow", sweep_pow(count, range.threads), nullptr) && good;
    }
    if (!known) return usage();
  }
  return good ? 0 : 1;
}
