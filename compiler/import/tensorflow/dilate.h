// SPDX-License-Identifier: Apache-2.0
// Dilated convolutions as TensorFlow writes them: SpaceToBatchND, a convolution, BatchToSpaceND.
#pragma once

#include <set>
#include <string>

namespace ingot::tensorflow {

class GraphDef;

/// Gives the convolution between such a pair its dilation, where both have the same block and
/// nothing else reads what is between them; nodes whose values are asked for are left alone. What
/// is left of the first one pads by the paddings less the crops (its attribute `_of_dilation`), of
/// the second one nothing. The extra padding that only makes sizes divisible by the block thus
/// cancels, whatever the size is.
void join_dilations(GraphDef& graph, const std::set<std::string>& asked_for);

}  // namespace ingot::tensorflow
