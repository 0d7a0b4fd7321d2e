// SPDX-License-Identifier: Apache-2.0
// The table of Keras' layers: layers.def, with a function for each that can be compiled.
#pragma once

#include <span>
#include <string_view>

#include "import/keras/context.h"

namespace ingot::keras {

/// What becomes of the mask of the first operand.
enum class MaskRule : std::uint8_t {
  pass,  // the result has it
  drop,
  own,  // the row says
};

struct Row {
  std::string_view name;
  /// Null: refused.
  Flows (*emit)(LayerContext&) = nullptr;
  MaskRule mask = MaskRule::drop;
  /// Null: no variables, and no layers within.
  Expected<void> (*describe)(LayerBuilder&) = nullptr;
  Refused kind = Refused::op;
  std::string_view reason = {}, advice = {};  // of what is refused; no advice: the usual

  bool read() const { return emit != nullptr; }
};

/// Other names lead to the row of the class itself. Null for what Keras does not have. `operation`:
/// a function of keras.ops, which may be called like a layer.
const Row* find_row(std::string_view class_name, bool operation = false);

/// `layers.def` as rows, aliases apart; and functions of keras.ops.
std::span<const Row> layer_rows();
std::span<const Row> operation_rows();
struct Alias {
  std::string_view name, of;
};
std::span<const Alias> aliases();

/// Whether a row is a model, whose layers are walked.
bool is_model(const Row& row);

}  // namespace ingot::keras
