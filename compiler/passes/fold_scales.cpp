// SPDX-License-Identifier: Apache-2.0
#include "passes/fold_scales.h"

#include <cmath>
#include <set>

#include "ir/op.h"
#include "ir/rebuild.h"

namespace ingot::passes {
namespace {

using Numbers = std::vector<double>;

/// value * scale + shift, channel by channel.
struct Affine {
  ValueId value;
  Numbers scale, shift;
};

Tensor to_tensor(const Numbers& numbers, DType dtype, std::vector<std::int64_t> shape) {
  Tensor tensor(dtype, std::move(shape));
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const auto place = static_cast<std::int64_t>(i);
    if (dtype == DType::f64) tensor.set(place, numbers[i]);
    if (dtype == DType::f32) tensor.set(place, static_cast<float>(numbers[i]));
  }
  return tensor;
}

class Folder {
 public:
  explicit Folder(const Graph& graph) : uses_(compute_uses(graph)) {
    for (const Output& output : graph.outputs()) uses_[output.value.index].push_back(NodeId{});
  }

  Expected<std::vector<ValueId>> rewrite(Rebuilder& rebuilder, const Node& node, Report& report) {
    graph_ = &rebuilder.graph();
    INGOT_ASSIGN(std::vector<ValueId> results, rebuilder.copy(node));
    const ValueId result = results[0];
    std::optional<ValueId> folded;
    if (graph_->producer(result)->op->name == "matmul") {
      INGOT_ASSIGN(folded, fold_before(result));
    } else if (std::optional<Affine> affine = as_affine(result)) {
      INGOT_ASSIGN(folded, fold_after(*affine));
    }
    if (folded) ++report.times;
    if (folded) results[0] = *folded;
    if (uses_[node.outputs[0].index].size() == 1) used_once_.insert(results[0]);
    return results;
  }

 private:
  /// The elements of a constant along the last axis of `type`, of `width` channels.
  std::optional<Numbers> channels(ValueId value, const TensorType& type, std::int64_t width) const {
    if (!graph_->is_constant(value)) return std::nullopt;
    const Tensor& tensor = graph_->constant(value);
    if (tensor.rank() > type.rank()) return std::nullopt;
    for (std::size_t d = 0; d + 1 < tensor.rank(); ++d) {
      if (tensor.shape()[d] != 1) return std::nullopt;
    }
    const bool one = tensor.elements() == 1;
    if (!one && tensor.elements() != width) return std::nullopt;
    Numbers numbers;
    for (std::int64_t i = 0; i < width; ++i) numbers.push_back(tensor.as_double(one ? 0 : i));
    return numbers;
  }

  /// A node that scales or shifts a value by finite constants.
  std::optional<Affine> as_affine(ValueId result) const {
    const Node& node = *graph_->producer(result);
    const std::string_view op = node.op->name;
    if (op != "mul" && op != "add" && op != "sub" && op != "div") return std::nullopt;
    const TensorType& type = graph_->type(result);
    if ((type.dtype != DType::f32 && type.dtype != DType::f64) || type.rank() == 0)
      return std::nullopt;
    const std::optional<std::int64_t> width = type.shape.back().value();
    if (!width) return std::nullopt;
    const std::size_t fixed = graph_->is_constant(node.inputs[0]) ? 0 : 1;
    const ValueId value = node.inputs[1 - fixed];
    const std::optional<Numbers> numbers = channels(node.inputs[fixed], type, *width);
    if (!numbers || graph_->type(value).shape != type.shape) return std::nullopt;
    if (op == "div" && fixed == 0) return std::nullopt;
    const auto size = static_cast<std::size_t>(*width);
    Affine affine{value, Numbers(size, 1), Numbers(size, 0)};
    for (std::size_t c = 0; c < size; ++c) {
      const double number = (*numbers)[c];
      if (op == "mul") affine.scale[c] = number;
      if (op == "div") affine.scale[c] = 1 / number;
      if (op == "add") affine.shift[c] = number;
      if (op == "sub") affine.shift[c] = fixed == 1 ? -number : number;
      if (op == "sub" && fixed == 0) affine.scale[c] = -1;
      if (!std::isfinite(affine.scale[c]) || !std::isfinite(affine.shift[c])) return std::nullopt;
    }
    return affine;
  }

  struct Product {
    const Node* node;
    std::int64_t k, n;
    Numbers weights, bias;
  };

  /// A product whose weights, and bias if any, are constants.
  std::optional<Product> as_product(ValueId value) const {
    const Node* node = graph_->producer(value);
    if (node == nullptr || node->op->name != "matmul" || !graph_->is_constant(node->inputs[1])) {
      return std::nullopt;
    }
    const Tensor& weights = graph_->constant(node->inputs[1]);
    const DType dtype = weights.dtype();
    if (weights.rank() != 2 || (dtype != DType::f32 && dtype != DType::f64)) return std::nullopt;
    Product product{node, weights.shape()[0], weights.shape()[1], {}, {}};
    if (node->inputs.size() == 3) {
      std::optional<Numbers> bias = channels(node->inputs[2], graph_->type(value), product.n);
      if (!bias) return std::nullopt;
      product.bias = std::move(*bias);
    } else {
      product.bias.assign(static_cast<std::size_t>(product.n), 0);
    }
    for (std::int64_t i = 0; i < product.k * product.n; ++i)
      product.weights.push_back(weights.as_double(i));
    return product;
  }

  Expected<ValueId> rebuilt(const Product& product, ValueId a) {
    const Node node = *product.node;
    const DType dtype = graph_->type(a).dtype;
    const ValueId weights =
        graph_->add_constant(to_tensor(product.weights, dtype, {product.k, product.n}));
    const ValueId bias = graph_->add_constant(to_tensor(product.bias, dtype, {product.n}));
    return graph_->add("matmul", {a, weights, bias}, node.attributes, node.name);
  }

  Expected<std::optional<ValueId>> fold_after(const Affine& affine) {
    if (used_once_.count(affine.value) == 0) return std::optional<ValueId>();
    std::optional<Product> product = as_product(affine.value);
    if (!product) return std::optional<ValueId>();
    const auto width = static_cast<std::size_t>(product->n);
    for (std::size_t i = 0; i < product->weights.size(); ++i)
      product->weights[i] *= affine.scale[i % width];
    for (std::size_t c = 0; c < width; ++c) {
      product->bias[c] = product->bias[c] * affine.scale[c] + affine.shift[c];
    }
    INGOT_ASSIGN(const ValueId folded, rebuilt(*product, product->node->inputs[0]));
    return std::optional(folded);
  }

  Expected<std::optional<ValueId>> fold_before(ValueId result) {
    std::optional<Product> product = as_product(result);
    if (!product) return std::optional<ValueId>();
    ValueId a = product->node->inputs[0];
    bool any = false;
    while (used_once_.count(a) != 0) {
      const Node* made_by = graph_->producer(a);
      const std::optional<Affine> affine = made_by != nullptr ? as_affine(a) : std::nullopt;
      if (!affine) break;
      for (std::int64_t k = 0; k < product->k; ++k) {
        for (std::int64_t n = 0; n < product->n; ++n) {
          double& weight = product->weights[static_cast<std::size_t>(k * product->n + n)];
          product->bias[static_cast<std::size_t>(n)] +=
              affine->shift[static_cast<std::size_t>(k)] * weight;
          weight *= affine->scale[static_cast<std::size_t>(k)];
        }
      }
      a = affine->value;
      any = true;
    }
    if (!any) return std::optional<ValueId>();
    INGOT_ASSIGN(const ValueId folded, rebuilt(*product, a));
    return std::optional(folded);
  }

  Graph* graph_ = nullptr;
  std::vector<std::vector<NodeId>> uses_;
  std::set<ValueId> used_once_;  // of the new graph
};

}  // namespace

Expected<Graph> fold_scales(const Graph& graph, Report& report) {
  Folder folder(graph);
  return rebuild(graph, [&](Rebuilder& rebuilder, const Node& node) {
    return folder.rewrite(rebuilder, node, report);
  });
}

}  // namespace ingot::passes
