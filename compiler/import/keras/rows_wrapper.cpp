// SPDX-License-Identifier: Apache-2.0
// Layers around other layers: both directions of a recurrent one, and one for each step.
#include <algorithm>

#include "import/keras/rows.h"

namespace ingot::keras {

/// Keras 2 says of one direction, and makes the other from it. Both give zeros where a step is
/// masked, if all steps are wanted, whatever the layers themselves say.
Expected<void> has_two_directions(LayerBuilder& b) {
  Json forward = b.setting("layer"), backward = b.setting("backward_layer");
  if (!forward.is_object() || !member(forward, "config").is_object())
    return fail(ErrorCode::invalid_model, "layer '{}' (Bidirectional) does not say of which layer",
                b.layer().name);
  if (!backward.is_object() || !member(backward, "config").is_object()) {
    backward = forward;
    Json& config = backward["config"];
    config["go_backwards"] = member(config, "go_backwards") != true;
  }
  for (auto* direction : {&forward, &backward}) {
    Json& config = (*direction)["config"];
    config["zero_output_for_mask"] = member(config, "return_sequences") == true;
  }
  INGOT_TRY(b.made_part("forward_layer", std::move(forward)));
  return b.made_part("backward_layer", std::move(backward));
}

Flows bidirectional(LayerContext& n) {
  const Layer& first = *n.layer().part("forward_layer");
  const Layer& second = *n.layer().part("backward_layer");
  Call one = n.call(), other = n.call();
  // Half of the states are each one's.
  auto share = [](Flows& all, std::size_t begin, bool lower) {
    const auto half = static_cast<std::ptrdiff_t>(begin + (all.size() - begin) / 2);
    const auto start = static_cast<std::ptrdiff_t>(begin);
    lower ? all.erase(all.begin() + half, all.end())
          : all.erase(all.begin() + start, all.begin() + half);
  };
  for (auto [call, lower] : {std::pair(&one, true), std::pair(&other, false)}) {
    if (const auto states = call->named.find("initial_state"); states != call->named.end())
      share(states->second.flows, 0, lower);
    if (!call->positional.empty() && call->positional[0].flows.size() > 1)
      share(call->positional[0].flows, 1, lower);
  }
  Flows forward = n.run(first, std::move(one)), backward = n.run(second, std::move(other));
  if (n.failed()) return {};
  ValueId a = forward[0].value, b = backward[0].value;
  const bool all = first.flag("return_sequences", false);
  if (all) b = n.strided_slice(b, 1, std::nullopt, std::nullopt, -1);
  const std::string mode = n.has("merge_mode") ? n.text("merge_mode", "concat") : "none";
  Flows flows;
  if (mode == "none") {
    flows = {{a, forward[0].mask}, {b, forward[0].mask}};
  } else {
    ValueId y;
    if (mode == "concat") {
      y = n.failed() ? ValueId{} : n.concat({a, b}, n.rank(a) - 1);
    } else if (mode == "sum" || mode == "ave") {
      y = n.add(a, b);
      if (mode == "ave") y = n.mul(y, n.number(0.5, y));
    } else if (mode == "mul") {
      y = n.mul(a, b);
    } else {
      n.invalid("its merge_mode is '{}'", mode);
    }
    flows = {{y, forward[0].mask}};
  }
  flows.insert(flows.end(), forward.begin() + 1, forward.end());
  flows.insert(flows.end(), backward.begin() + 1, backward.end());
  return flows;
}

Expected<void> has_layer(LayerBuilder& b) { return b.part("layer", b.setting("layer")); }

/// All steps of all rows are rows of one call: layers do not mix rows in inference.
Flows time_distributed(LayerContext& n) {
  const ValueId x = n.x(2);
  if (n.failed()) return {};
  const Dim rows = n.shape(x)[0], steps = n.shape(x)[1];
  auto joined = [&](ValueId value) {
    Shape shape = n.shape(value);
    shape.erase(shape.begin());
    shape[0] = rows * steps;
    return n.reshape(value, shape);
  };
  Flow step{joined(x)};
  if (n.mask().valid() && n.rank(n.mask()) > 2) step.mask = joined(n.mask());
  Flows flows = n.run(*n.layer().part("layer"), Flows{step});
  for (Flow& flow : flows) {
    if (n.failed()) return {};
    Shape shape = n.shape(flow.value);
    if (shape.empty()) return {{n.invalid("the layer within it gives a number, not a row")}};
    shape[0] = steps;
    shape.insert(shape.begin(), rows);
    flow.value = n.reshape(flow.value, shape);
    flow.mask = {};
  }
  return flows;
}

}  // namespace ingot::keras
