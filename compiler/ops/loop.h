// SPDX-License-Identifier: Apache-2.0
// scan: a graph again and again, once per entry of an axis. Its operands are
//
//     carried ..    what an iteration leaves to the next one, at the beginning
//     sliced ..     iteration t gets entry t of one axis (reversed: of the last entry first)
//     the same ..   for all iterations
//
// and its results what the last iteration has left, then one tensor per stacked result of the body,
// with an axis more than that has. The body's inputs are the iteration's number (i64, from 0), and
// what the operands give; its outputs are what is carried on, and the entries of what is stacked.
//
// With `turns`, a measured symbol, there are at most `trips` iterations: a last operand says whether
// there is a first one, a last output of the body whether there is another, both bool[], and a last
// result how many there were. That many entries have what is stacked, along the first axis. To want
// more than `trips` is an error.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "ir/op.h"

namespace ingot::ops {

/// What the attributes of a scan say.
struct Scan {
  explicit Scan(const Node& node);
  Scan(const Attributes& attributes, std::size_t operands);

  const Graph* body;
  Dim trips;
  /// Of a loop with a condition: the symbol that it measures.
  std::optional<std::string> turns;
  std::size_t carried, sliced, same, stacked;  // `same` counts the condition
  /// Of the sliced operands and then the stacked results: the axis, and whether the first iteration
  /// is at its end.
  struct Along {
    std::size_t axis;
    bool reversed;
  };
  std::vector<Along> along;

  const Along& of_operand(std::size_t slice) const { return along[slice]; }
  const Along& of_result(std::size_t stack) const { return along[sliced + stack]; }
  Dim entries() const { return turns ? Dim::symbol(*turns) : trips; }
  /// Inputs of the body: the number, then the carried ones, the slices, and what stays the same.
  ValueId body_input(std::size_t operand) const { return body->inputs()[1 + operand]; }
};

/// Evaluates a scan; `run` evaluates its body. Tensors may be of other element types than the
/// graph says (float64 for all floats), if `run` takes and gives such.
using RunBody = std::function<Expected<std::vector<Tensor>>(std::span<const Tensor>)>;
Expected<std::vector<Tensor>> run_scan(const EvaluateContext& context, const RunBody& run);

}  // namespace ingot::ops
