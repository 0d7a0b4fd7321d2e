// SPDX-License-Identifier: Apache-2.0
// The generators of kernels other than contractions. Each writes the code of one kernel at the
// emitter's place, between begin_kernel() and end_kernel().
#pragma once

#include "target/emitter.h"

namespace ingot::target {

void emit_map(Emitter& emitter, const plan::Kernel& kernel, const plan::Map& map);
void emit_row(Emitter& emitter, const plan::Kernel& kernel, const plan::Row& row);
void emit_ordered_reduce(Emitter& emitter, const plan::Kernel& kernel,
                         const plan::OrderedReduce& reduce);
void emit_scatter(Emitter& emitter, const plan::Kernel& kernel, const plan::Scatter& scatter);
void emit_top_k(Emitter& emitter, const plan::Kernel& kernel, const plan::TopK& top);
void emit_compact(Emitter& emitter, const plan::Kernel& kernel, const plan::Compact& compact);

}  // namespace ingot::target
