// SPDX-License-Identifier: Apache-2.0
#include "import/keras/table.h"

#include <algorithm>

#include "import/keras/rows.h"

namespace ingot::keras {
namespace {

constexpr Row rows[] = {
#define INGOT_KERAS_LAYER(name, emit, mask) {#name, emit, MaskRule::mask},
#define INGOT_KERAS_LAYER_WITH(name, emit, mask, describe) {#name, emit, MaskRule::mask, describe},
#define INGOT_KERAS_ALIAS(name, of)
#define INGOT_KERAS_REFUSED(name, kind, reason, advice) \
  {#name, nullptr, MaskRule::drop, nullptr, Refused::kind, reason, advice},
#include "import/keras/layers.def"
#undef INGOT_KERAS_LAYER
#undef INGOT_KERAS_LAYER_WITH
#undef INGOT_KERAS_ALIAS
#undef INGOT_KERAS_REFUSED
};

constexpr Alias other_names[] = {
#define INGOT_KERAS_LAYER(name, emit, mask)
#define INGOT_KERAS_LAYER_WITH(name, emit, mask, describe)
#define INGOT_KERAS_ALIAS(name, of) {#name, #of},
#define INGOT_KERAS_REFUSED(name, kind, reason, advice)
#include "import/keras/layers.def"
#undef INGOT_KERAS_LAYER
#undef INGOT_KERAS_LAYER_WITH
#undef INGOT_KERAS_ALIAS
#undef INGOT_KERAS_REFUSED
};

template <class Rows>
const auto* find_named(const Rows& all, std::string_view name) {
  const auto found = std::find_if(std::begin(all), std::end(all),
                                  [&](const auto& one) { return one.name == name; });
  return found == std::end(all) ? nullptr : &*found;
}

}  // namespace

const Row* find_row(std::string_view class_name, bool operation) {
  if (operation) return find_named(operation_rows(), class_name);
  if (const Alias* alias = find_named(other_names, class_name)) class_name = alias->of;
  return find_named(rows, class_name);
}

std::span<const Row> layer_rows() { return rows; }
std::span<const Alias> aliases() { return other_names; }

bool is_model(const Row& row) { return row.emit == model; }

Expected<void> has_layers(LayerBuilder& b) { return b.parts("layers", b.setting("layers")); }

/// Models are walked (walk.h), not emitted.
Flows model(LayerContext& n) {
  n.unsupported(Refused::op, "a model where a layer should be");
  return {};
}

Flows input_layer(LayerContext& n) { return {{n.x()}}; }

}  // namespace ingot::keras
