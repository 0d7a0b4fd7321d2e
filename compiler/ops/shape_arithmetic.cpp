// SPDX-License-Identifier: Apache-2.0
#include "ops/shape_arithmetic.h"

#include <unordered_map>

#include "ir/op.h"
#include "ops/common.h"
#include "ops/interpret.h"

namespace ingot::ops {
namespace {

using Dims = std::optional<std::vector<Dim>>;
constexpr std::int64_t max_elements = 1024;
/// Of recursion: a hostile model must not exhaust the stack.
constexpr int max_depth = 512;

bool at_least(const Graph& graph, const Dim& dim, std::int64_t least) {
  return dim.bounds(graph.symbol_ranges()).lo >= least;
}

class Evaluator {
 public:
  Evaluator(const Graph& graph, bool exact) : graph_(graph), exact_(exact) {}

  Dims value(ValueId id) {
    const auto [place, fresh] = memo_.try_emplace(id.index);
    if (!fresh || depth_ == max_depth) return place->second;
    ++depth_;
    Dims dims = compute(id);
    --depth_;
    memo_[id.index] = dims;  // `place` may have moved
    return dims;
  }

 private:
  Dims compute(ValueId id) {
    const TensorType& type = graph_.type(id);
    const std::optional<std::int64_t> count = type.elements().value();
    const bool numbers = is_integer(type.dtype) || type.dtype == DType::boolean;
    if (!numbers || !count || *count > max_elements) return std::nullopt;
    if (*count == 0) return std::vector<Dim>();
    if (graph_.is_constant(id)) {
      const std::vector<std::int64_t> constants = graph_.constant(id).as_int64s();
      return std::vector<Dim>(constants.begin(), constants.end());
    }
    const Node* node = graph_.producer(id);
    if (node == nullptr) return std::nullopt;
    if (const auto symbol = measured_by(*node); symbol && id == node->outputs.back())
      return std::vector{Dim::symbol(*symbol)};
    return compute(*node, type);
  }

  Dims compute(const Node& node, const TensorType& type) {
    const std::string_view op = node.op->name;
    if (op == "dims") return node.attributes.get<std::vector<Dim>>("values");
    if (op == "iota" && type.rank() == 1) {
      std::vector<Dim> numbers;
      const std::int64_t count = type.elements().value().value_or(0);
      for (std::int64_t i = 0; i < count; ++i) numbers.emplace_back(i);
      return numbers;
    }
    std::vector<std::vector<Dim>> operands;
    for (const ValueId input : node.inputs) {
      Dims dims = value(input);
      if (!dims) return std::nullopt;
      operands.push_back(std::move(*dims));
    }
    if (op == "reshape" || (op == "transpose" && type.rank() < 2)) return operands[0];
    if (op == "cast") {
      const DType from = graph_.type(node.inputs[0]).dtype;
      if (type.dtype != DType::boolean || from == DType::boolean) return operands[0];
      for (Dim& dim : operands[0]) {
        const std::optional<Dim> is_true = compare("ne", dim, 0);
        if (!is_true) return std::nullopt;
        dim = *is_true;
      }
      return operands[0];
    }
    if (op == "concat" && type.rank() == 1) {
      std::vector<Dim> joined;
      for (const auto& part : operands) joined.insert(joined.end(), part.begin(), part.end());
      return joined;
    }
    if (op == "slice") return slice(node, type, operands[0]);
    if (op.starts_with("reduce_") && graph_.type(node.inputs[0]).rank() == 1 &&
        node.attributes.get<std::vector<std::int64_t>>("axes").size() == 1) {
      return reduce(op, operands[0]);
    }
    if (op == "broadcast" || node.op->kind == OpKind::pointwise)
      return pointwise(node, type, operands);
    return std::nullopt;
  }

  Dims slice(const Node& node, const TensorType& type, const std::vector<Dim>& from) {
    const auto starts = static_shape(node.attributes.get<Shape>("start"));
    const auto sizes = static_shape(type.shape);
    const auto shape = static_shape(graph_.type(node.inputs[0]).shape);
    const auto& steps = node.attributes.get<std::vector<std::int64_t>>("step");
    if (!starts || !sizes || !shape) return std::nullopt;
    std::vector<Dim> taken;
    std::vector<std::int64_t> at(sizes->size());
    const std::int64_t count = *element_count(*sizes);
    for (std::int64_t i = 0; i < count; ++i) {
      std::int64_t place = 0;
      for (std::size_t d = 0; d < at.size(); ++d)
        place = place * (*shape)[d] + (*starts)[d] + at[d] * steps[d];
      taken.push_back(from[static_cast<std::size_t>(place)]);
      for (std::size_t d = at.size(); d-- > 0;) {
        if (++at[d] < (*sizes)[d]) break;
        at[d] = 0;
      }
    }
    return taken;
  }

  Dims reduce(std::string_view op, const std::vector<Dim>& from) {
    if (op == "reduce_prod") return std::vector{product(from)};
    if (op != "reduce_sum" && from.empty()) return std::nullopt;
    Dim result = op == "reduce_sum" ? Dim(0) : from[0];
    for (std::size_t i = op == "reduce_sum" ? 0 : 1; i < from.size(); ++i) {
      if (op == "reduce_sum") result += from[i];
      if (op == "reduce_max") result = Dim::max(result, from[i]);
      if (op == "reduce_min") result = Dim::min(result, from[i]);
    }
    return std::vector{result};
  }

  Dims pointwise(const Node& node, const TensorType& type,
                 const std::vector<std::vector<Dim>>& operands) {
    const std::optional<std::vector<std::int64_t>> shape = static_shape(type.shape);
    if (!shape) return std::nullopt;
    std::vector<std::vector<std::int64_t>> strides;
    std::int64_t count = 1;
    for (const std::int64_t size : *shape) count *= size;
    for (const ValueId input : node.inputs) {
      const std::optional<std::vector<std::int64_t>> from = static_shape(graph_.type(input).shape);
      if (!from) return std::nullopt;
      strides.push_back(broadcast_strides(*from, *shape));
    }
    Walk walk(*shape, std::move(strides));
    std::vector<Dim> results;
    for (std::int64_t i = 0; i < count; ++i, walk.next()) {
      std::vector<Dim> at;
      for (std::size_t k = 0; k < operands.size(); ++k) {
        at.push_back(operands[k][static_cast<std::size_t>(walk.offset(k))]);
      }
      const std::optional<Dim> result = apply(node.op->name, at);
      if (!result) return std::nullopt;
      results.push_back(*result);
    }
    return results;
  }

  std::optional<Dim> apply(std::string_view op, const std::vector<Dim>& at) {
    if (op == "broadcast") return at[0];
    if (op == "neg") return -at[0];
    if (op == "add") return at[0] + at[1];
    if (op == "sub") return at[0] - at[1];
    if (op == "mul") return at[0] * at[1];
    if (op == "max") return Dim::max(at[0], at[1]);
    if (op == "min") return Dim::min(at[0], at[1]);
    if (op == "div" || op == "mod_trunc" || op == "mod_floor") {
      // Truncating division where it is the same as floor: nothing negative is divided.
      if (at[1].is(0) || !at_least(graph_, at[0], 0) || !at_least(graph_, at[1], exact_ ? 1 : 0))
        return std::nullopt;
      return op == "div" ? Dim::floor_div(at[0], at[1]) : Dim::mod(at[0], at[1]);
    }
    if (op == "where") {
      const std::optional<std::int64_t> condition = at[0].value();
      if (!condition) return std::nullopt;
      return *condition != 0 ? at[1] : at[2];
    }
    if (op == "not" && at[0].value()) return Dim(*at[0].value() == 0 ? 1 : 0);
    if (op == "and" || op == "or" || op == "xor") {
      const std::optional<std::int64_t> a = at[0].value(), b = at[1].value();
      if (!a || !b) return std::nullopt;
      return Dim(op == "and" ? *a & *b : op == "or" ? *a | *b : *a ^ *b);
    }
    if (at.size() == 2) return compare(op, at[0], at[1]);
    return std::nullopt;
  }

  /// Only what holds, or fails, for all values of the symbols.
  std::optional<Dim> compare(std::string_view op, const Dim& a, const Dim& b) {
    const Interval gap = (a - b).bounds(graph_.symbol_ranges());
    auto decide = [](bool yes, bool no) -> std::optional<Dim> {
      if (yes) return Dim(1);
      if (no) return Dim(0);
      return std::nullopt;
    };
    const bool same = gap.lo == 0 && gap.hi == 0;
    const bool apart = gap.lo > 0 || gap.hi < 0;
    if (op == "eq") return decide(same, apart);
    if (op == "ne") return decide(apart, same);
    if (op == "lt") return decide(gap.hi < 0, gap.lo >= 0);
    if (op == "le") return decide(gap.hi <= 0, gap.lo > 0);
    if (op == "gt") return decide(gap.lo > 0, gap.hi <= 0);
    if (op == "ge") return decide(gap.lo >= 0, gap.hi < 0);
    return std::nullopt;
  }

  const Graph& graph_;
  const bool exact_;
  int depth_ = 0;
  std::unordered_map<std::uint32_t, Dims> memo_;
};

class Folder {
 public:
  explicit Folder(const Graph& graph) : graph_(graph) {}

  /// Null where the value depends on more than constants.
  const Tensor* value(ValueId id) {
    if (graph_.is_constant(id)) return &graph_.constant(id);
    const auto known = memo_.find(id.index);
    if (known != memo_.end()) return known->second ? &*known->second : nullptr;
    if (depth_ == max_depth) return nullptr;
    ++depth_;
    std::optional<Tensor> tensor = compute(id);
    --depth_;
    const auto place = memo_.emplace(id.index, std::move(tensor)).first;
    return place->second ? &*place->second : nullptr;
  }

 private:
  std::optional<Tensor> compute(ValueId id) {
    constexpr std::int64_t most_elements = std::int64_t{1} << 24;
    const Node* node = graph_.producer(id);
    const std::optional<std::int64_t> count = graph_.type(id).elements().value();
    if (node == nullptr || !count || *count > most_elements) return std::nullopt;
    std::vector<const Tensor*> operands;
    for (const ValueId input : node->inputs) {
      const Tensor* operand = value(input);
      if (operand == nullptr) return std::nullopt;
      operands.push_back(operand);
    }
    Expected<std::vector<Tensor>> results = evaluate_node(graph_, *node, operands, {});
    if (!results) return std::nullopt;
    return std::move((*results)[graph_.value(id).position]);
  }

  const Graph& graph_;
  int depth_ = 0;
  std::unordered_map<std::uint32_t, std::optional<Tensor>> memo_;
};

}  // namespace

std::optional<std::vector<Dim>> known_dims(const Graph& graph, ValueId value, bool exact) {
  return Evaluator(graph, exact).value(value);
}

std::optional<Tensor> known_constant(const Graph& graph, ValueId value) {
  Folder folder(graph);
  const Tensor* tensor = folder.value(value);
  if (tensor == nullptr) return std::nullopt;
  return *tensor;
}

}  // namespace ingot::ops
