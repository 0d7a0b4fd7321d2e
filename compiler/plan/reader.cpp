// SPDX-License-Identifier: Apache-2.0
#include "plan/reader.h"

#include <limits>

#include "ir/literal.h"
#include "ir/op.h"
#include "plan/print.h"

namespace ingot::plan {

Expected<void> Reader::body(Body& body, std::vector<View>& loads) {
  while (in_.peek() == '%') {
    const std::size_t place = in_.place();
    INGOT_ASSIGN(const std::uint32_t index, step_number());
    if (index != body.steps.size())
      return wrong(place, fmt::format("expected %{}", body.steps.size()));
    INGOT_TRY(in_.expect(":"));
    Step step;
    INGOT_ASSIGN(step.dtype, dtype());
    INGOT_TRY(in_.expect("="));
    INGOT_TRY(this->step(step, loads));
    body.steps.push_back(std::move(step));
  }
  return {};
}

Expected<void> Reader::stores(std::vector<Store>& stores) {
  while (in_.take("store ")) {
    Store store;
    INGOT_ASSIGN(store.step, step_number());
    INGOT_TRY(in_.expect("to "));
    INGOT_ASSIGN(store.view, view());
    stores.push_back(std::move(store));
  }
  return {};
}

Expected<void> Reader::step(Step& step, std::vector<View>& loads) {
  const std::size_t place = in_.place();
  const std::string_view word = in_.run(Cursor::is_number_part);
  if (word == "load" || word == "gather") {
    step.kind = word == "load" ? Step::Kind::load : Step::Kind::gather;
    step.index = static_cast<std::uint32_t>(loads.size());
    INGOT_ASSIGN(View view, this->view());
    loads.push_back(std::move(view));
    if (step.kind == Step::Kind::load) return {};
    INGOT_TRY(in_.expect("at "));
    INGOT_ASSIGN(const std::uint32_t operand, step_number());
    step.operands = {operand};
    INGOT_TRY(in_.expect("below "));
    INGOT_ASSIGN(step.dim, line_dim());
  } else if (word == "index") {
    step.kind = Step::Kind::index;
    INGOT_ASSIGN(step.index, number());
  } else if (word == "size") {
    step.kind = Step::Kind::dim;
    INGOT_ASSIGN(step.dim, line_dim());
  } else if (word == "kept") {
    step.kind = Step::Kind::temp;
    INGOT_ASSIGN(step.index, number());
  } else if (word == "product") {
    step.kind = Step::Kind::product;
  } else if (word.size() > 1 && word[0] == 's' && word[1] >= '0' && word[1] <= '9') {
    step.kind = Step::Kind::scalar;
    INGOT_ASSIGN(const std::int64_t index, in_.at(place, parse_integer(word.substr(1))));
    INGOT_ASSIGN(step.index, narrow(place, index));
  } else if (const OpDef* op = find_op(word)) {
    step.kind = Step::Kind::apply;
    step.op = op;
    do {
      INGOT_ASSIGN(const std::uint32_t operand, step_number());
      step.operands.push_back(operand);
    } while (in_.take(","));
  } else {
    step.kind = Step::Kind::constant;
    step.constant = Tensor(step.dtype, {});
    std::string_view element = word;
    // A nan may show its bits in parentheses.
    if (word == "nan" && in_.peek() == '(') {
      in_.run([](char c) { return Cursor::is_word(c) || c == '(' || c == ')'; });
      element = in_.since(place);
    }
    auto parsed = parse_element(element, step.constant, 0);
    if (!parsed) return in_.error(place, parsed.error());
  }
  return {};
}

Expected<View> Reader::view() {
  View view;
  INGOT_TRY(in_.expect("b"));
  INGOT_ASSIGN(view.buffer, number());
  INGOT_TRY(in_.expect("+"));
  INGOT_ASSIGN(view.offset, dim(in_.place(), in_.before(" by [")));
  INGOT_TRY(in_.expect("by "));
  INGOT_ASSIGN(view.strides, dims());
  return view;
}

Expected<ReduceOp> Reader::reduce_op() {
  for (const ReduceOp op : {ReduceOp::sum, ReduceOp::max, ReduceOp::min, ReduceOp::prod}) {
    if (in_.take(name(op))) return op;
  }
  return in_.expected("sum, max, min or prod");
}

Expected<std::uint32_t> Reader::step_number() {
  INGOT_TRY(in_.expect("%"));
  return number();
}

Expected<TensorType> Reader::type() {
  TensorType type;
  INGOT_ASSIGN(type.dtype, dtype());
  INGOT_ASSIGN(type.shape, dims());
  return type;
}

Expected<DType> Reader::dtype() {
  const std::size_t place = in_.place();
  const std::string_view name = in_.word();
  const std::optional<DType> dtype = dtype_from_name(name);
  if (!dtype) return wrong(place, fmt::format("no element type '{}'", name));
  return *dtype;
}

Expected<std::vector<Dim>> Reader::dims() {
  std::vector<Dim> result;
  INGOT_TRY(in_.expect("["));
  while (!in_.take("]")) {
    if (!result.empty()) INGOT_TRY(in_.expect(","));
    INGOT_ASSIGN(Dim next, dim(in_.place(), in_.until(",]")));
    result.push_back(std::move(next));
  }
  return result;
}

Expected<std::int64_t> Reader::integer() {
  const std::size_t place = in_.place();
  return in_.at(place, parse_integer(in_.run(Cursor::is_number_part)));
}
Expected<std::uint32_t> Reader::number() {
  const std::size_t place = in_.place();
  INGOT_ASSIGN(const std::int64_t value, integer());
  return narrow(place, value);
}
Expected<std::uint32_t> Reader::narrow(std::size_t place, std::int64_t value) const {
  if (value < 0 || value > std::numeric_limits<std::uint32_t>::max())
    return wrong(place, "the number is out of range");
  return static_cast<std::uint32_t>(value);
}
Expected<std::uint64_t> Reader::unsigned_number() {
  const std::size_t place = in_.place();
  Tensor element(DType::u64, {});
  if (auto parsed = parse_element(in_.word(), element, 0); !parsed)
    return in_.error(place, parsed.error());
  return element.at<std::uint64_t>(0);
}
Expected<std::uint64_t> Reader::hash() {
  INGOT_TRY(in_.expect("#"));
  const std::size_t place = in_.place();
  const std::string_view digits = in_.word();
  std::uint64_t value = 0;
  for (const char c : digits) {
    const std::optional<unsigned> digit = Cursor::hex_digit(c);
    if (!digit || digits.size() != 16) return wrong(place, "a hash has 16 hexadecimal digits");
    value = value * 16 + *digit;
  }
  return value;
}

}  // namespace ingot::plan
