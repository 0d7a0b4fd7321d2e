// SPDX-License-Identifier: Apache-2.0
// Builds the scalar program of a kernel, or of one stage of it, from graph values.
#pragma once

#include <functional>
#include <map>

#include "ops/window.h"
#include "plan/cluster.h"
#include "plan/storage.h"

namespace ingot::plan {

class BodyBuilder {
 public:
  /// `internal` gives the step of a value that the kernel itself has computed elsewhere (the
  /// product, a reduction, a kept element); none: the value's node is computed here.
  using Internal = std::function<std::optional<Step>(ValueId)>;

  /// `rows`: the space is that of whole rows, [rows.., 1], and values of shape [rows..] belong to
  /// it.
  BodyBuilder(const Graph& graph, const Clusters& clusters, Storage& storage, Plan& plan, int group,
              Shape space, Internal internal, bool rows)
      : graph_(graph),
        clusters_(clusters),
        storage_(storage),
        plan_(plan),
        group_(group),
        space_(std::move(space)),
        internal_(std::move(internal)),
        rows_(rows) {
    for (std::uint32_t d = 0; d < space_.size(); ++d) frame_.push_back(d);
  }

  /// The step that has the value at each point of the space.
  Expected<std::uint32_t> step(ValueId value);
  /// The same of a value that is aligned with the space at the left.
  Expected<std::uint32_t> step_of_first_axes(ValueId value);
  Step step_at(std::uint32_t index) const { return body.steps[index]; }
  /// The step that has the elements of a window's operand: the space's first dimensions are those
  /// of the value, as output positions, and dimension taps[d], if any, walks the taps of its axis
  /// d.
  Expected<std::uint32_t> window_step(ValueId value, const std::vector<ops::WindowAxis>& axes,
                                      const std::vector<std::optional<std::uint32_t>>& taps);
  /// Stores the value of a step to where the value lies.
  Store store(ValueId value, std::uint32_t step) const;

  /// The elements of a value in memory, as the space walks them: aligned at the right.
  View view(ValueId value);
  View aligned(const Shape& shape, BufferId buffer, Dim offset,
               const std::vector<Dim>& strides) const;

  Body body;
  std::vector<View> loads;

 private:
  std::uint32_t push(Step step);
  Expected<std::uint32_t> leaf(ValueId value);
  Expected<std::uint32_t> gather(const Node& node);
  std::uint32_t load(View view, DType dtype);
  /// The integer offset + sum of strides * coordinates.
  std::uint32_t affine(const View& walk, DType dtype);
  /// Where a value lies that is in memory.
  Location place(ValueId value);
  Location place(const Access& access, ValueId value);
  Expected<std::uint32_t> sizes(const Node& node);
  std::uint32_t size(const Dim& value, DType dtype);
  std::uint32_t apply(std::string_view op, DType dtype, std::vector<std::uint32_t> operands);

  const Graph& graph_;
  const Clusters& clusters_;
  Storage& storage_;
  Plan& plan_;
  int group_;
  Shape space_;
  Internal internal_;
  bool rows_;
  /// The dimensions of the space that a value's axes are aligned with, at the right. The indices of
  /// a gather are aligned with the dimensions that they choose for: those of its batch and some in
  /// the middle.
  using Frame = std::vector<std::uint32_t>;
  Frame frame_;
  std::map<std::pair<ValueId, Frame>, std::uint32_t> known_;
};

}  // namespace ingot::plan
