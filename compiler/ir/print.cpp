// SPDX-License-Identifier: Apache-2.0
#include "ir/literal.h"
#include "ir/op.h"
#include "ir/text.h"

namespace ingot {
namespace {

constexpr std::int64_t max_listed = 16;

template <class Items, class Str>
std::string joined(const Items& items, Str str) {
  std::string text;
  for (const auto& item : items) {
    if (!text.empty()) text += ", ";
    text += str(item);
  }
  return text;
}

/// A graph within a node, line by line two steps further in.
std::string nested(const std::string& text) {
  std::string result;
  for (std::size_t i = 0; i + 1 < text.size(); ++i) {
    result += text[i];
    if (text[i] == '\n') result += "    ";
  }
  return result;
}

struct AttributePrinter {
  PrintOptions options;

  std::string operator()(bool value) const { return value ? "true" : "false"; }
  std::string operator()(std::int64_t value) const { return fmt::format("{}", value); }
  std::string operator()(double value) const { return real_str(value); }
  std::string operator()(const std::string& value) const { return quoted(value); }
  std::string operator()(DType value) const { return std::string(name(value)); }
  std::string operator()(const std::vector<std::int64_t>& value) const {
    return "[" + joined(value, [](std::int64_t number) { return fmt::format("{}", number); }) + "]";
  }
  std::string operator()(const std::vector<Dim>& value) const { return str(value); }
  std::string operator()(const Subgraph& value) const { return nested(print(*value, options)); }
};

std::string print_constant(const Tensor& tensor, PrintOptions options) {
  if (tensor.is_splat()) return "constant splat " + element_str(tensor, 0);
  if (tensor.elements() <= max_listed) {
    std::string text;
    for (std::int64_t i = 0; i < tensor.elements(); ++i) {
      text += (i == 0 ? "" : ", ") + element_str(tensor, i);
    }
    return "constant {" + text + "}";
  }
  if (!options.constants_in_full) return fmt::format("constant #{:016x}", tensor.hash());
  std::string digits;
  digits.reserve(tensor.bytes().size() * 2);
  for (const std::byte byte : tensor.bytes()) {
    digits += "0123456789abcdef"[std::to_integer<unsigned>(byte) >> 4];
    digits += "0123456789abcdef"[std::to_integer<unsigned>(byte) & 15];
  }
  return "constant hex \"" + digits + "\"";
}

std::string print_value(const Graph& graph, ValueId id) {
  return fmt::format("%{}: {}", id.index, str(graph.type(id)));
}

}  // namespace

std::string print(const Graph& graph, const Node& node, PrintOptions options) {
  std::string text = joined(node.outputs, [&](ValueId id) { return print_value(graph, id); });
  text += fmt::format(" = {}({})", node.op->name,
                      joined(node.inputs, [](ValueId id) { return fmt::format("%{}", id.index); }));
  if (!node.attributes.entries().empty()) {
    text +=
        " {" +
        joined(node.attributes.entries(),
               [&](const Attributes::Entry& entry) {
                 return entry.first + " = " + std::visit(AttributePrinter{options}, entry.second);
               }) +
        "}";
  }
  if (!node.name.empty()) text += " " + quoted(node.name);
  return text;
}

std::string print(const Graph& graph, PrintOptions options) {
  std::string text = fmt::format("graph {} {} {{\n", quoted(graph.name),
                                 graph.arithmetic == Arithmetic::fused ? "fused" : "strict");
  for (const Symbol& symbol : graph.symbols()) {
    text += fmt::format("  symbol {} in [{}, {}]", symbol.name, symbol.range.lo, symbol.range.hi);
    text += symbol.bound ? fmt::format(" up to [{}]\n", symbol.bound->str()) : "\n";
  }
  for (const Constraint& constraint : graph.constraints()) {
    const bool equal = constraint.relation == Constraint::Relation::equal;
    text += fmt::format("  require {} {} {} {}\n", constraint.left.str(),
                        equal ? "==" : ">=", constraint.right.str(), quoted(constraint.reason));
  }
  for (std::uint32_t i = 0; i < graph.value_count(); ++i) {
    const ValueId id{i};
    const Value& value = graph.value(id);
    switch (value.kind) {
      case Value::Kind::input:
        text += fmt::format("  {} = input {}\n", print_value(graph, id), quoted(value.name));
        break;
      case Value::Kind::constant:
        text += fmt::format("  {} = {}\n", print_value(graph, id),
                            print_constant(graph.constant(id), options));
        break;
      case Value::Kind::node:
        if (value.position == 0) text += "  " + print(graph, *graph.producer(id), options) + "\n";
        break;
    }
  }
  for (const Output& output : graph.outputs()) {
    text += fmt::format("  return {} = %{}\n", quoted(output.name), output.value.index);
  }
  return text + "}\n";
}

}  // namespace ingot
