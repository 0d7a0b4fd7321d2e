// SPDX-License-Identifier: Apache-2.0
// ONNX's recurrent layers: RNN, GRU and LSTM, in every direction.
#include <algorithm>
#include <cctype>

#include "import/compose_loop.h"
#include "import/onnx/node.h"

namespace ingot::onnx {
namespace {

using Cell = Recurrent::Cell;
using Activation = Recurrent::Activation;

std::int64_t gates_of(Cell cell) { return cell == Cell::lstm ? 4 : cell == Cell::gru ? 3 : 1; }
std::size_t activations_of(Cell cell) { return cell == Cell::lstm ? 3 : cell == Cell::gru ? 2 : 1; }

/// What an activation takes of the lists of numbers, and what it has without.
struct Numbers {
  std::string_view name;
  std::optional<double> alpha, beta;
};
constexpr Numbers numbers[] = {
    {"affine", 1.0, 0.0},    {"elu", 1.0, {}},         {"hardsigmoid", 0.2, 0.5},
    {"leakyrelu", 0.01, {}}, {"scaledtanh", 1.0, 1.0}, {"thresholdedrelu", 1.0, {}},
};

/// Of all directions, one after the other.
std::vector<Activation> read_activations(OnnxNode& n, Cell cell, std::size_t directions) {
  const std::size_t each = activations_of(cell);
  std::vector<std::string> names = n.texts("activations");
  if (names.empty()) {
    for (std::size_t d = 0; d < directions; ++d) {
      if (cell != Cell::simple) names.emplace_back("Sigmoid");
      names.emplace_back("Tanh");
      if (cell == Cell::lstm) names.emplace_back("Tanh");
    }
  }
  if (names.size() != each * directions) {
    n.invalid("{} activations given, {} wanted", names.size(), each * directions);
    return {};
  }
  const std::vector<double> alphas = n.reals("activation_alpha").value_or(std::vector<double>());
  const std::vector<double> betas = n.reals("activation_beta").value_or(std::vector<double>());
  std::size_t alpha = 0, beta = 0;
  std::vector<Activation> activations;
  for (std::string& name : names) {
    Activation activation;
    std::transform(name.begin(), name.end(), std::back_inserter(activation.name),
                   [](unsigned char letter) { return std::tolower(letter); });
    if (!is_activation(activation.name)) {
      n.unsupported(Refused::attribute, "activation '{}' is not one of ONNX's", name);
      return {};
    }
    for (const Numbers& known : numbers) {
      if (known.name != activation.name) continue;
      // Each takes the next numbers of the lists, as long as there are any.
      if (known.alpha) activation.alpha = alpha < alphas.size() ? alphas[alpha++] : *known.alpha;
      if (known.beta) activation.beta = beta < betas.size() ? betas[beta++] : *known.beta;
    }
    activations.push_back(std::move(activation));
  }
  return activations;
}

/// The operand of a direction, without that axis.
ValueId of_direction(OnnxNode& n, std::size_t input, std::size_t axis, std::int64_t direction) {
  return n.has_input(input) ? n.select(n.input(input), axis, direction) : ValueId{};
}

bool check_rank(OnnxNode& n, std::size_t input, std::size_t rank, std::string_view what) {
  if (!n.has_input(input) || n.rank(n.input(input)) == rank) return true;
  n.invalid("{} is of rank {}, not {}", what, n.rank(n.input(input)), rank);
  return false;
}

template <Cell cell>
Results recurrent_row(OnnxNode& n) {
  const bool batch_first = n.integer("layout", 0) != 0;
  const std::string direction = n.text("direction", "forward");
  const bool both = direction == "bidirectional";
  if (!both && direction != "forward" && direction != "reverse")
    return n.invalid("direction is '{}'", direction);
  const std::size_t directions = both ? 2 : 1;
  constexpr std::size_t lengths = 4, first_h = 5, first_c = 6, peepholes = 7;
  const bool lstm = cell == Cell::lstm;
  if (!check_rank(n, 0, 3, "X") || !check_rank(n, 1, 3, "W") || !check_rank(n, 2, 3, "R") ||
      !check_rank(n, 3, 2, "B") || !check_rank(n, lengths, 1, "sequence_lens") ||
      !check_rank(n, first_h, 3, "initial_h") ||
      (lstm && (!check_rank(n, first_c, 3, "initial_c") || !check_rank(n, peepholes, 2, "P"))))
    return ValueId{};

  const Dim wide = n.shape(n.input(2))[2];
  const std::optional<std::int64_t> hidden = wide.value();
  if (!hidden) return n.unsupported(Refused::known_size, "its hidden size is {}", wide.str());
  const std::int64_t stated = n.integer("hidden_size", *hidden);
  if (stated != *hidden)
    return n.invalid("hidden_size is {}, but R has {} columns", stated, *hidden);
  const std::int64_t rows = gates_of(cell) * *hidden;

  std::vector<Activation> activations = read_activations(n, cell, directions);
  Recurrent layer;
  layer.cell = cell;
  layer.clip = n.real("clip", 0);
  layer.linear_before_reset = cell == Cell::gru && n.flag("linear_before_reset", false);
  layer.input_forget = lstm && n.flag("input_forget", false);
  layer.wants_all = n.uses_output(0);
  layer.x = batch_first ? n.x() : n.transpose(n.x(), {1, 0, 2});
  layer.lengths = n.input(lengths);

  std::vector<ValueId> all, last_h, last_c;
  for (std::size_t d = 0; d < directions && !n.failed(); ++d) {
    const auto number = static_cast<std::int64_t>(d);
    const std::size_t each = activations_of(cell);
    const auto from = activations.begin() + static_cast<std::ptrdiff_t>(d * each);
    layer.activations.assign(from, from + static_cast<std::ptrdiff_t>(each));
    layer.reversed = direction == "reverse" || d == 1;
    layer.weights = n.transpose_matrix(of_direction(n, 1, 0, number));
    layer.recurrence = n.transpose_matrix(of_direction(n, 2, 0, number));
    if (const ValueId bias = of_direction(n, 3, 0, number); bias.valid()) {
      layer.bias = n.slice(bias, 0, 0, rows);
      layer.recurrence_bias = n.slice(bias, 0, rows, rows);
    }
    const std::size_t state_axis = batch_first ? 1 : 0;
    layer.h = of_direction(n, first_h, state_axis, number);
    if (lstm) layer.c = of_direction(n, first_c, state_axis, number);
    if (lstm) layer.peepholes = of_direction(n, peepholes, 0, number);
    const RecurrentResult result = recurrent(n, layer);
    if (n.failed()) return ValueId{};
    // [N, T, 1, H] and [1, N, H], or [N, 1, H]
    if (result.all.valid()) all.push_back(n.unsqueeze(result.all, {2}));
    const std::vector<std::int64_t> axis{static_cast<std::int64_t>(state_axis)};
    last_h.push_back(n.unsqueeze(result.h, axis));
    if (lstm) last_c.push_back(n.unsqueeze(result.c, axis));
  }
  if (n.failed()) return ValueId{};
  const std::size_t state_axis = batch_first ? 1 : 0;
  std::vector<ValueId> results;
  const ValueId h = n.concat(last_h, state_axis);
  if (all.empty()) {
    results.push_back(h);  // nobody reads it
  } else {
    const ValueId y = n.concat(all, 2);
    results.push_back(batch_first ? y : n.transpose(y, {1, 2, 0, 3}));
  }
  results.push_back(h);
  if (lstm) results.push_back(n.concat(last_c, state_axis));
  return results;
}

}  // namespace

void add_recurrent_rows(std::vector<OpRow>& rows) {
  // Before opset 14 there was no 'layout'; its default is what there was.
  rows.push_back({"RNN", 7, newest_opset, 3, 6, recurrent_row<Cell::simple>});
  rows.push_back({"GRU", 7, newest_opset, 3, 6, recurrent_row<Cell::gru>});
  rows.push_back({"LSTM", 7, newest_opset, 3, 8, recurrent_row<Cell::lstm>});
}

}  // namespace ingot::onnx
