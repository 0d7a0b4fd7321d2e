// SPDX-License-Identifier: Apache-2.0
#include "plan/strides.h"

namespace ingot::plan {
namespace {

/// The ends of the shortest runs of axes, from `a` and `b` on, that have as many elements.
struct Runs {
  std::size_t from, to;
};

std::optional<Runs> equal_runs(const Shape& from, std::size_t a, const Shape& to, std::size_t b) {
  Dim left = 1;
  for (std::size_t i = a; i < from.size(); ++i) {
    left *= from[i];
    Dim right = 1;
    for (std::size_t j = b; j < to.size(); ++j) {
      right *= to[j];
      if (left == right) return Runs{i + 1, j + 1};
    }
  }
  return std::nullopt;
}

/// The stride from element to element of axes [begin, end), if they lie as one.
std::optional<Dim> as_one(const Shape& shape, const std::vector<Dim>& strides, std::size_t begin,
                          std::size_t end) {
  std::optional<Dim> inner, whole;  // the last axis's stride; what those so far walk over
  for (std::size_t d = end; d-- > begin;) {
    if (shape[d].is(1)) continue;
    if (whole && strides[d] != *whole) return std::nullopt;
    if (!inner) inner = strides[d];
    whole = strides[d] * shape[d];
  }
  return inner;
}

}  // namespace

std::optional<std::vector<Dim>> reshaped_strides(const Shape& from, const std::vector<Dim>& strides,
                                                 const Shape& to) {
  std::vector<Dim> result(to.size(), 0);
  std::size_t a = 0, b = 0;
  for (;;) {
    while (a < from.size() && from[a].is(1)) ++a;
    while (b < to.size() && to[b].is(1)) ++b;
    if (a == from.size() && b == to.size()) return result;
    const std::optional<Runs> runs = equal_runs(from, a, to, b);
    if (!runs) return std::nullopt;
    std::optional<Dim> stride = as_one(from, strides, a, runs->from);
    if (!stride) return std::nullopt;
    for (std::size_t d = runs->to; d-- > b;) {
      if (to[d].is(1)) continue;
      result[d] = *stride;
      *stride *= to[d];
    }
    a = runs->from;
    b = runs->to;
  }
}

}  // namespace ingot::plan
