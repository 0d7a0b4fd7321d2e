// SPDX-License-Identifier: Apache-2.0
#include "shrink.h"

#include <algorithm>
#include <cstring>
#include <set>

#include "ir/op.h"
#include "recipe.h"

namespace ingot::tools {
namespace {

/// The same number over and over.
Tensor repeated(const TensorType& type, const std::vector<std::int64_t>& shape, double number) {
  Tensor one(type.dtype, {});
  switch (type.dtype) {
    case DType::f32:
      one.set(0, static_cast<float>(number));
      break;
    case DType::f64:
      one.set(0, number);
      break;
    case DType::f16:
      one.set(0, f64_to_f16(number));
      break;
    case DType::bf16:
      one.set(0, f64_to_bf16(number));
      break;
    default: {
      const auto word = static_cast<std::int64_t>(number);
      std::memcpy(one.mutable_bytes().data(), &word, bytes_of(type.dtype));
    }
  }
  return Tensor::splat(type.dtype, shape, one.bytes()).compact();
}

class Shrinker {
 public:
  Shrinker(Graph graph, const ShrinkOptions& options)
      : graph_(std::move(graph)), options_(options) {}

  Graph run() {
    for (bool again = true; again;) {
      again = drop_outputs();
      again |= remove_nodes();
      again |= simplify_nodes();
      again |= fix_inputs();
      again |= flatten_constants();
      again |= pin_symbols();
      again |= lower_sizes();
    }
    attempt({.forget_constraints = true}, "forgot constraints");
    attempt({.forget_names = true}, "forgot names");
    return std::move(graph_);
  }

 private:
  bool attempt(const Recipe& recipe, std::string_view what) {
    Expected<Graph> smaller = follow(graph_, recipe);
    if (!smaller) return false;
    // What depends on nothing is computed when it is compiled, and shows little.
    if (smaller->inputs().empty() && !graph_.inputs().empty()) return false;
    if (!options_.interesting(*smaller)) return false;
    graph_ = *std::move(smaller);
    options_.progress(graph_, what);
    return true;
  }

  bool drop_outputs() {
    bool any = false;
    const std::size_t all = graph_.outputs().size();
    for (std::size_t i = 0; i < all && graph_.outputs().size() > 1 && !any; ++i) {
      Recipe alone{.dropped = std::vector<bool>(all, true)};
      alone.dropped[i] = false;
      any = attempt(alone, "kept one output");
    }
    for (std::size_t i = graph_.outputs().size(); i-- > 0 && graph_.outputs().size() > 1;) {
      Recipe without{.dropped = std::vector<bool>(graph_.outputs().size())};
      without.dropped[i] = true;
      any |= attempt(without, "dropped an output");
    }
    return any;
  }

  /// Delta debugging: ever smaller stretches of nodes, from the end.
  bool remove_nodes() {
    bool any = false;
    for (std::size_t length = (graph_.nodes().size() + 1) / 2; length > 0; length /= 2) {
      for (std::size_t end = graph_.nodes().size(); end > 0;) {
        const std::size_t begin = end > length ? end - length : 0;
        Recipe recipe{.removed = std::vector<bool>(graph_.nodes().size())};
        std::fill(recipe.removed.begin() + static_cast<std::ptrdiff_t>(begin),
                  recipe.removed.begin() + static_cast<std::ptrdiff_t>(end), true);
        const bool gone = attempt(recipe, "removed nodes");
        any |= gone;
        end = gone ? std::min(begin, graph_.nodes().size()) : begin;
      }
    }
    return any;
  }

  bool simplify_nodes() {
    bool any = false;
    for (std::size_t n = graph_.nodes().size(); n-- > 0;) {
      if (n >= graph_.nodes().size()) continue;
      any |= bypass(n) || give_constant(n) || drop_operand(n);
    }
    return any;
  }

  /// One of its operands instead of its result.
  bool bypass(std::size_t n) {
    const Node& node = graph_.nodes()[n];
    for (const ValueId operand : node.inputs) {
      if (!(graph_.type(operand) == graph_.type(node.outputs[0]))) continue;
      if (attempt({.same_as = {{node.outputs[0], operand}}}, "went around a node")) return true;
    }
    return false;
  }

  bool give_constant(std::size_t n) {
    return make_constant(graph_.nodes()[n].outputs[0], "replaced a node by a number");
  }

  bool make_constant(ValueId value, std::string_view what) {
    const TensorType& type = graph_.type(value);
    const auto shape = static_shape(type.shape);
    if (!shape || !element_count(*shape)) return false;
    for (const double number : {0.0, 1.0}) {
      if (attempt({.constants = {{value, repeated(type, *shape, number)}}}, what)) return true;
    }
    return false;
  }

  bool drop_operand(std::size_t n) {
    const Node& node = graph_.nodes()[n];
    const auto least = static_cast<std::size_t>(std::max(node.op->min_inputs, 1));
    return node.inputs.size() > least &&
           attempt({.operands = {{n, node.inputs.size() - 1}}}, "dropped an operand");
  }

  bool fix_inputs() {
    bool any = false;
    for (std::size_t i = graph_.inputs().size(); i-- > 0;) {
      if (i < graph_.inputs().size())
        any |= make_constant(graph_.inputs()[i], "replaced an input by a number");
    }
    return any;
  }

  bool flatten_constants() {
    bool any = false;
    for (std::uint32_t v = 0; v < graph_.value_count(); ++v) {
      if (!graph_.is_constant({v})) continue;
      const Tensor& tensor = graph_.constant({v});
      if (tensor.is_splat() || tensor.elements() < 2) continue;
      any |= make_constant({v}, "made the numbers of a constant equal");
    }
    return any;
  }

  bool pin_symbols() {
    bool any = false;
    const std::vector<Symbol> symbols = graph_.symbols();
    for (const Symbol& symbol : symbols) {
      for (const std::int64_t size : {1, 2, 3, 8}) {
        if (size < symbol.range.lo || size > symbol.range.hi) continue;
        if (attempt({.substitute = {{symbol.name, size}}}, "pinned a symbol")) {
          any = true;
          break;
        }
      }
    }
    return any;
  }

  /// All sizes of one number together, because ops want them equal.
  bool lower_sizes() {
    std::set<std::int64_t> sizes;
    const auto collect = [&](const TensorType& type) {
      for (const Dim& dim : type.shape) {
        if (const auto size = dim.value(); size && *size > 1) sizes.insert(*size);
      }
    };
    for (std::uint32_t v = 0; v < graph_.value_count(); ++v) collect(graph_.type({v}));
    bool any = false;
    for (auto size = sizes.rbegin(); size != sizes.rend(); ++size) {
      for (const std::int64_t less :
           {std::int64_t{1}, std::int64_t{2}, std::int64_t{3}, *size / 8, *size / 2, *size - 1}) {
        if (less < 1 || less >= *size) continue;
        const auto resize = [&](std::int64_t number) { return number == *size ? less : number; };
        if (attempt({.resize = resize}, "lowered a size")) {
          any = true;
          break;
        }
      }
    }
    return any;
  }

  Graph graph_;
  const ShrinkOptions& options_;
};

}  // namespace

Graph shrink(Graph graph, const ShrinkOptions& options) {
  return Shrinker(std::move(graph), options).run();
}

}  // namespace ingot::tools
