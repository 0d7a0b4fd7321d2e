// SPDX-License-Identifier: Apache-2.0
#include "ir/verify.h"

#include <algorithm>
#include <set>

#include "ir/op.h"

namespace ingot {
namespace {

template <class... Args>
Error broken(fmt::format_string<Args...> format, Args&&... args) {
  return fail(ErrorCode::internal, "graph is broken: {}",
              fmt::format(format, std::forward<Args>(args)...));
}

class Verifier {
 public:
  /// `nested`: what is measured around a graph within a node is known in it.
  Verifier(const Graph& graph, bool nested) : graph_(graph), nested_(nested) {}

  Expected<void> run() {
    INGOT_TRY(symbols());
    INGOT_TRY(measured());
    INGOT_TRY(ports());
    INGOT_TRY(values());
    return constraints();
  }

 private:
  Expected<void> symbols() {
    for (const Symbol& symbol : graph_.symbols()) {
      if (!is_symbol_name(symbol.name)) return broken("'{}' cannot name a symbol", symbol.name);
      if (symbol.range.lo > symbol.range.hi) {
        return broken("symbol {} has the empty range [{}, {}]", symbol.name, symbol.range.lo,
                      symbol.range.hi);
      }
      if (!declared_.insert(symbol.name).second) {
        return broken("symbol {} is declared twice", symbol.name);
      }
      again_.declare_symbol(symbol);
    }
    for (const Symbol& symbol : graph_.symbols()) {
      if (!symbol.bound) continue;
      INGOT_TRY(symbols_of(*symbol.bound, fmt::format("the bound of {}", symbol.name)));
      if (depends_on_data(*symbol.bound, graph_.symbols()))
        return broken("the bound of {} is not known before the call", symbol.name);
    }
    for (const Constraint& constraint : graph_.constraints()) {
      INGOT_TRY(symbols_of(constraint.left, "a constraint"));
      INGOT_TRY(symbols_of(constraint.right, "a constraint"));
      INGOT_TRY(again_.require(constraint));
    }
    return {};
  }

  /// Each by one node, which stands before whoever mentions it.
  Expected<void> measured() {
    std::set<std::string> known;
    std::vector<Symbol> unknown;
    for (const Symbol& symbol : graph_.symbols()) {
      if (symbol.measured()) unknown.push_back(symbol);
    }
    if (unknown.empty() || nested_) return {};
    for (const Node& node : graph_.nodes()) {
      const auto symbol = measured_by(node);
      if (symbol) {
        if (std::erase_if(unknown, [&](const Symbol& other) { return other.name == *symbol; }) == 0)
          return broken("{} is measured twice, or is given by the caller", *symbol);
        continue;
      }
      for (const ValueId output : node.outputs) {
        for (const Dim& size : graph_.type(output).shape) {
          if (depends_on_data(size, unknown))
            return broken("%{} has the size {}, which is measured later", output.index, size.str());
        }
      }
    }
    return {};
  }

  Expected<void> ports() {
    std::set<std::string> names;
    for (const ValueId id : graph_.inputs()) {
      const std::string& name = graph_.value(id).name;
      if (name.empty()) return broken("input %{} has no name", id.index);
      if (!names.insert(name).second) return broken("two inputs are called '{}'", name);
    }
    names.clear();
    for (const Output& output : graph_.outputs()) {
      if (output.value.index >= graph_.value_count()) {
        return broken("output '{}' is no value of the graph", output.name);
      }
      if (output.name.empty()) return broken("output %{} has no name", output.value.index);
      if (!names.insert(output.name).second)
        return broken("two outputs are called '{}'", output.name);
    }
    return {};
  }

  // Adds each value to a second graph, in order, so that a node finds exactly what stands before
  // it. Constants become inputs there: inference asks for types only.
  Expected<void> values() {
    std::size_t nodes = 0;
    for (std::uint32_t i = 0; i < graph_.value_count(); ++i) {
      const Value& value = graph_.value(ValueId{i});
      for (const Dim& size : value.type.shape) {
        if (size.value().value_or(0) < 0) return broken("%{} has the dimension {}", i, size.str());
        INGOT_TRY(symbols_of(size, fmt::format("%{}", i)));
      }
      switch (value.kind) {
        case Value::Kind::input: {
          for (const Dim& size : value.type.shape) {
            if (!nested_ && depends_on_data(size, graph_.symbols()))
              return broken("a size of input %{} is measured: {}", i, size.str());
          }
          if (value.position >= graph_.inputs().size() ||
              graph_.inputs()[value.position] != ValueId{i}) {
            return broken("%{} is not among the inputs", i);
          }
          again_.add_input(value.name, value.type);
          break;
        }
        case Value::Kind::constant: {
          INGOT_TRY(constant(value, i));
          again_.add_input({}, value.type);
          break;
        }
        case Value::Kind::node: {
          if (value.producer.index >= graph_.nodes().size() ||
              value.position >= graph_.node(value.producer).outputs.size() ||
              graph_.node(value.producer).outputs[value.position] != ValueId{i}) {
            return broken("%{} is not a result of its node", i);
          }
          if (value.position > 0) break;
          if (value.producer.index != nodes++) return broken("the node of %{} is out of order", i);
          INGOT_TRY(node(graph_.node(value.producer), i));
          break;
        }
      }
    }
    if (nodes != graph_.nodes().size()) return broken("a node has no results");
    return {};
  }

  Expected<void> constant(const Value& value, std::uint32_t index) {
    if (value.position >= graph_.constants().size()) return broken("%{} has no numbers", index);
    const Tensor& tensor = graph_.constants()[value.position];
    if (tensor.type() != value.type) {
      return broken("constant %{} is {}, but its numbers are {}", index, str(value.type),
                    str(tensor.type()));
    }
    if (tensor.repeats() && !tensor.is_splat()) {
      return broken("constant %{} is one repeated value, but stored in full", index);
    }
    return {};
  }

  Expected<void> node(const Node& node, std::uint32_t index) {
    if (node.op == nullptr || find_op(node.op->name) != node.op) {
      return broken("the op of %{} is not in the table", index);
    }
    for (const ValueId input : node.inputs) {
      if (input.index >= index) {
        return broken("%{} ({}) reads %{}, which does not stand before it", index, node.op->name,
                      input.index);
      }
    }
    for (const auto& [key, attribute] : node.attributes.entries()) {
      if (const auto* dims = std::get_if<std::vector<Dim>>(&attribute)) {
        for (const Dim& each : *dims) {
          INGOT_TRY(symbols_of(each, fmt::format("attribute {} of %{}", key, index)));
        }
      }
      if (const auto* body = std::get_if<Subgraph>(&attribute)) INGOT_TRY(nested(**body, index));
    }
    auto results = again_.add_node(*node.op, node.inputs, node.attributes, node.name);
    if (!results) return broken("{}", results.error().message);
    if (results->size() != node.outputs.size()) {
      return broken("%{} ({}) has {} results, not {}", index, node.op->name, node.outputs.size(),
                    results->size());
    }
    for (std::size_t i = 0; i < results->size(); ++i) {
      const TensorType& inferred = again_.type((*results)[i]);
      const TensorType& claimed = graph_.type(node.outputs[i]);
      if (node.outputs[i] != (*results)[i]) {
        return broken("results of %{} ({}) are not side by side", index, node.op->name);
      }
      if (inferred != claimed) {
        return broken("%{} ({}) is {}, but its op gives {}", node.outputs[i].index, node.op->name,
                      str(claimed), str(inferred));
      }
    }
    return {};
  }

  Expected<void> nested(const Graph& body, std::uint32_t index) {
    for (const Symbol& symbol : body.symbols()) {
      if (declared_.count(symbol.name) == 0) {
        return broken("the graph in %{} uses symbol {}, which is not declared", index, symbol.name);
      }
    }
    if (body.arithmetic != graph_.arithmetic)
      return broken("the graph in %{} rounds differently", index);
    return Verifier(body, true).run();
  }

  Expected<void> constraints() {
    for (const Constraint& needed : again_.constraints()) {
      bool known = false;
      for (const Constraint& given : graph_.constraints()) known = known || given == needed;
      if (known) continue;
      const bool equal = needed.relation == Constraint::Relation::equal;
      return broken("{} asks for {} {} {}, which is not among its constraints", needed.reason,
                    needed.left.str(), equal ? "==" : ">=", needed.right.str());
    }
    return {};
  }

  Expected<void> symbols_of(const Dim& dim, std::string_view where) {
    if (dim.overflowed()) return broken("{} has a dimension that is too large", where);
    std::set<std::string> names;
    dim.collect_symbols(names);
    for (const std::string& name : names) {
      if (declared_.count(name) == 0) {
        return broken("{} uses symbol {}, which is not declared", where, name);
      }
    }
    return {};
  }

  const Graph& graph_;
  bool nested_;
  Graph again_;
  std::set<std::string> declared_;
};

}  // namespace

Expected<void> verify(const Graph& graph) { return Verifier(graph, false).run(); }

}  // namespace ingot
