// SPDX-License-Identifier: Apache-2.0
// The functions that layers.def names, a file for each family, and what families share.
#pragma once

#include "import/keras/table.h"

namespace ingot::keras {

#define INGOT_KERAS_LAYER(name, emit, mask) Flows emit(LayerContext&);
#define INGOT_KERAS_LAYER_WITH(name, emit, mask, describe) \
  Flows emit(LayerContext&);                               \
  Expected<void> describe(LayerBuilder&);
#define INGOT_KERAS_ALIAS(name, of)
#define INGOT_KERAS_REFUSED(name, kind, reason, advice)
#include "import/keras/layers.def"
#undef INGOT_KERAS_LAYER
#undef INGOT_KERAS_LAYER_WITH
#undef INGOT_KERAS_ALIAS
#undef INGOT_KERAS_REFUSED

/// Of a layer whose class says 1D, 2D or 3D; else 1.
std::size_t positions_of(const LayerContext& n);

/// Windows, strides and dilations beyond this are no model; below, sums of them do not overflow.
constexpr std::int64_t most_of_window = std::int64_t{1} << 24;

struct Windows {
  ValueId x;  // padded with `fill` where a size decides how much
  WindowAxes axes;
};
/// Of a value [batch, positions.., channels], by the setting `padding`.
Windows read_windows(LayerContext& n, ValueId x, const std::vector<std::int64_t>& taps,
                     const std::vector<std::int64_t>& strides,
                     const std::vector<std::int64_t>& dilations, ValueId fill);

}  // namespace ingot::keras
