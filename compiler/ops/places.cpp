// SPDX-License-Identifier: Apache-2.0
#include "ops/places.h"

#include <algorithm>
#include <map>

#include "ir/op.h"

namespace ingot::ops {
namespace {

/// Of recursion: longer chains are none that an exporter makes for indices.
constexpr int max_depth = 64;

class Finder {
 public:
  explicit Finder(const Graph& graph) : graph_(graph), ranges_(graph.symbol_ranges()) {}

  std::optional<Affine> affine(ValueId value, int depth = 0) const {
    return once(affine_, value, [&] { return find_affine(value, depth); });
  }
  std::optional<Bounds> bounds(ValueId value, int depth = 0) const {
    return once(bounds_, value, [&] { return find_bounds(value, depth); });
  }

  bool is_positive(const Dim& dim) const { return dim.bounds(ranges_).lo >= 0; }

 private:
  /// A value may be an operand many times over.
  template <class Found, class Find>
  static Found once(std::map<ValueId, Found>& known, ValueId value, const Find& find) {
    if (const auto found = known.find(value); found != known.end()) return found->second;
    Found found = find();
    known.emplace(value, found);
    return found;
  }

  std::optional<Affine> find_affine(ValueId value, int depth) const {
    const TensorType& type = graph_.type(value);
    if (!is_integer(type.dtype) || depth == max_depth) return std::nullopt;
    std::optional<Affine> found = graph_.is_constant(value) ? number(value) : made(value, depth);
    const std::optional<Bounds> bounds = found ? extent(*found, type.shape) : std::nullopt;
    return bounds && fits(*bounds, type.dtype) ? found : std::nullopt;
  }

  std::optional<Bounds> find_bounds(ValueId value, int depth) const {
    const TensorType& type = graph_.type(value);
    if (!is_integer(type.dtype) || depth == max_depth) return std::nullopt;
    if (const std::optional<Affine> known = affine(value, depth)) return extent(*known, type.shape);
    const Node* node = graph_.producer(value);
    if (node == nullptr) return std::nullopt;
    const std::string_view op = node->op->name;
    std::optional<Bounds> found;
    if (op == "top_k" && graph_.value(value).position == 1) {
      found = Bounds{0, graph_.type(node->inputs[0]).shape.back() - 1};
    } else if (op == "reshape" || op == "transpose" || op == "broadcast" || op == "slice" ||
               op == "cast" || op == "gather") {
      found = bounds(node->inputs[0], depth + 1);
    } else if (op == "add" || op == "mul") {
      const auto a = bounds(node->inputs[0], depth + 1);
      const auto b = a ? bounds(node->inputs[1], depth + 1) : std::nullopt;
      if (!b) return std::nullopt;
      if (op == "add") found = Bounds{a->least + b->least, a->greatest + b->greatest};
      if (op == "mul" && is_positive(a->least) && is_positive(b->least))
        found = Bounds{a->least * b->least, a->greatest * b->greatest};
    }
    return found && fits(*found, type.dtype) ? found : std::nullopt;
  }

  bool fits(const Bounds& bounds, DType dtype) const {
    const Interval least = bounds.least.bounds(ranges_), most = bounds.greatest.bounds(ranges_);
    const std::int64_t limit = dtype == DType::i64   ? std::int64_t{1} << 62
                               : dtype == DType::i32 ? INT32_MAX
                                                     : 0;
    return least.lo >= -limit && most.hi <= limit;
  }

  /// From the first to the last element, where no stride goes back.
  std::optional<Bounds> extent(const Affine& affine, const Shape& shape) const {
    Bounds bounds{affine.offset, affine.offset};
    for (std::size_t d = 0; d < shape.size(); ++d) {
      if (affine.strides[d].is(0)) continue;
      if (!is_positive(affine.strides[d])) return std::nullopt;
      bounds.greatest += affine.strides[d] * (shape[d] - 1);
    }
    return bounds;
  }

  std::optional<Affine> number(ValueId value) const {
    const Tensor& tensor = graph_.constant(value);
    if (!tensor.is_splat() && tensor.elements() != 1) return std::nullopt;
    return Affine{tensor.as_int64(0), std::vector<Dim>(tensor.rank())};
  }

  std::optional<Affine> made(ValueId value, int depth) const {
    const Node* node = graph_.producer(value);
    if (node == nullptr) return std::nullopt;
    const std::string_view op = node->op->name;
    const Shape& shape = graph_.type(value).shape;
    if (op == "iota") {
      Affine result{0, std::vector<Dim>(shape.size())};
      const auto axis = static_cast<std::size_t>(node->attributes.get<std::int64_t>("axis"));
      // One coordinate, and when it is broadcast it stays that.
      if (!shape[axis].is(1)) result.strides[axis] = 1;
      return result;
    }
    if (op == "dims") {
      const auto& values = node->attributes.get<std::vector<Dim>>("values");
      if (values.size() != 1) return std::nullopt;
      return Affine{values[0], {0}};
    }
    if (op == "add" || op == "mul") return arithmetic(*node, shape, depth);
    if (op != "reshape" && op != "transpose" && op != "broadcast" && op != "cast")
      return std::nullopt;
    std::optional<Affine> from = affine(node->inputs[0], depth + 1);
    if (!from || op == "cast") return from;
    const Shape& old = graph_.type(node->inputs[0]).shape;
    if (op == "broadcast") from->strides = spread(from->strides, old, shape);
    if (op == "transpose") {
      std::vector<Dim> strides;
      for (const std::int64_t axis : node->attributes.get<std::vector<std::int64_t>>("perm"))
        strides.push_back(from->strides[static_cast<std::size_t>(axis)]);
      from->strides = std::move(strides);
    }
    return op == "reshape" ? reshaped(*from, old, shape) : from;
  }

  std::optional<Affine> arithmetic(const Node& node, const Shape& shape, int depth) const {
    std::optional<Affine> a = affine(node.inputs[0], depth + 1);
    std::optional<Affine> b = a ? affine(node.inputs[1], depth + 1) : std::nullopt;
    if (!b) return std::nullopt;
    a->strides = spread(a->strides, graph_.type(node.inputs[0]).shape, shape);
    b->strides = spread(b->strides, graph_.type(node.inputs[1]).shape, shape);
    auto is_number = [](const Affine& x) {
      return std::all_of(x.strides.begin(), x.strides.end(),
                         [](const Dim& stride) { return stride.is(0); });
    };
    if (node.op->name == "add") {
      a->offset += b->offset;
      for (std::size_t d = 0; d < shape.size(); ++d) a->strides[d] += b->strides[d];
      return a;
    }
    if (!is_number(*b)) std::swap(a, b);
    if (!is_number(*b)) return std::nullopt;
    a->offset *= b->offset;
    for (Dim& stride : a->strides) stride *= b->offset;
    return a;
  }

  /// Aligned at the right.
  static std::vector<Dim> spread(const std::vector<Dim>& strides, const Shape& old,
                                 const Shape& shape) {
    std::vector<Dim> wide(shape.size());
    const std::size_t skip = shape.size() - old.size();
    for (std::size_t d = 0; d < old.size(); ++d) {
      if (!old[d].is(1)) wide[d + skip] = strides[d];
    }
    return wide;
  }

  /// Where axes of one element come and go.
  static std::optional<Affine> reshaped(const Affine& from, const Shape& old, const Shape& shape) {
    Affine result{from.offset, std::vector<Dim>(shape.size())};
    std::size_t at = 0;
    for (std::size_t d = 0; d < shape.size(); ++d) {
      if (shape[d].is(1)) continue;
      while (at < old.size() && old[at].is(1)) ++at;
      if (at == old.size() || old[at] != shape[d]) return std::nullopt;
      result.strides[d] = from.strides[at++];
    }
    while (at < old.size() && old[at].is(1)) ++at;
    return at == old.size() ? std::optional(std::move(result)) : std::nullopt;
  }

  const Graph& graph_;
  SymbolRanges ranges_;
  mutable std::map<ValueId, std::optional<Affine>> affine_;
  mutable std::map<ValueId, std::optional<Bounds>> bounds_;
};

}  // namespace

std::optional<Affine> affine_of(const Graph& graph, ValueId value) {
  return Finder(graph).affine(value);
}

std::optional<Bounds> bounds_of(const Graph& graph, ValueId value) {
  return Finder(graph).bounds(value);
}

bool are_places(const Graph& graph, ValueId value, const Dim& size) {
  const Finder finder(graph);
  const std::optional<Bounds> bounds = finder.bounds(value);
  return bounds && finder.is_positive(bounds->least) &&
         finder.is_positive(size - 1 - bounds->greatest);
}

}  // namespace ingot::ops
