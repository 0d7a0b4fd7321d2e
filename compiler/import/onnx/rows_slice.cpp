// SPDX-License-Identifier: Apache-2.0
// ONNX ops that take tensors apart and put them together: Slice, Split,
// Concat.
#include <numeric>

#include "import/compose_measured.h"
#include "import/onnx/node.h"
#include "ops/shape_arithmetic.h"

namespace ingot::onnx {
namespace {

Results concat(OnnxNode& n) {
  if (!n.has("axis")) return n.invalid("attribute 'axis' is missing");
  const std::size_t axis = n.axis(n.integer("axis", 0), n.rank(n.x()));
  return n.concat(n.inputs(), axis);
}

ValueId slice_axes(OnnxNode& n, const std::vector<Dim>& starts, const std::vector<Dim>& ends,
                   const std::optional<std::vector<std::int64_t>>& axes,
                   const std::optional<std::vector<std::int64_t>>& steps) {
  if (n.failed()) return {};
  const std::size_t count = starts.size();
  if (ends.size() != count || (axes && axes->size() != count) ||
      (steps && steps->size() != count) || (!axes && count > n.rank(n.x()))) {
    return n.invalid("its starts, ends, axes and steps differ in number");
  }
  ValueId x = n.x();
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t axis = n.axis(axes ? (*axes)[i] : static_cast<std::int64_t>(i), n.rank(x));
    x = n.strided_slice(x, axis, starts[i], ends[i], steps ? (*steps)[i] : 1);
  }
  return x;
}

Results slice_attributes(OnnxNode& n) {
  const auto starts = n.integers("starts");
  const auto ends = n.integers("ends");
  const auto axes = n.integers("axes");
  if (!starts || !ends) return n.failed() ? ValueId{} : n.invalid("starts or ends are missing");
  return slice_axes(n, std::vector<Dim>(starts->begin(), starts->end()),
                    std::vector<Dim>(ends->begin(), ends->end()), axes, std::nullopt);
}

/// Places that come from data, of axes and by steps that do not.
ValueId slice_by_data(OnnxNode& n, const std::vector<std::int64_t>& axes,
                      const std::vector<std::int64_t>& steps) {
  ValueId x = n.x();
  for (std::size_t i = 0; i < axes.size() && !n.failed(); ++i) {
    auto place = [&](std::size_t input) {
      return n.reshape(
          n.slice(n.cast(n.input(input), DType::i64), 0, static_cast<std::int64_t>(i), 1), {});
    };
    x = ingot::slice_by_data(n, x, n.axis(axes[i], n.rank(x)), place(1), place(2), steps[i]);
  }
  return x;
}

Results slice_inputs(OnnxNode& n) {
  const bool known =
      ops::known_dims(n.graph(), n.input(1)) && ops::known_dims(n.graph(), n.input(2));
  const std::optional<std::int64_t> count =
      n.rank(n.input(1)) == 1 ? n.shape(n.input(1))[0].value() : std::nullopt;
  if (!known && count) {
    const auto listed = [&](std::size_t input, std::string_view what,
                            std::vector<std::int64_t> otherwise) {
      if (n.has_input(input)) otherwise = n.known_integers(input, what).value_or(otherwise);
      return otherwise;
    };
    std::vector<std::int64_t> all(static_cast<std::size_t>(*count));
    std::iota(all.begin(), all.end(), 0);
    const std::vector<std::int64_t> ones(all.size(), 1);
    const auto axes = listed(3, "axes", all), steps = listed(4, "steps", ones);
    if (axes.size() != all.size() || steps.size() != all.size())
      return n.invalid("its starts, ends, axes and steps differ in number");
    return slice_by_data(n, axes, steps);
  }
  const auto starts = n.known_dims(1, "starts");
  const auto ends = n.known_dims(2, "ends");
  std::optional<std::vector<std::int64_t>> axes, steps;
  if (n.has_input(3)) axes = n.known_integers(3, "axes");
  if (n.has_input(4)) steps = n.known_integers(4, "steps");
  if (n.failed()) return ValueId{};
  return slice_axes(n, *starts, *ends, axes, steps);
}

Results split(OnnxNode& n) {
  const std::size_t axis = n.axis(n.integer("axis", 0), n.rank(n.x()));
  if (n.failed()) return ValueId{};
  const Dim length = n.shape(n.x())[axis];
  const std::size_t parts = n.output_count();
  std::vector<Dim> sizes;
  if (n.has_input(1)) {
    auto given = n.known_dims(1, "split");
    if (!given) return ValueId{};
    sizes = *std::move(given);
  } else if (const auto given = n.integers("split")) {
    sizes.assign(given->begin(), given->end());
  } else {
    // Equal parts; from opset 18 on the last one may be smaller.
    const auto count = static_cast<std::int64_t>(parts);
    const Dim part = Dim::exact_div(length, count).value_or(Dim::ceil_div(length, count));
    sizes.assign(parts, part);
    if (parts > 0) sizes.back() = length - part * Dim(count - 1);
  }
  if (sizes.size() != parts) return n.invalid("{} sizes for {} outputs", sizes.size(), parts);
  Dim sum;
  for (const Dim& size : sizes) {
    if (size.value() && *size.value() < 0) return n.invalid("a part of size {}", *size.value());
    sum += size;
  }
  const Expected<void> fits = n.graph().require(
      {length, Constraint::Relation::equal, sum, "the parts of a Split and the whole"});
  if (!fits) return n.fail_with(fits.error());
  std::vector<ValueId> results;
  Dim start;
  for (const Dim& size : sizes) {
    results.push_back(n.slice(n.x(), axis, start, size));
    start += size;
  }
  return results;
}

}  // namespace

void add_slice_rows(std::vector<OpRow>& rows) {
  rows.insert(rows.end(), {
                              {"Concat", 6, newest_opset, 1, -1, concat},
                              {"Slice", 6, 9, 1, 1, slice_attributes},
                              {"Slice", 10, newest_opset, 3, 5, slice_inputs},
                              {"Split", 6, newest_opset, 1, 2, split},
                          });
}

}  // namespace ingot::onnx
