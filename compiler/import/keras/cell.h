// SPDX-License-Identifier: Apache-2.0
// The cells of recurrent layers: what one step computes.
#pragma once

#include <functional>

#include "import/keras/context.h"

namespace ingot::keras {

/// Gives a value of the graph around as one of the composer that a step is written with.
using Inside = std::function<ValueId(ValueId)>;

class Cell {
 public:
  /// A SimpleRNNCell, GRUCell or LSTMCell, or a StackedRNNCells of these. Others are refused.
  static std::vector<Cell> read(LayerContext& n, const Layer& cell);

  std::size_t states() const { return lstm() ? 2 : 1; }
  const Dim& units() const { return units_; }
  /// What of a step hangs on its input alone, [.., units * gates]; of all steps at once, or of one.
  ValueId project(Composer& c, const Inside& inside, ValueId x) const;
  /// The new states, of which the first is the result, too.
  std::vector<ValueId> step(Composer& c, const Inside& inside, ValueId projected,
                            const std::vector<ValueId>& states) const;

 private:
  Cell(LayerContext& n, const Layer& cell);
  bool lstm() const { return cell_->class_name == "LSTMCell"; }
  bool gru() const { return cell_->class_name == "GRUCell"; }
  ValueId activated(Composer& c, std::string_view key, ValueId x) const;
  ValueId gru_step(Composer& c, const Inside& inside, ValueId projected, ValueId h) const;

  LayerContext* n_;
  const Layer* cell_;
  Dim units_;
  bool reset_after_ = true;
  ValueId kernel_, recurrence_, bias_, recurrence_bias_;
  ValueId gates_, candidate_;  // of the recurrence, where they are apart
};

}  // namespace ingot::keras
