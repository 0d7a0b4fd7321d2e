// SPDX-License-Identifier: Apache-2.0
// Three runs of the graph, node by node:
//   float32   as the model computes;
//   shadow    in float64, but with the float32 run's result wherever an op jumps, so that the two
//             differ by accumulated roundings alone: it finds which elements rounding can carry
//             across an edge, and by how much it moves them;
//   exact     in float64 with its own results, some of them put on the far side of their edge: what
//             the reference may have computed. The search is over which.
#include "ops/explain.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <tuple>

#include "ops/common.h"
#include "ops/edge.h"
#include "ops/float64.h"
#include "ops/interpret.h"
#include "ops/native_scalars.h"

namespace ingot {
namespace {

/// A search runs the graph once for each; more are not worth the hours.
constexpr std::size_t most_tried = 64;
/// The reference rounds as well, in another order, and the largest difference seen is one sample.
constexpr double safety = 4;

double unit_roundoff(DType dtype) {
  if (dtype == DType::f16) return 0x1p-11;
  if (dtype == DType::bf16) return 0x1p-8;
  return dtype == DType::f32 ? 0x1p-24 : 0x1p-53;
}

void set_number(Tensor& tensor, std::int64_t index, double value) {
  ops::visit_dtype(tensor.dtype(), [&]<DType dtype>() {
    using T = typename ops::Element<dtype>::Compute;
    ops::Element<dtype>::store(tensor, index, static_cast<T>(value));
  });
}

/// The operand of an element of a result, with broadcasting.
class Operand {
 public:
  Operand(const Tensor* tensor, const Tensor& result) : tensor_(tensor) {
    if (tensor == nullptr || tensor->is_splat()) return;
    strides_ = ops::broadcast_strides(tensor->shape(), result.shape());
  }
  double at(const std::vector<std::int64_t>& element) const {
    if (tensor_ == nullptr) return 0;
    std::int64_t offset = 0;
    for (std::size_t d = 0; d < strides_.size(); ++d) offset += element[d] * strides_[d];
    return tensor_->as_double(offset);
  }

 private:
  const Tensor* tensor_;
  std::vector<std::int64_t> strides_;
};

/// An element that rounding can carry across its edge.
struct Undecided {
  std::size_t node;
  std::int64_t index;
  bool differs;  // float32 and float64 are on different sides
  CrossedEdge edge;
};

class Explainer {
 public:
  Explainer(const Graph& graph, const SymbolValues& symbols, const Disagreement& disagreement)
      : graph_(graph), symbols_(symbols), disagreement_(disagreement) {}

  Expected<Explanation> run(std::span<const Tensor> inputs, std::span<const Tensor> results) {
    INGOT_ASSIGN(const std::vector<Tensor> ours, interpret(graph_, inputs, symbols_));
    if (!same(ours, results)) {
      return unexplained("the results are not the interpreter's: this is no matter of rounding");
    }
    INGOT_TRY(walk(inputs, float32_, false, [](std::size_t, auto, std::vector<Tensor>&) {}));
    INGOT_TRY(compute_shadow(inputs));
    if (!blocked_.empty()) {
      return unexplained(
          fmt::format("float32 and float64 differ at {} by more than rounding can do", blocked_));
    }
    if (undecided_.empty()) {
      return unexplained("no op that jumps has an operand within rounding of its threshold");
    }
    return search(inputs);
  }

 private:
  /// Which undecided elements are put on the far side of where float64 has them.
  using Far = std::set<std::pair<std::size_t, std::int64_t>>;

  static Explanation unexplained(std::string why) { return {{}, std::move(why)}; }

  /// Evaluates all nodes; `after` may change results.
  template <class After>
  Expected<void> walk(std::span<const Tensor> inputs, std::vector<Tensor>& values, bool wide,
                      const After& after) {
    values.assign(graph_.value_count(), Tensor());
    for (std::size_t i = 0; i < inputs.size(); ++i)
      values[graph_.inputs()[i].index] = wide ? widen(inputs[i]) : inputs[i];
    for (std::uint32_t v = 0; v < graph_.value_count(); ++v) {
      if (!graph_.is_constant(ValueId{v})) continue;
      const Tensor& constant = graph_.constant(ValueId{v});
      values[v] = wide ? widen(constant) : constant;
    }
    SymbolValues symbols = symbols_;
    for (std::size_t n = 0; n < graph_.nodes().size(); ++n) {
      const Node& node = graph_.nodes()[n];
      std::vector<const Tensor*> operands;
      for (const ValueId input : node.inputs) operands.push_back(&values[input.index]);
      auto outputs = wide ? evaluate_in_float64(graph_, node, operands, symbols)
                          : evaluate_node(graph_, node, operands, symbols);
      if (outputs) {
        if (auto measured = measure(graph_, node, outputs->back(), symbols); !measured)
          outputs = measured.error();
      }
      if (!outputs) {
        return fail(outputs.error().code, "{}: {}", graph_.describe(node), outputs.error().message);
      }
      after(n, std::span<const Tensor* const>(operands), *outputs);
      for (std::size_t i = 0; i < node.outputs.size(); ++i)
        values[node.outputs[i].index] = std::move((*outputs)[i]);
    }
    return {};
  }

  static bool same(std::span<const Tensor> ours, std::span<const Tensor> results) {
    if (results.size() != ours.size()) return false;
    for (std::size_t i = 0; i < results.size(); ++i) {
      if (ours[i].type() != results[i].type()) return false;
      for (std::int64_t e = 0; e < ours[i].elements(); ++e) {
        const double a = ours[i].as_double(e), b = results[i].as_double(e);
        if (a != b && !(std::isnan(a) && std::isnan(b))) return false;
      }
    }
    return true;
  }

  Expected<void> compute_shadow(std::span<const Tensor> inputs) {
    return walk(inputs, shadow_, true, [&](std::size_t n, auto operands, auto& outputs) {
      const Node& node = graph_.nodes()[n];
      if (node.op->name == "top_k") keep_order(node, *operands[0], outputs);
      if (!has_edges(graph_, node)) return;
      Tensor& result = outputs[0];
      const Tensor& computed = float32_[node.outputs[0].index];
      const Tensor* second = operands.size() > 1 ? operands[1] : nullptr;
      const Operand a(operands[0], result), b(second, result);
      const Operand a32(&float32_[node.inputs[0].index], result);
      ops::Walk point(result.shape(), {});
      for (std::int64_t i = 0; i < result.elements(); ++i, point.next()) {
        const double exact = a.at(point.index()), by = b.at(point.index());
        const bool differs =
            on_different_sides(node, result.as_double(i), computed.as_double(i), by);
        const std::optional<Edge> edge = nearest_edge(graph_, node, exact, by);
        const double bound = edge ? bound_at(node, *edge, exact, by) : 0;
        if (edge && edge->gap < bound) {
          undecided_.push_back({n,
                                i,
                                differs,
                                {graph_.describe(node), std::string(node.op->name), point.index(),
                                 a32.at(point.index()), exact, edge->threshold, edge->gap, bound}});
        } else if (differs && blocked_.empty()) {
          blocked_ = graph_.describe(node);
        }
        if (differs) set_number(result, i, computed.as_double(i));
      }
    });
  }

  /// Both runs go on with the same elements, as float32 has sorted them. Only what rounding can
  /// exchange may have changed places.
  void keep_order(const Node& node, const Tensor& operand, std::vector<Tensor>& outputs) {
    const Tensor data = operand.dense();
    const Tensor& order = float32_[node.outputs[1].index];
    const std::int64_t length = data.shape().back(), k = order.shape().back();
    for (std::int64_t i = 0; i < order.elements(); ++i) {
      const std::int64_t row = i / k * length;
      const std::int64_t ours = order.at<std::int64_t>(i), exact = outputs[1].at<std::int64_t>(i);
      if (ours == exact) continue;
      const double a = data.as_double(row + ours), b = data.as_double(row + exact);
      const double bound = bound_of(node.inputs[0], a) + bound_of(node.inputs[0], b);
      if (std::fabs(a - b) > bound && blocked_.empty()) blocked_ = graph_.describe(node);
      outputs[1].set<std::int64_t>(i, ours);
      set_number(outputs[0], i, a);
    }
  }

  double bound_at(const Node& node, const Edge& edge, double a, double b) {
    double bound = bound_of(node.inputs[0], a);
    if (edge.weight_b != 0) bound += edge.weight_b * bound_of(node.inputs[1], b);
    return bound;
  }

  /// How far rounding can move an element of a value, at most.
  double bound_of(ValueId id, double element) {
    const auto [known, fresh] = moved_.emplace(id.index, 0);
    if (fresh) {
      const Tensor &computed = float32_[id.index], &exact = shadow_[id.index];
      const std::int64_t count = exact.is_splat() ? 1 : exact.elements();
      for (std::int64_t i = 0; i < count; ++i) {
        const double distance = std::fabs(computed.as_double(i) - exact.as_double(i));
        if (std::isfinite(distance)) known->second = std::max(known->second, distance);
      }
    }
    // What has no roundings behind it cannot be moved by them.
    if (known->second == 0) return 0;
    return safety * (known->second + unit_roundoff(graph_.type(id).dtype) * std::fabs(element));
  }

  Expected<double> disagreement_with(std::span<const Tensor> inputs, const Far& far) {
    std::vector<Tensor> values;
    INGOT_TRY(walk(inputs, values, true, [&](std::size_t n, auto operands, auto& outputs) {
      auto next = far.lower_bound({n, 0});
      if (next == far.end() || next->first != n) return;
      const Node& node = graph_.nodes()[n];
      Tensor& result = outputs[0];
      const Operand a(operands[0], result), b(operands.size() > 1 ? operands[1] : nullptr, result);
      ops::Walk point(result.shape(), {});
      for (std::int64_t i = 0; next != far.end() && next->first == n; ++i, point.next()) {
        if (next->second != i) continue;
        ++next;
        // An earlier edge may have moved the operand away from this one.
        const double exact = a.at(point.index()), by = b.at(point.index());
        const std::optional<Edge> edge = nearest_edge(graph_, node, exact, by);
        if (edge && edge->gap < bound_at(node, *edge, exact, by))
          set_number(result, i, edge->other);
      }
    }));
    std::vector<Tensor> outputs;
    for (const Output& output : graph_.outputs())
      outputs.push_back(narrow(values[output.value.index], graph_.type(output.value).dtype));
    return disagreement_(outputs);
  }

  /// Turns elements over one by one, from where float64 has them all or from where float32 has
  /// them, whichever is nearer, and keeps what brings the results closer to the reference.
  Expected<Explanation> search(std::span<const Tensor> inputs) {
    Far as_float32, far;
    for (const Undecided& each : undecided_) {
      if (each.differs) as_float32.insert({each.node, each.index});
    }
    INGOT_ASSIGN(double best, disagreement_with(inputs, far));
    INGOT_ASSIGN(const double other, disagreement_with(inputs, as_float32));
    // On the model's own sides float64 agrees: the model is inexact, which excuses nothing.
    if (other == 0) return unexplained("float64 agrees with the reference on the same branches");
    if (other < best) {
      best = other;
      far = as_float32;
    }
    std::sort(undecided_.begin(), undecided_.end(), [](const Undecided& a, const Undecided& b) {
      return std::tuple(!a.differs, a.node, a.index) < std::tuple(!b.differs, b.node, b.index);
    });
    for (std::size_t i = 0; i < undecided_.size() && i < most_tried && best != 0; ++i) {
      Far turned = far;
      const std::pair place(undecided_[i].node, undecided_[i].index);
      if (turned.erase(place) == 0) turned.insert(place);
      INGOT_ASSIGN(const double next, disagreement_with(inputs, turned));
      if (next >= best) continue;
      best = next;
      far = std::move(turned);
    }
    if (best != 0) {
      return unexplained(fmt::format(
          "{} element{} within rounding of a threshold, but the reference is on neither side",
          undecided_.size(), undecided_.size() == 1 ? " is" : "s are"));
    }
    return crossed(far);
  }

  Explanation crossed(const Far& far) {
    std::sort(undecided_.begin(), undecided_.end(), [](const Undecided& a, const Undecided& b) {
      return std::pair(a.node, a.index) < std::pair(b.node, b.index);
    });
    Explanation explanation;
    for (const Undecided& each : undecided_) {
      const bool turned = far.count({each.node, each.index}) != 0;
      if (each.differs != turned) explanation.crossed.push_back(each.edge);
    }
    INGOT_CHECK(!explanation.crossed.empty(), "an explanation without a crossed edge");
    return explanation;
  }

  const Graph& graph_;
  const SymbolValues& symbols_;
  const Disagreement& disagreement_;
  std::vector<Tensor> float32_, shadow_;  // by value
  std::map<std::uint32_t, double> moved_;
  std::vector<Undecided> undecided_;
  std::string blocked_;  // the first node that differs without being near an edge
};

}  // namespace

std::string CrossedEdge::str() const {
  return fmt::format(
      "{} '{}' at [{}]: {} in float32, {} in float64; threshold {}, gap {:.2g}, below the bound "
      "{:.2g}",
      op, node, fmt::join(element, ", "), in_float32, exact, threshold, gap, bound);
}

Expected<Explanation> explain_mismatch(const Graph& graph, std::span<const Tensor> inputs,
                                       const SymbolValues& symbols, std::span<const Tensor> results,
                                       const Disagreement& disagreement) {
  INGOT_ASSIGN(const SymbolValues bound, bind_symbols(graph, inputs, symbols));
  return Explainer(graph, bound, disagreement).run(inputs, results);
}

}  // namespace ingot
