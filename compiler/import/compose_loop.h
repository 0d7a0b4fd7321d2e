// SPDX-License-Identifier: Apache-2.0
// Builds a scan (ops/loop.h): what an importer finds repeated, and the recurrent layers.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "import/compose_measured.h"

namespace ingot {

/// A scan while its body is being written. First all that is carried, then all that is sliced is
/// told, then the body is built from what they give; what stays the same can be asked for at any
/// time after. A failure within the body becomes one of the composer around it.
class LoopBuilder {
 public:
  LoopBuilder(Composer& around, const std::string& name, Dim trips);

  /// The composer of the body.
  Composer& body() { return body_; }
  /// The iteration's number, i64[].
  ValueId number() const { return number_; }
  /// Each of these gives the body's value of what is a value around it.
  ValueId carry(ValueId start, const std::string& name);
  ValueId slice(ValueId whole, std::size_t axis, bool reversed, const std::string& name);
  ValueId same(ValueId value);

  /// Values of the body: what is carried on, in the order of carry(), and what is stacked along
  /// `axis` of the result.
  void next(ValueId value) { next_.push_back(value); }
  void stack(ValueId value, std::size_t axis, bool reversed);

  /// Makes it a loop with a condition and at most `trips` iterations: `first`, a value around it,
  /// says whether there is one, `more`, of the body, whether there is another; both bool[]. Gives
  /// the number of iterations.
  Dim until(ValueId first, ValueId more);

  /// The scan's results: what was carried at the end, then what was stacked; with a condition, how
  /// many iterations there were.
  std::vector<ValueId> finish();

 private:
  ValueId add_input(const std::string& name, const TensorType& type);

  Composer& around_;
  Dim trips_;
  Graph graph_;
  Composer body_;
  ValueId number_;
  std::vector<ValueId> carried_, sliced_, same_, next_, stacked_;
  std::map<ValueId, ValueId> known_;
  ValueId first_, more_;
  std::string turns_;  // of a loop with a condition
  std::vector<std::int64_t> slice_axes_, slices_reversed_, stack_axes_, stacks_reversed_;
};

/// One direction of an RNN, GRU or LSTM, as ONNX defines them; gates in ONNX's order, z r h and
/// i o f c.
struct Recurrent {
  enum class Cell : std::uint8_t { simple, gru, lstm };
  struct Activation {
    std::string name;  // in lower case: "sigmoid", "tanh", "relu", "affine", ..
    double alpha = 0, beta = 0;
  };
  Cell cell = Cell::simple;
  std::vector<Activation> activations;  // f, then g (GRU, LSTM), then h (LSTM)
  double clip = 0;                      // of what activations are given; 0: not
  bool linear_before_reset = false;
  bool input_forget = false;
  bool reversed = false;
  bool wants_all = true;  // the states after all steps, not just after the last one

  ValueId x;                      // [N, T, inputs]
  ValueId weights;                // [inputs, gates * H]
  ValueId recurrence;             // [H, gates * H]
  ValueId bias, recurrence_bias;  // [gates * H], or invalid: none
  ValueId lengths;                // [N] of integers, or invalid: all have T steps
  ValueId h, c;                   // [N, H] at the beginning, or invalid: zeros
  ValueId peepholes;              // [3 * H], i o f, or invalid: none
};
struct RecurrentResult {
  ValueId all;  // [N, T, H]; zero beyond a row's length
  ValueId h, c;
};
RecurrentResult recurrent(Composer& composer, const Recurrent& layer);
/// The activations that a layer can have.
bool is_activation(std::string_view name);

}  // namespace ingot
