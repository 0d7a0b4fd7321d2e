// SPDX-License-Identifier: Apache-2.0
// usage: ulp64_sweep [--count N] [--threads T] all|NAME...
// Proves the error bounds of the float64 functions of compiler/ops/math.h on N samples each (10^6),
// with fma and in strict mode: prints the worst error in ULP and where it is. Exit status 1 above
// the function's limit. The reference is MPFR at 140 bits, for every sample.
//
// Samples: any bits; magnitudes spread evenly over the exponents where the function does something;
// numbers near 1 and near multiples of pi/2; and what is known to be hard. For pow, pairs whose
// results are spread over the whole range, bases near 1, small integer exponents.
#include <mpfr.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <limits>
#include <random>
#include <string_view>
#include <thread>
#include <vector>

#include "ops/math.h"
#include "ops/native_arith.h"

namespace {

using ingot::ops::NativeArith;
namespace math = ingot::ops::math;
using Exact = int (*)(mpfr_ptr, mpfr_srcptr, mpfr_rnd_t);
constexpr double infinity = std::numeric_limits<double>::infinity();

int exact_sigmoid(mpfr_ptr y, mpfr_srcptr x, mpfr_rnd_t rounding) {
  mpfr_neg(y, x, rounding);
  mpfr_exp(y, y, rounding);
  mpfr_add_ui(y, y, 1, rounding);
  return mpfr_ui_div(y, 1, y, rounding);
}

struct Function {
  std::string_view name;
  double (*ours)(NativeArith& f, double x);
  Exact exact;
  double low, high;  // of log2 |x|, where the result is neither its argument nor a constant
  double limit;
};

#define INGOT_FUNCTION(name) \
  #name, [](NativeArith& f, double x) { return math::name(f, x); }, mpfr_##name

const Function functions[] = {
    {INGOT_FUNCTION(exp), -56, 10, 2},
    {INGOT_FUNCTION(log), -1074, 1024, 2},
    {INGOT_FUNCTION(tanh), -30, 5, 2},
    {"sigmoid", [](NativeArith& f, double x) { return math::sigmoid(f, x); }, exact_sigmoid, -56,
     10, 2},
    {INGOT_FUNCTION(erf), -30, 3, 2},
    {INGOT_FUNCTION(expm1), -56, 10, 4},
    {INGOT_FUNCTION(log1p), -56, 1024, 4},
    {INGOT_FUNCTION(sin), -30, 1024, 4},
    {INGOT_FUNCTION(cos), -30, 1024, 4},
    {INGOT_FUNCTION(tan), -30, 1024, 4},
    {INGOT_FUNCTION(asin), -30, 0, 4},
    {INGOT_FUNCTION(acos), -56, 0, 4},
    {INGOT_FUNCTION(atan), -30, 56, 4},
    {INGOT_FUNCTION(sinh), -30, 10, 4},
    {INGOT_FUNCTION(cosh), -30, 10, 4},
    {INGOT_FUNCTION(asinh), -30, 1024, 4},
    {INGOT_FUNCTION(acosh), 0, 1024, 4},
    {INGOT_FUNCTION(atanh), -30, 0, 4},
};

/// A number that is freed.
struct Real {
  mpfr_t value;
  Real() { mpfr_init2(value, 140); }
  ~Real() { mpfr_clear(value); }
  Real(const Real&) = delete;
  Real& operator=(const Real&) = delete;
};

/// Distance in units of the last place that float64 has at the exact result. Beyond the largest
/// number everything is 2^1024, which is what infinity stands for in rounding. Changes `exact`.
double error_in_ulp(double got, Real& exact) {
  mpfr_t& e = exact.value;
  if (std::isnan(got) || mpfr_nan_p(e) != 0)
    return std::isnan(got) && mpfr_nan_p(e) != 0 ? 0.0 : infinity;
  if (mpfr_zero_p(e) != 0 || got == 0.0) {
    if (std::signbit(got) != (mpfr_signbit(e) != 0)) return infinity;
    if (mpfr_zero_p(e) != 0) return got == 0.0 ? 0.0 : infinity;
  }
  if (mpfr_inf_p(e) != 0 || mpfr_get_exp(e) > 1024) {
    const int sign = mpfr_signbit(e) != 0 ? -1 : 1;
    mpfr_set_si_2exp(e, sign, 1024, MPFR_RNDN);
  }
  const long exponent = std::max<long>(mpfr_get_exp(e) - 1, -1022);
  if (std::isinf(got)) {
    mpfr_t bound;
    mpfr_init2(bound, 64);
    mpfr_set_si_2exp(bound, got > 0 ? 1 : -1, 1024, MPFR_RNDN);
    mpfr_sub(e, e, bound, MPFR_RNDN);
    mpfr_clear(bound);
  } else {
    mpfr_sub_d(e, e, got, MPFR_RNDN);
  }
  mpfr_mul_2si(e, e, 52 - exponent, MPFR_RNDN);
  return std::fabs(mpfr_get_d(e, MPFR_RNDN));
}

struct Worst {
  double error = 0.0, x = 0.0, y = 0.0;
  void take(double other, double at, double at_y = 0.0) {
    if (other > error || std::isnan(other)) *this = {other, at, at_y};
  }
};
struct Verdict {
  Worst fused, strict;
  void merge(const Verdict& other) {
    fused.take(other.fused.error, other.fused.x, other.fused.y);
    strict.take(other.strict.error, other.strict.x, other.strict.y);
  }
};

class Samples {
 public:
  explicit Samples(std::uint64_t seed) : random_(seed) {}
  double uniform(double low, double high) {
    return std::uniform_real_distribution<double>(low, high)(random_);
  }
  double any_bits() { return std::bit_cast<double>(random_()); }
  double magnitude(double low, double high) {
    const double x = std::exp2(uniform(low, high));
    return (random_() & 1) != 0 ? x : -x;
  }
  /// A multiple of pi/2, or 1 and -1, and what is near.
  double near_point() {
    const double turns = std::floor(std::exp2(uniform(0, 40)));
    const double point = (random_() & 1) != 0   ? turns * 1.5707963267948966
                         : (random_() & 1) != 0 ? 1.0
                                                : -1.0;
    return point * (1.0 + magnitude(-53, -8));
  }
  double of(const Function& function) {
    static constexpr double hard[] = {
        6381956970095103.0 * 0x1p797,  // of all float64, nearest to a multiple of pi/2
        0x1.921fb54442d18p+0,
        0x1.62e42fefa39efp+9,
        -0x1.74910d52d3051p+9,
        0x1p-1074,
        0x1p-1022,
        0.0,
        -0.0};
    switch (random_() % 8) {
      case 0:
        return any_bits();
      case 1:
        return near_point();
      case 2:
        return random_() % 64 == 0 ? hard[random_() % std::size(hard)] : uniform(-2, 2);
      default:
        return magnitude(function.low, function.high);
    }
  }
  std::pair<double, double> pair() {
    switch (random_() % 4) {
      case 0:
        return {any_bits(), any_bits()};
      case 1: {
        const double x = 1.0 + magnitude(-52, -2);
        return {x, uniform(-1080, 1030) / std::log2(x)};
      }
      case 2:
        return {magnitude(-1074, 1024), std::floor(uniform(-20, 20))};
      default: {
        const double x = std::exp2(uniform(-1074, 1024));
        return {x, uniform(-1080, 1030) / std::log2(x)};
      }
    }
  }

 private:
  std::mt19937_64 random_;
};

Verdict sweep(const Function& function, std::uint64_t count, std::uint64_t seed) {
  Samples samples(seed);
  Real x, exact;
  NativeArith fused{false}, strict{true};
  Verdict verdict;
  for (std::uint64_t i = 0; i < count; ++i) {
    const double at = samples.of(function);
    mpfr_set_d(x.value, at, MPFR_RNDN);
    function.exact(exact.value, x.value, MPFR_RNDN);
    Real again;
    mpfr_set(again.value, exact.value, MPFR_RNDN);
    verdict.fused.take(error_in_ulp(function.ours(fused, at), exact), at);
    verdict.strict.take(error_in_ulp(function.ours(strict, at), again), at);
  }
  return verdict;
}

Verdict sweep_pow(std::uint64_t count, std::uint64_t seed) {
  Samples samples(seed);
  Real x, y, exact, again;
  NativeArith fused{false}, strict{true};
  Verdict verdict;
  for (std::uint64_t i = 0; i < count; ++i) {
    const auto [a, b] = samples.pair();
    mpfr_set_d(x.value, a, MPFR_RNDN);
    mpfr_set_d(y.value, b, MPFR_RNDN);
    mpfr_pow(exact.value, x.value, y.value, MPFR_RNDN);
    mpfr_set(again.value, exact.value, MPFR_RNDN);
    verdict.fused.take(error_in_ulp(math::pow(fused, a, b), exact), a, b);
    verdict.strict.take(error_in_ulp(math::pow(strict, a, b), again), a, b);
  }
  return verdict;
}

/// Runs sweep(count, seed) on each thread.
template <class Sweep>
Verdict on_threads(std::uint64_t count, unsigned threads, const Sweep& sweep_some) {
  std::vector<Verdict> found(threads);
  std::vector<std::thread> pool;
  for (unsigned t = 0; t < threads; ++t)
    pool.emplace_back([&, t] { found[t] = sweep_some(count / threads + 1, 20261122 + t); });
  for (std::thread& thread : pool) thread.join();
  Verdict all;
  for (const Verdict& verdict : found) all.merge(verdict);
  return all;
}

bool report(std::string_view name, const Verdict& verdict, double limit) {
  auto print = [](const char* mode, const Worst& worst) {
    std::printf("  %s %.3f ULP at (%a, %a)", mode, worst.error, worst.x, worst.y);
  };
  std::printf("%-8.*s", int(name.size()), name.data());
  print("fma", verdict.fused);
  print("strict", verdict.strict);
  const bool good = verdict.fused.error <= limit && verdict.strict.error <= limit;
  std::printf("  %s %.0f\n", good ? "within" : "MORE THAN", limit);
  std::fflush(stdout);
  return good;
}

}  // namespace

int main(int argc, char** argv) {
  std::uint64_t count = 1'000'000;
  unsigned threads = 1;
  std::vector<std::string_view> names;
  bool usage = false;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    auto number = [&](auto& value) {
      const char* text = ++i < argc ? argv[i] : "";
      const auto [end, code] = std::from_chars(text, text + std::strlen(text), value);
      usage = usage || code != std::errc{} || *end != 0 || value == 0;
    };
    if (argument == "--count")
      number(count);
    else if (argument == "--threads")
      number(threads);
    else
      names.push_back(argument);
  }
  bool good = true;
  for (const std::string_view name : names) {
    bool known = false;
    for (const Function& function : functions) {
      if (name != "all" && name != function.name) continue;
      known = true;
      good = report(function.name,
                    on_threads(count, threads,
                               [&](auto n, auto seed) { return sweep(function, n, seed); }),
                    function.limit) &&
             good;
    }
    if (name == "all" || name == "pow") {
      known = true;
      good = report("pow", on_threads(count, threads, sweep_pow), 2) && good;
    }
    usage = usage || !known;
  }
  if (usage || names.empty()) {
    std::fputs("usage: ulp64_sweep [--count N] [--threads T] all|NAME...\n", stderr);
    return 2;
  }
  return good ? 0 : 1;
}
