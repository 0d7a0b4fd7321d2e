// SPDX-License-Identifier: Apache-2.0
#include "recipe.h"

#include <algorithm>

#include "ir/op.h"
#include "ir/verify.h"

namespace ingot::tools {
namespace {

class Cook {
 public:
  Cook(const Graph& old, const Recipe& recipe)
      : old_(old), recipe_(recipe), mapped_(old.value_count()), needed_(old.value_count()) {}

  Expected<Graph> run() {
    new_.name = old_.name;
    new_.arithmetic = old_.arithmetic;
    for (const Symbol& symbol : old_.symbols()) new_.declare_symbol(symbol.name, symbol.range);
    find_outputs();
    if (outputs_.empty()) return fail(ErrorCode::invalid_argument, "nothing would be left");
    find_needed();
    add_inputs();
    if (!recipe_.forget_constraints) {
      for (const Constraint& constraint : old_.constraints()) INGOT_TRY(new_.require(constraint));
    }
    for (std::size_t n = 0; n < old_.nodes().size(); ++n) INGOT_TRY(add(n));
    for (std::size_t i = 0; i < outputs_.size(); ++i) {
      const bool nameless = recipe_.forget_names;
      new_.add_output(nameless ? fmt::format("y{}", i) : outputs_[i].name, map(outputs_[i].value));
    }
    if (recipe_.substitute)
      INGOT_TRY(new_.substitute(recipe_.substitute->first, recipe_.substitute->second));
    INGOT_TRY(verify(new_));
    return std::move(new_);
  }

 private:
  bool removed(std::size_t node) const { return !recipe_.removed.empty() && recipe_.removed[node]; }

  ValueId resolve(ValueId value) const {
    for (auto it = recipe_.same_as.find(value); it != recipe_.same_as.end();
         it = recipe_.same_as.find(value)) {
      value = it->second;
    }
    return value;
  }

  /// The operands that a node keeps.
  std::vector<ValueId> operands(std::size_t n) const {
    std::vector<ValueId> result = old_.nodes()[n].inputs;
    if (const auto kept = recipe_.operands.find(n); kept != recipe_.operands.end())
      result.resize(std::min(result.size(), kept->second));
    for (ValueId& value : result) value = resolve(value);
    return result;
  }

  void find_outputs() {
    std::vector<bool> read(old_.value_count());
    std::vector<bool> gone(old_.value_count());
    for (std::size_t n = 0; n < old_.nodes().size(); ++n) {
      for (const ValueId value : old_.nodes()[n].outputs) gone[value.index] = removed(n);
      if (removed(n)) continue;
      for (const ValueId value : operands(n)) read[value.index] = true;
    }
    for (std::size_t i = 0; i < old_.outputs().size(); ++i) {
      const Output& output = old_.outputs()[i];
      const ValueId value = resolve(output.value);
      if ((!recipe_.dropped.empty() && recipe_.dropped[i]) || gone[value.index]) continue;
      outputs_.push_back({output.name, value});
      read[value.index] = true;
    }
    if (recipe_.removed.empty()) return;
    // What only removed nodes have read.
    for (std::size_t n = 0; n < old_.nodes().size(); ++n) {
      if (removed(n)) continue;
      for (const ValueId value : old_.nodes()[n].outputs) {
        if (!read[value.index]) outputs_.push_back({fmt::format("y.{}", value.index), value});
      }
    }
  }

  void find_needed() {
    for (const Output& output : outputs_) need(output.value);
    for (std::size_t n = old_.nodes().size(); n-- > 0;) {
      if (removed(n) || !is_needed(old_.nodes()[n])) continue;
      for (const ValueId value : operands(n)) need(value);
    }
  }
  void need(ValueId value) {
    if (recipe_.constants.count(value) == 0) needed_[value.index] = true;
  }
  bool is_needed(const Node& node) const {
    return std::any_of(node.outputs.begin(), node.outputs.end(),
                       [&](ValueId value) { return needed_[value.index]; });
  }

  void add_inputs() {
    for (const ValueId id : old_.inputs()) {
      if (needed_[id.index]) add_input(id, old_.value(id).name);
    }
    for (std::size_t n = 0; n < old_.nodes().size(); ++n) {
      if (!removed(n)) continue;
      for (const ValueId id : old_.nodes()[n].outputs) {
        if (needed_[id.index]) add_input(id, fmt::format("x.{}", id.index));
      }
    }
  }
  void add_input(ValueId id, std::string name) {
    if (recipe_.forget_names) name = fmt::format("x{}", new_.inputs().size());
    TensorType type = old_.type(id);
    for (Dim& dim : type.shape) dim = resized(dim);
    mapped_[id.index] = new_.add_input(std::move(name), std::move(type));
  }

  Dim resized(const Dim& dim) const {
    const auto value = dim.value();
    return value && recipe_.resize ? Dim(recipe_.resize(*value)) : dim;
  }

  /// The first elements of each axis.
  Tensor cut(const Tensor& tensor) const {
    if (!recipe_.resize) return tensor;
    std::vector<std::int64_t> shape = tensor.shape();
    for (std::int64_t& size : shape) size = std::min(size, recipe_.resize(size));
    if (shape == tensor.shape()) return tensor;
    if (tensor.is_splat()) return Tensor::splat(tensor.dtype(), shape, tensor.bytes());
    Tensor result(tensor.dtype(), shape);
    const std::size_t width = bytes_of(tensor.dtype());
    for (std::int64_t i = 0; i < result.elements(); ++i) {
      std::int64_t rest = i, from = 0, stride = 1;
      for (std::size_t d = shape.size(); d-- > 0;) {
        from += rest % shape[d] * stride;
        rest /= shape[d];
        stride *= tensor.shape()[d];
      }
      std::copy_n(tensor.bytes().data() + static_cast<std::size_t>(from) * width, width,
                  result.mutable_bytes().data() + static_cast<std::size_t>(i) * width);
    }
    return result.compact();
  }

  ValueId map(ValueId value) {
    ValueId& mapped = mapped_[value.index];
    if (mapped.valid()) return mapped;
    const auto constant = recipe_.constants.find(value);
    return mapped = new_.add_constant(
               cut(constant != recipe_.constants.end() ? constant->second : old_.constant(value)));
  }

  Expected<void> add(std::size_t n) {
    const Node& node = old_.nodes()[n];
    if (removed(n) || !is_needed(node)) return {};
    std::vector<ValueId> inputs;
    for (const ValueId value : operands(n)) inputs.push_back(map(value));
    Attributes attributes = node.attributes;
    if (recipe_.resize) {
      for (auto& [name, attribute] : attributes.entries()) {
        if (auto* dims = std::get_if<std::vector<Dim>>(&attribute)) {
          for (Dim& dim : *dims) dim = resized(dim);
        }
      }
    }
    INGOT_ASSIGN(const std::vector<ValueId> results,
                 new_.add_node(*node.op, std::move(inputs), std::move(attributes),
                               recipe_.forget_names ? std::string() : node.name));
    for (std::size_t i = 0; i < results.size(); ++i) {
      if (needed_[node.outputs[i].index]) mapped_[node.outputs[i].index] = results[i];
    }
    return {};
  }

  const Graph& old_;
  const Recipe& recipe_;
  Graph new_;
  std::vector<ValueId> mapped_;
  std::vector<bool> needed_;
  std::vector<Output> outputs_;
};

std::set<std::string> used_symbols(const Graph& graph) {
  std::set<std::string> used;
  const auto collect = [&](const Shape& shape) {
    for (const Dim& dim : shape) dim.collect_symbols(used);
  };
  for (std::uint32_t v = 0; v < graph.value_count(); ++v) collect(graph.type({v}).shape);
  for (const Node& node : graph.nodes()) {
    for (const auto& [name, attribute] : node.attributes.entries()) {
      if (const auto* dims = std::get_if<std::vector<Dim>>(&attribute)) collect(*dims);
      if (const auto* body = std::get_if<Subgraph>(&attribute)) used.merge(used_symbols(**body));
    }
  }
  for (const Constraint& constraint : graph.constraints())
    collect({constraint.left, constraint.right});
  return used;
}

}  // namespace

Expected<Graph> follow(const Graph& graph, const Recipe& recipe) {
  INGOT_ASSIGN(Graph result, Cook(graph, recipe).run());
  const std::set<std::string> used = used_symbols(result);
  for (const Symbol& symbol : graph.symbols()) {
    // One that nothing mentions is forgotten with any value.
    if (used.count(symbol.name) == 0 && result.find_symbol(symbol.name) != nullptr)
      INGOT_TRY(result.substitute(symbol.name, symbol.range.lo));
  }
  return result;
}

}  // namespace ingot::tools
