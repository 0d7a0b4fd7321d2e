// SPDX-License-Identifier: Apache-2.0
// A product and the pointwise ops behind it, as join_products compares them.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "ir/graph.h"

namespace ingot::passes {

/// A product by constant weights, and the pointwise ops into which nothing flows but its results
/// and constants that are the same for each row: one number, or one per column.
struct Branch {
  struct Step {
    const Node* node;
    std::vector<int> operands;  // which step computes it; constant: a constant
  };
  static constexpr int constant = -1;
  std::vector<Step> steps;          // the product first, then in the order of the graph
  std::map<ValueId, int> computed;  // which step

  const Node& product() const { return *steps[0].node; }
  ValueId value(std::size_t step) const { return steps[step].node->outputs[0]; }
  std::int64_t columns(const Graph& graph) const {
    return *graph.type(value(0)).shape.back().value();
  }
};

/// What is known of all values that branches are asked about.
class BranchFinder {
 public:
  explicit BranchFinder(const Graph& graph);

  /// The branch that starts at a product; none if the node is no product that could be joined.
  std::optional<Branch> find(const Node& product) const;

  /// Who reads a result outside the branch.
  struct Readers {
    /// Some reader wants the columns by themselves, and would need another kernel, or one that
    /// reads more, if they were a part of wider rows.
    bool apart = false;
    /// The one reader is a concatenation of columns: all is well if the others stand beside it.
    const Node* joins = nullptr;
  };
  Readers readers(const Branch& branch, std::size_t step) const;

 private:
  bool is_per_column(ValueId value, const TensorType& type) const;
  bool reads_in_place(ValueId value) const;

  const Graph& graph_;
  std::vector<std::vector<NodeId>> uses_;
  std::vector<bool> is_output_;
};

/// Whether two branches are the same but for the numbers of their constants and for how many
/// columns they have.
bool same_form(const Graph& graph, const Branch& a, const Branch& b);

}  // namespace ingot::passes
