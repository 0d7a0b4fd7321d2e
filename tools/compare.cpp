// SPDX-License-Identifier: Apache-2.0
#include "compare.h"

#include <cmath>

namespace ingot::tools {
namespace {

/// How far an element is off, in units of what is allowed; more than 1 is too far.
double share(double got, double expected, double rtol, double atol) {
  if (std::isnan(got) || std::isnan(expected))
    return std::isnan(got) == std::isnan(expected) ? 0 : INFINITY;
  if (std::isinf(got) || std::isinf(expected)) return got == expected ? 0 : INFINITY;
  const double distance = std::fabs(got - expected), allowed = atol + rtol * std::fabs(expected);
  if (distance <= allowed) return distance > 0 ? std::fmin(1, distance / allowed) : 0;
  return allowed > 0 ? std::fmax(std::nextafter(1, 2), distance / allowed) : INFINITY;
}

std::string place(const Tensor& tensor, std::int64_t index) {
  std::string text;
  for (std::size_t d = tensor.rank(); d-- > 0;) {
    text = fmt::format("{}{}{}", index % tensor.shape()[d], text.empty() ? "" : ", ", text);
    index /= tensor.shape()[d];
  }
  return "[" + text + "]";
}

struct Deviation {
  std::int64_t wrong = 0, at = 0;  // how many, and the worst
  double worst = 0;
};

Deviation deviation(const Tensor& got, const Tensor& expected, double rtol, double atol) {
  Deviation result;
  for (std::int64_t i = 0; i < expected.elements(); ++i) {
    // 64-bit integers do not fit a double: equal ones agree, whatever their size.
    if (is_integer(got.dtype()) && got.as_int64(i) == expected.as_int64(i)) continue;
    const double off = share(got.as_double(i), expected.as_double(i), rtol, atol);
    if (off > 1) ++result.wrong;
    if (off > result.worst) {
      result.worst = off;
      result.at = i;
    }
  }
  return result;
}

bool same_type(const Tensor& got, const Tensor& expected) {
  return got.dtype() == expected.dtype() && got.shape() == expected.shape();
}

}  // namespace

std::optional<std::string> difference(const Tensor& got, const Tensor& expected, double rtol,
                                      double atol) {
  if (!same_type(got, expected)) {
    return fmt::format("is {}, {} expected", str(got.type()), str(expected.type()));
  }
  const auto [wrong, at, worst] = deviation(got, expected, rtol, atol);
  if (wrong == 0) return std::nullopt;
  return fmt::format(
      "{} of {} elements differ; worst at {}: got {}, expected {}, {:.3g} times what is allowed",
      wrong, expected.elements(), place(expected, at), got.as_double(at), expected.as_double(at),
      worst);
}

Worst worst(const Tensor& got, const Tensor& expected, double rtol, double atol) {
  if (!same_type(got, expected)) return {INFINITY, INFINITY};
  const Deviation all = deviation(got, expected, rtol, atol);
  if (all.worst == 0) return {};
  return {std::fabs(got.as_double(all.at) - expected.as_double(all.at)), all.worst};
}

double disagreement(const Tensor& got, const Tensor& expected, double rtol, double atol) {
  if (!same_type(got, expected)) return INFINITY;
  const auto [wrong, at, worst] = deviation(got, expected, rtol, atol);
  if (wrong == 0) return 0;
  return static_cast<double>(wrong) + (std::isinf(worst) ? 1 : worst / (1 + worst));
}

}  // namespace ingot::tools
