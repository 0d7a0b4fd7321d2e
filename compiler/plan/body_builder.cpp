// SPDX-License-Identifier: Apache-2.0
#include "plan/body_builder.h"

#include "ir/op.h"
#include "ops/index.h"

namespace ingot::plan {

std::uint32_t BodyBuilder::push(Step step) {
  body.steps.push_back(std::move(step));
  return static_cast<std::uint32_t>(body.steps.size() - 1);
}

Expected<std::uint32_t> BodyBuilder::step(ValueId value) {
  const auto known = known_.find({value, frame_});
  if (known != known_.end()) return known->second;
  std::uint32_t result = 0;
  if (clusters_.group_of[value.index] != group_) {
    INGOT_ASSIGN(result, leaf(value));
  } else if (std::optional<Step> elsewhere = internal_(value)) {
    result = push(std::move(*elsewhere));
  } else {
    const Node& node = *graph_.producer(value);
    const Group& group = clusters_.groups[static_cast<std::size_t>(group_)];
    if (node.op->kind == OpKind::move && group.view) {
      const Location from = place(*group.view, value);
      const TensorType& type = graph_.type(value);
      result = load(aligned(type.shape, from.buffer, from.offset, from.strides), type.dtype);
    } else if (node.op->kind == OpKind::move) {
      INGOT_ASSIGN(result, leaf(node.inputs[0]));
    } else if (node.op->kind == OpKind::source) {
      INGOT_ASSIGN(result, sizes(node));
    } else if (node.op->kind == OpKind::index) {
      INGOT_ASSIGN(result, gather(node));
    } else {
      INGOT_CHECK(node.op->kind == OpKind::pointwise, "'{}' in the body of a kernel",
                  node.op->name);
      Step step{.kind = Step::Kind::apply, .dtype = graph_.type(value).dtype, .op = node.op};
      for (const ValueId input : node.inputs) {
        INGOT_ASSIGN(const std::uint32_t operand, this->step(input));
        step.operands.push_back(operand);
      }
      result = push(std::move(step));
    }
  }
  known_.emplace(std::pair{value, frame_}, result);
  return result;
}

Expected<std::uint32_t> BodyBuilder::step_of_first_axes(ValueId value) {
  const Frame frame = frame_;
  frame_.resize(graph_.type(value).rank());
  Expected<std::uint32_t> result = step(value);
  frame_ = frame;
  return result;
}

Expected<std::uint32_t> BodyBuilder::leaf(ValueId value) {
  const TensorType& type = graph_.type(value);
  const Access& access = clusters_.access[value.index];
  switch (access.kind) {
    case Access::Kind::constant: {
      const Tensor& tensor = graph_.constant(access.root);
      Step step{.kind = Step::Kind::constant, .dtype = type.dtype};
      step.constant = Tensor::splat(type.dtype, {}, tensor.bytes().first(bytes_of(type.dtype)));
      return push(std::move(step));
    }
    case Access::Kind::dim: {
      Step step{.kind = Step::Kind::dim, .dtype = type.dtype};
      step.dim = access.offset;
      return push(std::move(step));
    }
    case Access::Kind::affine:
      return affine(aligned(type.shape, 0, access.offset, access.strides), type.dtype);
    case Access::Kind::computed:
    case Access::Kind::memory:
      return load(view(value), type.dtype);
  }
  internal_error(__FILE__, __LINE__, "unknown access");
}

std::uint32_t BodyBuilder::load(View view, DType dtype) {
  loads.push_back(std::move(view));
  return push({.kind = Step::Kind::load,
               .dtype = dtype,
               .index = static_cast<std::uint32_t>(loads.size() - 1)});
}

Expected<std::uint32_t> BodyBuilder::window_step(
    ValueId value, const std::vector<ops::WindowAxis>& axes,
    const std::vector<std::optional<std::uint32_t>>& taps) {
  const TensorType& type = graph_.type(value);
  const Access& access = clusters_.access[value.index];
  if (access.kind == Access::Kind::constant || access.kind == Access::Kind::dim) return leaf(value);
  const bool affine = access.kind == Access::Kind::affine;
  const Location from = affine ? Location{0, access.offset, access.strides} : place(value);
  View view{from.buffer, from.offset, std::vector<Dim>(space_.size(), 0)};
  for (std::size_t d = 0; d < axes.size(); ++d) {
    if (!affine && type.shape[d].is(1)) continue;  // the only position that is ever read
    view.offset += from.strides[d] * Dim(-axes[d].pad_begin);
    view.strides[d] = from.strides[d] * axes[d].stride;
    if (taps[d]) view.strides[*taps[d]] = from.strides[d] * axes[d].dilation;
  }
  return affine ? this->affine(view, type.dtype) : load(std::move(view), type.dtype);
}

/// Sizes and coordinates are computed, but their index is checked like any other: by reading a zero
/// in memory that no index moves, to which they are added.
Expected<std::uint32_t> BodyBuilder::gather(const Node& node) {
  const ValueId data = node.inputs[0];
  const TensorType& type = graph_.type(data);
  const auto axis = static_cast<std::size_t>(node.attributes.get<std::int64_t>("axis"));
  const std::size_t batch = ops::batch_axes(node.attributes);
  const std::size_t count = graph_.type(node.inputs[1]).rank() - batch;
  const Frame frame = frame_;
  const std::size_t base = frame.size() - graph_.type(node.outputs[0]).rank();
  const auto first = frame.begin() + static_cast<std::ptrdiff_t>(base);
  const auto middle = first + static_cast<std::ptrdiff_t>(axis);
  frame_.assign(first, first + static_cast<std::ptrdiff_t>(batch));
  frame_.insert(frame_.end(), middle, middle + static_cast<std::ptrdiff_t>(count));
  INGOT_ASSIGN(const std::uint32_t index, step(node.inputs[1]));
  frame_ = frame;

  const Access& access = clusters_.access[data.index];
  const bool memory = access.kind != Access::Kind::affine && access.kind != Access::Kind::dim;
  Location from{0, 0, std::vector<Dim>(type.rank(), 0)};
  if (memory) {
    from = place(data);
  } else if (access.kind == Access::Kind::affine) {
    from = {0, access.offset, access.strides};
  }
  View view{from.buffer, from.offset, std::vector<Dim>(space_.size() + 1, 0)};
  for (std::size_t d = 0; d < type.rank(); ++d) {
    if (type.shape[d].is(1)) continue;
    const std::size_t to = d < axis ? d : d + count - 1;
    (d == axis ? view.strides.back() : view.strides[frame[base + to]]) = from.strides[d];
  }
  auto pick = [&](View from_view) {
    loads.push_back(std::move(from_view));
    return push({.kind = Step::Kind::gather,
                 .dtype = type.dtype,
                 .index = static_cast<std::uint32_t>(loads.size() - 1),
                 .operands = {index},
                 .dim = type.shape[axis]});
  };
  if (memory) return pick(std::move(view));

  const std::uint32_t checked =
      pick({storage_.zero(type.dtype, plan_), 0, std::vector<Dim>(space_.size() + 1, 0)});
  if (access.kind == Access::Kind::dim)
    return apply("add", type.dtype, {checked, size(access.offset, type.dtype)});
  const Dim along = view.strides.back();
  view.strides.pop_back();
  std::uint32_t place = index;
  if (body.steps[index].dtype != type.dtype) place = apply("cast", type.dtype, {index});
  place = apply("mul", type.dtype, {place, size(along, type.dtype)});
  return apply("add", type.dtype,
               {checked, apply("add", type.dtype, {affine(view, type.dtype), place})});
}

std::uint32_t BodyBuilder::size(const Dim& value, DType dtype) {
  Step step{.kind = Step::Kind::dim, .dtype = dtype};
  step.dim = value;
  return push(std::move(step));
}

std::uint32_t BodyBuilder::apply(std::string_view op_name, DType dtype,
                                 std::vector<std::uint32_t> operands) {
  return push({.kind = Step::Kind::apply,
               .dtype = dtype,
               .op = &op(op_name),
               .operands = std::move(operands)});
}

std::uint32_t BodyBuilder::affine(const View& walk, DType dtype) {
  std::optional<std::uint32_t> sum;
  auto add = [&](std::uint32_t term) { sum = sum ? apply("add", dtype, {*sum, term}) : term; };
  if (!walk.offset.is(0)) add(size(walk.offset, dtype));
  for (std::uint32_t d = 0; d < walk.strides.size(); ++d) {
    if (walk.strides[d].is(0)) continue;
    std::uint32_t term = push({.kind = Step::Kind::index, .dtype = dtype, .index = d});
    if (!walk.strides[d].is(1)) term = apply("mul", dtype, {term, size(walk.strides[d], dtype)});
    add(term);
  }
  return sum ? *sum : size(0, dtype);
}

/// A vector of sizes: the one that belongs to the coordinate.
Expected<std::uint32_t> BodyBuilder::sizes(const Node& node) {
  if (node.op->name != "dims") return leaf(node.outputs[0]);
  const auto& values = node.attributes.get<std::vector<Dim>>("values");
  if (values.empty()) return size(0, DType::i64);
  const std::uint32_t index =
      push({.kind = Step::Kind::index, .dtype = DType::i64, .index = frame_.back()});
  std::uint32_t result = size(values[0], DType::i64);
  for (std::size_t i = 1; i < values.size(); ++i) {
    const std::uint32_t here =
        apply("eq", DType::boolean, {index, size(static_cast<std::int64_t>(i), DType::i64)});
    const std::uint32_t value = size(values[i], DType::i64);
    result = apply("where", DType::i64, {here, value, result});
  }
  return result;
}

View BodyBuilder::aligned(const Shape& shape, BufferId buffer, Dim offset,
                          const std::vector<Dim>& strides) const {
  View view{buffer, std::move(offset), std::vector<Dim>(space_.size(), 0)};
  const bool rows = rows_ && frame_.size() == space_.size() && shape.size() + 1 == space_.size() &&
                    is_row_shape(shape, space_);
  const std::size_t skip = rows ? 0 : frame_.size() - shape.size();
  for (std::size_t d = 0; d < shape.size(); ++d) {
    if (!shape[d].is(1)) view.strides[frame_[d + skip]] = strides[d];
  }
  return view;
}

Location BodyBuilder::place(ValueId value) {
  return place(clusters_.access[value.index], value);
}

Location BodyBuilder::place(const Access& access, ValueId value) {
  if (access.kind == Access::Kind::computed) return storage_.location(value);
  // One number, over and over.
  if (access.kind == Access::Kind::constant)
    return {storage_.constant(graph_, access.root, plan_).buffer, 0,
            std::vector<Dim>(graph_.type(value).rank(), 0)};
  const Location& root = graph_.is_constant(access.root)
                             ? storage_.constant(graph_, access.root, plan_)
                             : storage_.location(access.root);
  return {root.buffer, root.offset + access.offset, access.strides};
}

View BodyBuilder::view(ValueId value) {
  const Location from = place(value);
  return aligned(graph_.type(value).shape, from.buffer, from.offset, from.strides);
}

Store BodyBuilder::store(ValueId value, std::uint32_t step) const {
  const Location& place = storage_.location(value);
  return {step, aligned(graph_.type(value).shape, place.buffer, place.offset, place.strides)};
}

}  // namespace ingot::plan
