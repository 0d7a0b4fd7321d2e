// SPDX-License-Identifier: Apache-2.0
// What translates nodes, one by one or as a loop.
#pragma once

#include <functional>
#include <set>
#include <vector>

#include "import/compose_loop.h"
#include "import/tensorflow/branches.h"
#include "import/tensorflow/translate.h"

namespace ingot::tensorflow {

/// Of one place: the graph itself, a turn of a loop, or a branch. Each that is within another has
/// values of its own, into which those around it are brought.
class Translator {
 public:
  /// What is known of the nodes before any is translated.
  struct Structure {
    const Topology& topology;
    const Selection& selection;
    const Loops& loops;
    const Branches& branches;
    const Library& library;
    std::int64_t expansion_budget = std::int64_t{256} << 20;
    /// Nodes translated in turns and branches, which are more often than there are nodes.
    std::size_t steps = 1'000'000;
  };
  Translator(Graph& graph, Structure& structure, Values& values, Survey& survey, int loop = -1,
             Branches::Place place = 0)
      : graph_(graph),
        structure_(structure),
        topology_(structure.topology),
        selection_(structure.selection),
        loops_(structure.loops),
        branches_(structure.branches),
        values_(values),
        survey_(survey),
        loop_(loop),
        place_(place) {}

  /// All selected nodes.
  Expected<void> run();

 private:
  /// Nodes of this place, with those of loops and branches within it.
  Expected<void> translate_all(std::vector<std::uint32_t> nodes);
  Expected<void> translate(std::uint32_t node);
  Expected<void> constant(std::uint32_t node);
  Expected<void> join(std::uint32_t node);
  Expected<void> forward(std::uint32_t node, Wire from, std::size_t outputs);
  Wire origin(Wire wire) const;
  Refusal refusal_of_output(Wire wire) const;

  // ---- what is within, in translate_within.cpp ----

  /// What values hang on: nodes for which `inside` and loops of such, and wires from elsewhere.
  struct Needed {
    std::vector<std::uint32_t> nodes;
    std::vector<Wire> outside;
  };
  using Inside = std::function<bool(std::uint32_t)>;
  Needed needed(std::vector<Wire> roots, int loop, const Inside& inside) const;
  /// The value of a wire here, behind nodes that hand it on; invalid where there is none (yet).
  ValueId value_of(Wire wire) const;
  /// Translates what these hang on, where it stands behind what is being translated.
  Expected<void> demand(const std::vector<Wire>& wires);
  bool is_blocked(Wire wire) const;
  /// Gives what is within the values from outside; false where one is blocked.
  using Bring = std::function<ValueId(ValueId)>;
  Expected<bool> bring(const std::vector<Wire>& outside, const Bring& bring, Values& inside);
  /// A value around a loop, in its body.
  ValueId same(LoopBuilder& builder, ValueId value) const;

  // ---- branches, in translate_branch.cpp ----

  Expected<void> join_branches(const Branches::Join& join);
  /// Of the branch that a predicate which is known takes: here, without a choice.
  Expected<void> take_branch(const Branches::Join& join, bool taken);
  Expected<void> both_branches(const Branches::Join& join, ValueId predicate);
  Needed branch_of(const Branches::Join& join, bool taken) const;
  void block_join(const Branches::Join& join);

  // ---- loops, in translate_loop.cpp ----

  struct LoopState;
  /// The scan of a loop, when all that goes into it has a value.
  Expected<void> loop(int number);
  /// The number of its turns that the counters' limits say; none: they depend on data.
  Expected<std::optional<Dim>> turns(const Loop& loop, bool& all);
  /// A value of the loop that is the same in all turns, computed around it; invalid: it is not.
  Expected<ValueId> unchanging(const Loop& loop, Wire wire);
  Expected<bool> begin(LoopState& state);
  Expected<void> read_entries(LoopState& state);
  Expected<bool> turn(LoopState& state);
  Expected<bool> condition(LoopState& state);
  Expected<void> leave(LoopState& state, const std::vector<ValueId>& results);
  ValueId whole_array(LoopState& state, const Loop::Variable& variable, ValueId filled);
  /// What an array that turns write in any order begins as; invalid where that is not known.
  Expected<ValueId> first_array(LoopState& state, const Loop::Variable& variable);
  void block_loop(const Loop& loop);

  // ---- arrays, in translate_array.cpp ----

  /// A node of a tensor array outside of a loop; what a flow carries is the array's tensor.
  Expected<void> array(std::uint32_t node);
  /// The same of a tensor list.
  Expected<void> list(std::uint32_t node);
  /// The node that makes an array, behind nodes that hand it on.
  Wire maker_of(Wire array) const;
  /// What the maker of an array says of its entries, if that is all of their type.
  std::optional<TensorType> entry_type(Wire maker);
  /// An array of zeros; invalid where its length depends on data.
  ValueId new_array(Composer& composer, Wire maker, const TensorType& entry);
  /// A node that writes an entry outside of what `loop` stacks.
  Expected<void> write_entry(std::uint32_t node);
  /// Indices that are 0, 1, .. to the end of an axis of this size.
  bool are_all(ValueId indices, const Dim& size) const;

  OpUse& use(std::uint32_t node) { return survey_.ops[std::string(topology_.op(node))]; }
  void block(std::uint32_t node);
  void refuse(std::uint32_t node, Refusal refusal);
  void refuse(std::uint32_t node, const RefusedOp& row);
  Error invalid(std::uint32_t node, std::string_view what) const;
  Expected<void> failure(std::uint32_t node, const Error& error, Refusal refusal);

  Graph& graph_;
  Structure& structure_;
  const Topology& topology_;
  const Selection& selection_;
  const Loops& loops_;
  const Branches& branches_;
  Values& values_;
  Survey& survey_;
  int loop_;
  Branches::Place place_;
  std::set<std::uint32_t> blocked_;
  std::set<int> done_;            // loops
  std::set<std::size_t> joined_;  // joins of branches
};

/// What to do about a loop or an array that is not understood.
inline constexpr std::string_view loop_advice =
    "export the layer unrolled (unroll=True in Keras), or cut the loop out: --outputs before it, "
    "and a second model with --input after it";

}  // namespace ingot::tensorflow
