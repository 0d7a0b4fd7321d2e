// SPDX-License-Identifier: Apache-2.0
// The interpreter: what a graph means, node by node, roundings included. Slow and obvious. It knows
// nothing of plans and machine code, so that these can be checked against it.
#pragma once

#include <span>
#include <vector>

#include "ir/graph.h"

namespace ingot {

/// The symbols' values that follow from the inputs' shapes, beside those given. An error names the
/// symbol that is missing, contradicted or out of its range, or the constraint that is broken.
Expected<SymbolValues> bind_symbols(const Graph& graph, std::span<const Tensor> inputs,
                                    SymbolValues given = {});

/// The outputs for inputs in the graph's order. Inputs must be of the right type and of the shape
/// that `symbols` gives them. `known` (may be null) receives all symbols, measured ones as they came
/// out; those of loops' iterations are not among them.
Expected<std::vector<Tensor>> interpret(const Graph& graph, std::span<const Tensor> inputs,
                                        const SymbolValues& symbols,
                                        SymbolValues* known = nullptr);

/// After a node was evaluated: if it measures a symbol, its last result is that symbol's value. An
/// error where it is out of its range or above its bound, or breaks a constraint.
Expected<void> measure(const Graph& graph, const Node& node, const Tensor& size,
                       SymbolValues& symbols);

/// The first constraint that the symbols' values break, as an error; not looked at are those with
/// symbols that have no value yet.
Expected<void> check_constraints(std::span<const Constraint> constraints,
                                 const SymbolValues& symbols);

/// A shape as numbers; negative sizes are an error.
Expected<std::vector<std::int64_t>> evaluate_shape(const Shape& shape, const SymbolValues& symbols);

/// One node on given operands; the constant folder uses it.
Expected<std::vector<Tensor>> evaluate_node(const Graph& graph, const Node& node,
                                            std::span<const Tensor* const> inputs,
                                            const SymbolValues& symbols);

}  // namespace ingot
