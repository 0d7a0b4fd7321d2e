// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "passes/pass.h"

namespace ingot::passes {

/// Tensordot, as Keras writes a dense layer on a tensor of more than two axes, becomes one product.
///
///     reshape(matmul(reshape(x, [.., k]), w, b), [x's other axes.., n])  ->  matmul(x, w, b)
///
/// Needs     sizes folded, reshapes of reshapes joined.
/// Skips     an inner product that somebody else reads too: the work would be done twice.
/// Numerics  exact: `chains` stays what it was at import.
Expected<Graph> recover_dense(const Graph& graph, Report& report);

inline constexpr PassInfo recover_dense_pass{
    .name = "recover-dense",
    .summary = "turn Tensordot (reshape, product, reshape) into one product",
    .numerics = Numerics::exact,
    .run = recover_dense,
};

}  // namespace ingot::passes
