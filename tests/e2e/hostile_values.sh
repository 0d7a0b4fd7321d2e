#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Values that no model expects, under the address sanitizer, in buffers of exact sizes: NaN among
# distances, empty sequences, counts that are negative or too large, places beyond their axis, a loop
# that never ends. A call ends with its status, or computes what is defined, and nothing outside is
# read or written.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
cat >neighbours.ir <<'TEXT'
graph "neighbours" fused {
  symbol n in [3, 1000]
  %x: f32[n, 2] = input "x"
  %left = reshape(%x) {shape = [n, 1, 2]}
  %right = reshape(%x) {shape = [1, n, 2]}
  %gap = sub(%left, %right)
  %square = mul(%gap, %gap)
  %distance = reduce_sum(%square) {axes = [2], keep_dims = false, order = "index"}
  %nearest, %places = top_k(%distance) {k = [3], largest = false}
  %around = gather(%x, %places) {axis = 0}
  %mean = reduce_sum(%around) {axes = [1], keep_dims = false, order = "index"}
  return "mean" = %mean
  return "places" = %places
}
TEXT
cat >counted.ir <<'TEXT'
graph "counted" fused {
  symbol n in [0, 1000]
  symbol k in [0, 1000] up to [n]
  %x: f32[n] = input "x"
  %count: i64[] = input "count"
  %size = measure(%count) {size = [k]}
  %first = slice(%x) {size = [k], start = [0], step = [1]}
  %sum = reduce_sum(%first) {axes = [0], keep_dims = false, order = "index"}
  return "first" = %first
  return "sum" = %sum
}
TEXT
cat >placed.ir <<'TEXT'
graph "placed" fused {
  symbol n in [0, 1000]
  %x: f32[5, 2] = input "x"
  %index: i64[n] = input "index"
  %updates: f32[n, 2] = input "updates"
  %y = scatter(%x, %index, %updates) {batch = 0, reduction = "sum"}
  return "y" = %y
}
TEXT
cat >endless.ir <<'TEXT'
graph "endless" fused {
  symbol n in [0, 1000]
  symbol turns in [0, 40] up to [40]
  %x: f32[n] = input "x"
  %limit: f32[] = input "limit"
  %any: bool[] = input "any"
  %y, %sums, %t = scan(%x, %limit, %any) {
    axes = [0], carried = 1, reversed = [0], trips = [40], turns = [turns],
    body = graph "step" fused {
      symbol n in [0, 1000]
      %i: i64[] = input "i"
      %h: f32[n] = input "h"
      %limit: f32[] = input "limit"
      %first: bool[] = input "first"
      %half: f32[] = constant {0.5}
      %next = mul(%h, %half)
      %sum = reduce_max(%next) {axes = [0], keep_dims = false, order = "index"}
      %more = gt(%sum, %limit)
      return "h" = %next
      return "sum" = %sum
      return "more" = %more
    }}
  return "y" = %y
  return "sums" = %sums
}
TEXT
for model in neighbours counted placed endless; do
  "$INGOT" compile $model.ir -o . --instrument=address >/dev/null
done
cat >main.cpp <<'TEXT'
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <initializer_list>
#include <memory>
#include <string>

#include "counted.h"
#include "endless.h"
#include "neighbours.h"
#include "placed.h"

namespace {

int failures = 0;

void expect(bool holds, const std::string& what) {
  if (holds) return;
  std::printf("failed: %s\n", what.c_str());
  ++failures;
}

/// Memory of exactly so many elements: one more is seen.
template <class T>
std::unique_ptr<T[]> exactly(std::size_t count) {
  return std::unique_ptr<T[]>(new T[count]());
}

template <class Model, class Sizes>
struct Space {
  explicit Space(const Model& model, const Sizes& sizes)
      : bytes(model.workspace_bytes(sizes)), memory(exactly<std::byte>(bytes)) {}
  std::size_t bytes;
  std::unique_ptr<std::byte[]> memory;
};

/// A NaN is farther than everything: it is nobody's neighbour where there are three others.
void neighbours_of_nan() {
  const neighbours::Model model;
  for (const std::size_t n : {3, 4, 17}) {
    for (std::size_t bad = 0; bad <= n; ++bad) {
      const neighbours::Sizes sizes{static_cast<std::int64_t>(n)};
      const auto x = exactly<float>(2 * n), mean = exactly<float>(2 * n);
      const auto places = exactly<std::int64_t>(3 * n);
      for (std::size_t i = 0; i < n; ++i) x[2 * i] = static_cast<float>(i);
      if (bad < n) x[2 * bad + 1] = NAN;
      Space space(model, sizes);
      const auto status = model.run(sizes, {{x.get(), 2 * n}}, {{mean.get(), 2 * n}, {places.get(), 3 * n}},
                                    {space.memory.get(), space.bytes});
      expect(status.ok(), "NaN among distances: " + std::string(status.message().c_str()));
      for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j < 3; ++j) {
          const auto place = static_cast<std::size_t>(places[3 * i + j]);
          expect(place < n, "a neighbour beyond the sequence");
          expect(n == 3 || i == bad || place != bad, "a NaN is a neighbour");
        }
      }
    }
  }
}

void too_short() {
  const neighbours::Model model;
  for (const std::int64_t n : {0, 1, 2, -1}) {
    const neighbours::Sizes sizes{n};
    const auto status = model.run(sizes, {{nullptr, 0}}, {{nullptr, 0}, {nullptr, 0}}, {nullptr, 0});
    expect(status.code() == INGOT_SYMBOL_OUT_OF_RANGE, "three neighbours among " + std::to_string(n) + ": " + status.message().c_str());
  }
}

void counts() {
  const counted::Model model;
  for (const std::size_t n : {0, 1, 5, 40}) {
    for (const std::int64_t count : {std::int64_t{0}, std::int64_t{1}, static_cast<std::int64_t>(n), static_cast<std::int64_t>(n) + 1,
                                     std::int64_t{-1}, INT64_MIN, INT64_MAX}) {
      const counted::Sizes sizes{static_cast<std::int64_t>(n)};
      const auto x = exactly<float>(n), first = exactly<float>(n), sum = exactly<float>(1);
      for (std::size_t i = 0; i < n; ++i) x[i] = 1;
      Space space(model, sizes);
      const auto status = model.run(sizes, {{x.get(), n}, {&count, 1}}, {{first.get(), n}, {sum.get(), 1}},
                                    {space.memory.get(), space.bytes});
      const bool good = count >= 0 && count <= static_cast<std::int64_t>(n);
      expect(status.ok() == good && (good || status.code() == INGOT_LIMIT_EXCEEDED),
             std::to_string(count) + " of " + std::to_string(n) + ": " + status.message().c_str());
      expect(!good || sum[0] == static_cast<float>(count), "the sum of a count");
    }
  }
}

void places() {
  const placed::Model model;
  for (const std::size_t n : {0, 1, 3, 18}) {
    for (const std::int64_t bad : {std::int64_t{0}, std::int64_t{4}, std::int64_t{5}, std::int64_t{-1}, INT64_MIN, INT64_MAX}) {
      const placed::Sizes sizes{static_cast<std::int64_t>(n)};
      const auto x = exactly<float>(10), updates = exactly<float>(2 * n), y = exactly<float>(10);
      const auto index = exactly<std::int64_t>(n);
      if (n > 0) index[n / 2] = bad;
      Space space(model, sizes);
      const auto status = model.run(sizes, {{x.get(), 10}, {index.get(), n}, {updates.get(), 2 * n}}, {{y.get(), 10}},
                                    {space.memory.get(), space.bytes});
      const bool good = n == 0 || (bad >= 0 && bad < 5);
      expect(status.ok() == good && (good || status.code() == INGOT_INDEX_OUT_OF_RANGE),
             "place " + std::to_string(bad) + ": " + status.message().c_str());
    }
  }
}

void loops() {
  const endless::Model model;
  for (const std::size_t n : {0, 1, 9}) {
    for (const float value : {1.0F, HUGE_VALF, -HUGE_VALF, NAN}) {
      for (const bool any : {true, false}) {
        const endless::Sizes sizes{static_cast<std::int64_t>(n)};
        const auto x = exactly<float>(n), y = exactly<float>(n), sums = exactly<float>(40);
        for (std::size_t i = 0; i < n; ++i) x[i] = value;
        const float limit = 0.01F;
        Space space(model, sizes);
        const auto status = model.run(sizes, {{x.get(), n}, {&limit, 1}, {&any, 1}}, {{y.get(), n}, {sums.get(), 40}},
                                      {space.memory.get(), space.bytes});
        const bool endless = any && n > 0 && value == HUGE_VALF;
        expect(status.ok() != endless && (!endless || status.code() == INGOT_LIMIT_EXCEEDED),
               "a loop over " + std::to_string(value) + ": " + status.message().c_str());
      }
    }
  }
}

}  // namespace

int main() {
  neighbours_of_nan();
  too_short();
  counts();
  places();
  loops();
  if (failures == 0) std::puts("hostile values end with their status, and nothing outside is touched");
  return failures == 0 ? 0 : 1;
}
TEXT
"$CXX" -std=c++17 -O1 -g1 -fsanitize=address -I. main.cpp neighbours.o counted.o placed.o endless.o -o main
isas=(v3)
grep -qm1 avx512vl /proc/cpuinfo && isas+=(v4)
for isa in "${isas[@]}"; do
  echo "$isa: $(INGOT_ISA=$isa ./main)"
done
