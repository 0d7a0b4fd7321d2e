// SPDX-License-Identifier: Apache-2.0
// The formulas of the pointwise ops, to be read by any policy: the interpreter computes with them
// (native_scalars.h), the code generator emits them.
//
// A policy `f` stands for one element type and has types V (values of it) and M (truth values), and
//   V number(double)                       a small constant
//   add sub mul div neg abs                IEEE, or wrapping integers; integer division truncates,
//                                          x / 0 = 0, and the least integer / -1 is itself
//   remainder(V, V)                        exact, sign of a; of integers x % 0 = 0
//   function(g, V)                         g(f, a) for a function of ops/math.h, with the policy f
//   of
//                                          ops/arith.h; floats only
//   pow(V, V)                              math::pow, or by integer multiplication: b < 0 gives 1 /
//   a^-b,
//                                          truncated, and 0 where a is 0
//   ceil floor trunc rint sqrt             floats only
//   bit_not bit_and bit_or bit_xor shift_left shift_right    integers only; the distance is b as
//                                          unsigned; from the width on the result is 0 (right shift
//                                          of a negative number: -1)
//   lt le gt ge eq ne -> M, mask_and mask_or mask_xor mask_not, select(M, V, V)
// f16 and bf16 are computed as float32 and rounded after each op. For booleans V and M are one.
#pragma once

#include <limits>
#include <optional>

#include "ir/op.h"
#include "ops/math.h"

namespace ingot::ops {

enum class Pointwise : std::uint8_t {
#define INGOT_POINTWISE(op, signature, domain, summary, ...) op##_,
#include "ops/pointwise.def"
#undef INGOT_POINTWISE
};

enum class Signature : std::uint8_t { V_V, V_M, M_M, VV_V, VV_M, MM_M, MVV_V };
enum class Domain : std::uint8_t { any, number, real, integer, boolean };

struct PointwiseInfo {
  std::string_view name;
  Signature signature;
  Domain domain;
  std::string_view summary;
};

const PointwiseInfo& info(Pointwise op);
/// Which pointwise formula an op is; none for `cast` and for ops of other kinds.
std::optional<Pointwise> find_pointwise(std::string_view op_name);
constexpr int arity(Signature signature) {
  switch (signature) {
    case Signature::V_V:
    case Signature::V_M:
    case Signature::M_M:
      return 1;
    case Signature::VV_V:
    case Signature::VV_M:
    case Signature::MM_M:
      return 2;
    case Signature::MVV_V:
      return 3;
  }
  return 0;
}
constexpr bool in_domain(Domain domain, DType dtype) {
  const bool boolean = dtype == DType::boolean;
  const bool real =
      dtype == DType::f32 || dtype == DType::f64 || dtype == DType::f16 || dtype == DType::bf16;
  switch (domain) {
    case Domain::any:
      return true;
    case Domain::number:
      return !boolean;
    case Domain::real:
      return real;
    case Domain::integer:
      return !real && !boolean;
    case Domain::boolean:
      return boolean;
  }
  return false;
}

/// The remainder moved by b where its sign is not b's.
template <class P, class V>
auto mod_floor(P& f, V a, V b) {
  V r = f.remainder(a, b);
  auto zero = f.number(0);
  auto differs = f.mask_and(f.ne(r, zero), f.mask_xor(f.lt(r, zero), f.lt(b, zero)));
  return f.select(differs, f.add(r, b), r);
}

/// The formulas as functions: `Formula<Pointwise::add_>::apply(f, a, b)`.
template <Pointwise op>
struct Formula;

#define INGOT_MATH(name) f.function([](auto& g, auto x) { return math::name(g, x); }, a)
#define INGOT_POINTWISE(op, signature_, domain_, summary, ...)               \
  template <>                                                                \
  struct Formula<Pointwise::op##_> {                                         \
    static constexpr Signature signature = Signature::signature_;            \
    static constexpr Domain domain = Domain::domain_;                        \
    template <class P, class A, class B = A, class C = B>                    \
    static auto apply(P& f, [[maybe_unused]] A a, [[maybe_unused]] B b = {}, \
                      [[maybe_unused]] C c = {}) {                           \
      return __VA_ARGS__;                                                    \
    }                                                                        \
  };
#include "ops/pointwise.def"
#undef INGOT_POINTWISE
#undef INGOT_MATH

}  // namespace ingot::ops
