// SPDX-License-Identifier: Apache-2.0
#include "passes/fold_scales.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "ir/op.h"
#include "ir/rebuild.h"
#include "ops/window.h"
#include "passes/match.h"

namespace ingot::passes {
namespace {

using Numbers = std::vector<double>;
/// Of weights that are one repeated number.
constexpr std::int64_t most_written_out = std::int64_t{1} << 24;
// No product has more results, and a hostile model asks for memory by a size alone.
constexpr std::int64_t max_channels = std::int64_t{1} << 24;

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
  explicit Folder(const Graph& graph) : uses_(count_uses(graph)) {}

  Expected<std::vector<ValueId>> rewrite(Rebuilder& rebuilder, const Node& node, Report& report) {
    graph_ = &rebuilder.graph();
    report_ = &report;
    INGOT_ASSIGN(std::vector<ValueId> results, rebuilder.copy(node));
    const ValueId result = results[0];
    std::optional<ValueId> folded;
    if (graph_->producer(result)->op->kind == OpKind::contract) {
      INGOT_ASSIGN(folded, fold_before(result));
    } else if (std::optional<Affine> affine = as_affine(result)) {
      INGOT_ASSIGN(folded, fold_after(*affine));
    }
    if (folded && report.fire()) results[0] = *folded;
    if (uses_[node.outputs[0].index] == 1) used_once_.insert(results[0]);
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
    if (width > max_channels || (!one && tensor.elements() != width)) return std::nullopt;
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

  /// The weights of a product, in float64 until they are rounded once. One repeated number stays
  /// one: light models have gigabytes of them.
  struct Weights {
    std::vector<std::int64_t> shape;
    std::int64_t count = 0;
    bool splat = false;
    Numbers numbers;
    double at(std::int64_t i) const { return numbers[splat ? 0 : static_cast<std::size_t>(i)]; }
  };

  struct Product {
    const Node* node;
    Weights weights;
    Numbers bias;
    std::int64_t results;   // the last axis of the weights
    std::int64_t channels;  // of a result: the axis before it
    std::int64_t groups = 1;
    bool inside = true;  // whether every result meets all weights

    /// Which channel of the operand weight i meets.
    std::int64_t channel(std::int64_t i) const {
      const std::int64_t group = i % results / (results / groups);
      return group * channels + i / results % channels;
    }
  };

  /// A matmul or conv whose weights, and bias if any, are constants.
  std::optional<Product> as_product(ValueId value) const {
    const Node* node = graph_->producer(value);
    if (node == nullptr || node->op->kind != OpKind::contract ||
        !graph_->is_constant(node->inputs[1])) {
      return std::nullopt;
    }
    const Tensor& weights = graph_->constant(node->inputs[1]);
    const DType dtype = weights.dtype();
    const bool conv = node->op->name == "conv";
    if ((!conv && weights.rank() != 2) || (dtype != DType::f32 && dtype != DType::f64))
      return std::nullopt;
    const auto& shape = weights.shape();
    Product product{node,
                    {shape, weights.elements(), weights.is_splat(), {}},
                    {},
                    shape.back(),
                    shape[shape.size() - 2]};
    if (conv) {
      product.groups = node->attributes.get<std::int64_t>("groups");
      for (const ops::WindowAxis& axis :
           ops::window_axes(node->attributes, graph_->type(node->inputs[1]).shape))
        product.inside = product.inside && axis.inside();
    }
    if (product.weights.count == 0 || product.results > max_channels) return std::nullopt;
    if (node->inputs.size() == 3) {
      std::optional<Numbers> bias = channels(node->inputs[2], graph_->type(value), product.results);
      if (!bias) return std::nullopt;
      product.bias = std::move(*bias);
    } else {
      product.bias.assign(static_cast<std::size_t>(product.results), 0);
    }
    const std::int64_t stored = product.weights.splat ? 1 : product.weights.count;
    for (std::int64_t i = 0; i < stored; ++i)
      product.weights.numbers.push_back(weights.as_double(i));
    return product;
  }

  /// Multiplies weight i by scale(i), which takes the values of `scales`; false where that would
  /// write out more than a constant should.
  template <class Scale>
  static bool multiply(Weights& weights, const Numbers& scales, const Scale& scale) {
    const bool uniform = std::all_of(scales.begin(), scales.end(),
                                     [&](double number) { return number == scales.front(); });
    if (weights.splat && uniform) {
      weights.numbers[0] *= scales.front();
      return true;
    }
    if (weights.splat) {
      if (weights.count > most_written_out) return false;
      weights.numbers.assign(static_cast<std::size_t>(weights.count), weights.numbers[0]);
      weights.splat = false;
    }
    for (std::int64_t i = 0; i < weights.count; ++i)
      weights.numbers[static_cast<std::size_t>(i)] *= scale(i);
    return true;
  }

  Expected<ValueId> rebuilt(const Product& product, ValueId a) {
    const Node node = *product.node;
    const DType dtype = graph_->type(a).dtype;
    const Weights& weights = product.weights;
    Tensor numbers = to_tensor(weights.numbers, dtype,
                               weights.splat ? std::vector<std::int64_t>{} : weights.shape);
    if (weights.splat) numbers = Tensor::splat(dtype, weights.shape, numbers.bytes());
    const ValueId b = graph_->add_constant(std::move(numbers));
    const ValueId bias = graph_->add_constant(to_tensor(product.bias, dtype, {product.results}));
    return graph_->add(node.op->name, {a, b, bias}, node.attributes, node.name);
  }

  Expected<std::optional<ValueId>> fold_after(const Affine& affine) {
    if (used_once_.count(affine.value) == 0) return std::optional<ValueId>();
    std::optional<Product> product = as_product(affine.value);
    if (!product) return std::optional<ValueId>();
    auto scale = [&](std::int64_t i) {
      return affine.scale[static_cast<std::size_t>(i % product->results)];
    };
    if (!multiply(product->weights, affine.scale, scale)) return std::optional<ValueId>();
    const auto width = static_cast<std::size_t>(product->results);
    for (std::size_t c = 0; c < width; ++c) {
      product->bias[c] = product->bias[c] * affine.scale[c] + affine.shift[c];
    }
    INGOT_ASSIGN(const ValueId folded, rebuilt(*product, product->node->inputs[0]));
    return std::optional(folded);
  }

  Expected<std::optional<ValueId>> fold_before(ValueId result) {
    // Before all its weights are read, which may be many.
    const ValueId operand = graph_->producer(result)->inputs[0];
    if (used_once_.count(operand) == 0 || graph_->producer(operand) == nullptr ||
        !as_affine(operand))
      return std::optional<ValueId>();
    std::optional<Product> product = as_product(result);
    if (!product) return std::optional<ValueId>();
    ValueId a = product->node->inputs[0];
    bool any = false;
    while (used_once_.count(a) != 0) {
      const Node* made_by = graph_->producer(a);
      const std::optional<Affine> affine = made_by != nullptr ? as_affine(a) : std::nullopt;
      if (!affine) break;
      const bool shifts = std::any_of(affine->shift.begin(), affine->shift.end(),
                                      [](double number) { return number != 0; });
      if (shifts && !product->inside) {
        // Taps in the padding are skipped: their share of the shift would be missing.
        report_->miss(*graph_, *made_by, "a shift before a convolution with padding");
        break;
      }
      const Numbers& shift = affine->shift;
      for (std::int64_t i = 0; shifts && i < product->weights.count; ++i) {
        product->bias[static_cast<std::size_t>(i % product->results)] +=
            shift[static_cast<std::size_t>(product->channel(i))] * product->weights.at(i);
      }
      auto scale = [&](std::int64_t i) {
        return affine->scale[static_cast<std::size_t>(product->channel(i))];
      };
      if (!multiply(product->weights, affine->scale, scale)) return std::optional<ValueId>();
      a = affine->value;
      any = true;
    }
    if (!any) return std::optional<ValueId>();
    INGOT_ASSIGN(const ValueId folded, rebuilt(*product, a));
    return std::optional(folded);
  }

  Graph* graph_ = nullptr;
  Report* report_ = nullptr;
  std::vector<int> uses_;
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
