// SPDX-License-Identifier: Apache-2.0
// Sign bits as Keras's argmax asks for them: numbers seen as integers, of which only the first bit
// counts.
#pragma once

namespace ingot::tensorflow {

class GraphDef;

/// Less(BitwiseAnd(Bitcast(x), lowest integer), 0) becomes x < 0 or 1 / x < 0, which is the same
/// for all numbers, zeros among them; a NaN has no sign here.
void write_sign_bits(GraphDef& graph);

}  // namespace ingot::tensorflow
