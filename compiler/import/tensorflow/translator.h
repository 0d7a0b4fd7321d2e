// SPDX-License-Identifier: Apache-2.0
// What translates nodes, one by one or as a loop.
#pragma once

#include <vector>

#include "import/compose_loop.h"
#include "import/tensorflow/loops.h"
#include "import/tensorflow/translate.h"

namespace ingot::tensorflow {

class Translator {
 public:
  Translator(Graph& graph, const Topology& topology, const Selection& selection, const Loops& loops,
             const Library& library, Values& values, Survey& survey)
      : graph_(graph),
        topology_(topology),
        selection_(selection),
        loops_(loops),
        library_(library),
        values_(values),
        survey_(survey),
        blocked_(topology.size()),
        done_(loops.all().size()) {}

  /// All selected nodes.
  Expected<void> run();

 private:
  Expected<void> translate(std::uint32_t node);
  Expected<void> constant(std::uint32_t node);
  Expected<void> branch(std::uint32_t node);
  Expected<void> join(std::uint32_t node);
  Expected<void> forward(std::uint32_t node, Wire from, std::size_t outputs);
  Wire origin(Wire wire) const;
  Refusal refusal_of_output(Wire wire) const;

  // ---- loops, in translate_loop.cpp ----

  /// The scan of a loop, when all that goes into it has a value.
  Expected<void> loop(const Loop& loop);
  /// The number of its turns; none: it depends on data.
  Expected<std::optional<Dim>> turns(const Loop& loop);
  /// A value of the loop that is the same in all turns, computed around it; invalid: it is not.
  Expected<ValueId> unchanging(const Loop& loop, Wire wire);
  /// Values of the loop's body, from those around it.
  Expected<void> fill(const Loop& loop, const Dim& turns, Composer& around, LoopBuilder& builder,
                      Values& inside);
  Expected<void> leave(const Loop& loop, const Dim& turns, const std::vector<ValueId>& results);
  /// A value around the loop, in its body.
  ValueId same(LoopBuilder& builder, ValueId value);
  /// A node of a tensor array outside of a loop; what a flow carries is the array's tensor.
  Expected<void> array(std::uint32_t node);
  /// The same of a tensor list.
  Expected<void> list(std::uint32_t node);
  /// Indices that are 0, 1, .. to the end of an axis of this size.
  bool are_all(ValueId indices, const Dim& size) const;

  OpUse& use(std::uint32_t node) { return survey_.ops[std::string(topology_.op(node))]; }
  void block(std::uint32_t node);
  void refuse(std::uint32_t node, Refusal refusal);
  void refuse(std::uint32_t node, const RefusedOp& row);
  Error invalid(std::uint32_t node, std::string_view what) const;
  Expected<void> failure(std::uint32_t node, const Error& error, Refusal refusal);

  Graph& graph_;
  const Topology& topology_;
  const Selection& selection_;
  const Loops& loops_;
  const Library& library_;
  Values& values_;
  Survey& survey_;
  std::vector<bool> blocked_;
  std::vector<bool> done_;  // by loop
  std::int64_t expansion_budget_ = std::int64_t{256} << 20;
};

}  // namespace ingot::tensorflow
