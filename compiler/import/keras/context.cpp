// SPDX-License-Identifier: Apache-2.0
#include "import/keras/context.h"

#include <cmath>

namespace ingot::keras {
namespace {

constexpr double most_integer = 9007199254740992.0;  // of what a double tells apart

std::optional<std::int64_t> whole(const Json& value) {
  if (value.is_number_unsigned() && value.get<std::uint64_t>() > INT64_MAX) return std::nullopt;
  if (value.is_number_integer()) return value.get<std::int64_t>();
  if (value.is_boolean()) return value.get<bool>() ? 1 : 0;
  if (!value.is_number_float()) return std::nullopt;
  const double number = value.get<double>();
  if (number != std::trunc(number) || std::abs(number) > most_integer) return std::nullopt;
  return static_cast<std::int64_t>(number);
}

std::optional<double> number_of(const Json& value) {
  if (value.is_number()) return value.get<double>();
  if (value.is_boolean()) return value.get<bool>() ? 1 : 0;
  return std::nullopt;
}

}  // namespace

LayerContext::LayerContext(Graph& graph, Surroundings& around, const Layer& layer, Call call,
                           Policy policy, std::string path)
    : Composer(graph, path.empty() ? layer.name : path + "/" + layer.name),
      around_(around),
      layer_(layer),
      call_(std::move(call)),
      policy_(policy),
      path_(std::move(path)) {
  for (const Argument& argument : call_.positional)
    inputs_.insert(inputs_.end(), argument.flows.begin(), argument.flows.end());
}

bool LayerContext::wrong(std::string_view key, std::string_view wanted) {
  invalid("its '{}' is {}, {} wanted", key, setting(key).dump(), wanted);
  return true;
}

std::int64_t LayerContext::integer(std::string_view key, std::int64_t otherwise) {
  if (!has(key)) return otherwise;
  const Json& value = setting(key);
  const auto number = whole(value.is_array() && value.size() == 1 ? value[0] : value);
  if (!number) wrong(key, "a whole number");
  return number.value_or(otherwise);
}

double LayerContext::real(std::string_view key, double otherwise) {
  if (!has(key)) return otherwise;
  const auto number = number_of(setting(key));
  if (!number) wrong(key, "a number");
  return number.value_or(otherwise);
}

std::string LayerContext::text(std::string_view key, const std::string& otherwise) {
  if (!has(key)) return otherwise;
  if (!setting(key).is_string()) {
    wrong(key, "a word");
    return otherwise;
  }
  return setting(key).get<std::string>();
}

std::vector<std::int64_t> LayerContext::integers(std::string_view key, std::size_t count,
                                                 std::int64_t otherwise) {
  if (!has(key)) return std::vector(count, otherwise);
  const Json& value = setting(key);
  if (!value.is_array()) return std::vector(count, integer(key, otherwise));
  std::vector<std::int64_t> numbers = list(key);
  if (numbers.size() == 1 && count > 1) numbers.resize(count, numbers[0]);
  if (numbers.size() != count) {
    wrong(key, fmt::format("{} numbers", count));
    return std::vector(count, otherwise);
  }
  return numbers;
}

std::vector<std::int64_t> LayerContext::list(std::string_view key) {
  const Json& value = setting(key);
  if (value.is_null()) return {};
  if (!value.is_array()) return {integer(key, 0)};
  std::vector<std::int64_t> numbers;
  for (const Json& one : value) {
    const auto number = whole(one);
    if (!number) {
      wrong(key, "whole numbers");
      return {};
    }
    numbers.push_back(*number);
  }
  return numbers;
}

std::vector<double> LayerContext::reals(std::string_view key) {
  const Json& value = setting(key);
  std::vector<double> numbers;
  if (value.is_null()) return numbers;
  if (!value.is_array()) return {real(key, 0)};
  for (const Json& one : value) {
    const auto number = number_of(one);
    if (!number) {
      wrong(key, "numbers");
      return {};
    }
    numbers.push_back(*number);
  }
  return numbers;
}

bool LayerContext::has_channels_first() {
  const std::string format = text("data_format", "channels_last");
  if (format != "channels_first" && format != "channels_last") wrong("data_format", "a layout");
  return format == "channels_first";
}

ValueId LayerContext::x(std::size_t min_rank) {
  if (failed()) return {};
  if (inputs_.empty()) return invalid("it is called without a tensor");
  const ValueId value = inputs_[0].value;
  if (rank(value) < min_rank)
    return invalid("its operand has {} axes, at least {} wanted", rank(value), min_rank);
  return autocast(value);
}

const Argument* LayerContext::argument(std::string_view name,
                                       std::optional<std::size_t> place) const {
  const Argument* found = nullptr;
  if (const auto named = call_.named.find(name); named != call_.named.end())
    found = &named->second;
  else if (place && *place < call_.positional.size())
    found = &call_.positional[*place];
  return found == nullptr || (found->flows.empty() && found->literal.is_null()) ? nullptr : found;
}

std::optional<Flow> LayerContext::tensor(std::string_view name,
                                         std::optional<std::size_t> place) const {
  const Argument* found = argument(name, place);
  if (found == nullptr || found->flows.empty()) return std::nullopt;
  return found->flows[0];
}

void LayerContext::only_inference() {
  if (!training()) return;
  unsupported(Refused::training, "it is called with training=True");
  advise("build the model with training=False, or without saying");
}

ValueId LayerContext::stored(const Layer& of, std::string_view name, int rank) {
  if (failed()) return {};
  const Variable* variable = of.variable(name);
  if (variable == nullptr) return invalid("it has no variable '{}'", name);
  const Expected<ValueId> value = around_.read(*variable, of);
  if (!value) return fail_with(value.error());
  if (rank >= 0 && this->rank(*value) != static_cast<std::size_t>(rank))
    return invalid("its variable '{}' has {} axes, {} wanted", name, this->rank(*value), rank);
  return *value;
}

ValueId LayerContext::variable(const Layer& of, std::string_view name, int rank) {
  const ValueId value = stored(of, name, rank);
  return value.valid() && is_float(dtype(value)) && is_float(policy_.compute) ? computed(value)
                                                                              : value;
}

Flows LayerContext::run(const Layer& inner, Call call) {
  if (failed()) return {};
  call.training = call.training || call_.training;
  Expected<Flows> results = around_.run(inner, call, node_name());
  if (!results) {
    fail_with(results.error());
    return {};
  }
  for (const Flow& flow : *results) {
    if (!flow.blocked) continue;
    blocked_ = true;
    unsupported(Refused::op, "a layer within it is refused");
    return {};
  }
  if (results->empty()) invalid("a layer within it has no results");
  return *std::move(results);
}

Flows LayerContext::run(const Layer& inner, Flows operands) {
  Call call;
  Argument argument;
  argument.list = operands.size() > 1;
  argument.flows = std::move(operands);
  call.positional.push_back(std::move(argument));
  return run(inner, std::move(call));
}

ValueId LayerContext::activated(ValueId x, std::string_view key) {
  if (failed() || !has(key)) return x;
  return activate(*this, setting(key), x, keras2());
}

}  // namespace ingot::keras
