// SPDX-License-Identifier: Apache-2.0
#include "ops/loop.h"

#include <algorithm>
#include <cstring>

#include "ops/common.h"
#include "ops/interpret.h"

namespace ingot::ops {
namespace {

using Integers = std::vector<std::int64_t>;

std::string port(const Graph& body, std::size_t input) {
  return fmt::format("the body's input '{}'", body.value(body.inputs()[input]).name);
}

/// The symbols that the body's nodes measure.
std::vector<Symbol> measured_within(const Graph& body) {
  std::vector<Symbol> symbols;
  for (const Node& node : body.nodes()) {
    if (const auto name = measured_by(node)) symbols.push_back({*name, {}, Dim(0)});
  }
  return symbols;
}

/// A shape without an axis, or nothing where there is no such axis.
std::optional<Shape> without(const Shape& shape, std::size_t axis) {
  if (axis >= shape.size()) return std::nullopt;
  Shape rest = shape;
  rest.erase(rest.begin() + static_cast<std::ptrdiff_t>(axis));
  return rest;
}

/// Numbers that the attributes give must fit the operands and the body, before they are used.
Expected<void> check_counts(const InferContext& context) {
  const Attributes& attributes = context.attributes();
  const Graph& body = *attributes.get<Subgraph>("body");
  const auto& axes = attributes.get<Integers>("axes");
  const std::int64_t carried = attributes.get<std::int64_t>("carried");
  const bool conditional = attributes.find("turns") != nullptr;
  const auto outputs = std::ssize(body.outputs()) - (conditional ? 1 : 0);
  const auto operands = static_cast<std::int64_t>(context.input_count());
  if (conditional && (outputs < 0 || operands == 0))
    return context.error("a loop with a condition has one as its last operand and output");
  if (carried < 0 || carried > outputs || carried > operands)
    return context.error(fmt::format("{} values cannot be carried", carried));
  const std::int64_t sliced = std::ssize(axes) - (outputs - carried);
  if (sliced < 0 || carried + sliced > operands)
    return context.error(fmt::format("{} axes do not fit its operands and results", axes.size()));
  if (attributes.get<Integers>("reversed").size() != axes.size())
    return context.error("'axes' and 'reversed' differ in length");
  if (attributes.get<Shape>("trips").size() != 1) return context.error("'trips' is not one number");
  if (std::ssize(body.inputs()) != operands + 1) {
    return context.error(
        fmt::format("its body has {} inputs, {} wanted", body.inputs().size(), operands + 1));
  }
  return {};
}

/// Whether there is a first iteration, and another one; what is stacked grows at its end.
Expected<void> check_condition(const InferContext& context, const Scan& scan) {
  const auto& turns = context.attributes().get<Shape>("turns");
  if (turns.size() != 1 || !turns[0].symbol_name())
    return context.error("'turns' is not the name of a size");
  const TensorType condition{DType::boolean, {}};
  if (context.input(context.input_count() - 1) != condition)
    return context.error("its last operand says whether there is an iteration, bool[]");
  if (scan.body->type(scan.body->outputs().back().value) != condition)
    return context.error("its body's last output says whether there is another, bool[]");
  for (std::size_t i = 0; i < scan.stacked; ++i) {
    if (scan.of_result(i).axis != 0 || scan.of_result(i).reversed)
      return context.error("a loop with a condition stacks along the first axis");
  }
  return {};
}

/// Sizes that are written differently must be equal in each call.
Expected<void> check_input(const InferContext& context, const Graph& body, std::size_t operand,
                           const TensorType& given) {
  const TensorType& wanted = body.type(body.inputs()[1 + operand]);
  if (wanted.dtype != given.dtype || wanted.rank() != given.rank()) {
    return context.error(
        fmt::format("{} is {}, not {}", port(body, 1 + operand), str(wanted), str(given)));
  }
  for (std::size_t d = 0; d < wanted.rank(); ++d)
    INGOT_TRY(context.require_equal(wanted.shape[d], given.shape[d]));
  return {};
}

Expected<std::vector<TensorType>> infer_scan(const InferContext& context) {
  INGOT_TRY(check_counts(context));
  const Scan scan(context.attributes(), context.input_count());
  const Graph& body = *scan.body;
  if (body.type(body.inputs()[0]) != TensorType{DType::i64, {}})
    return context.error(port(body, 0) + " is the iteration's number, i64[]");
  INGOT_TRY(context.require_at_least(scan.trips, 0));
  if (context.attributes().find("turns") != nullptr) INGOT_TRY(check_condition(context, scan));
  for (std::size_t i = 0; i < context.input_count(); ++i) {
    TensorType given = context.input(i);
    const bool slice = i >= scan.carried && i < scan.carried + scan.sliced;
    if (slice) {
      const std::size_t axis = scan.of_operand(i - scan.carried).axis;
      std::optional<Shape> rest = without(given.shape, axis);
      if (!rest) return context.error(fmt::format("operand {} has no axis {}", i, axis));
      INGOT_TRY(context.require_equal(given.shape[axis], scan.trips));
      given.shape = *std::move(rest);
    }
    INGOT_TRY(check_input(context, body, i, given));
  }
  std::vector<TensorType> results;
  for (std::size_t i = 0; i < scan.carried + scan.stacked; ++i) {
    TensorType type = body.type(body.outputs()[i].value);
    if (i < scan.carried) {
      INGOT_TRY(check_input(context, body, i, type));
    } else {
      const std::size_t axis = scan.of_result(i - scan.carried).axis;
      if (axis > type.rank())
        return context.error(fmt::format("its body's output {} has no axis {}", i, axis));
      for (const Dim& size : type.shape) {
        if (depends_on_data(size, measured_within(body)))
          return context.error(fmt::format("its body's output {} changes its size", i));
      }
      type.shape.insert(type.shape.begin() + static_cast<std::ptrdiff_t>(axis), scan.entries());
    }
    results.push_back(std::move(type));
  }
  if (scan.turns) results.push_back({DType::i64, {}});
  for (const Constraint& constraint : body.constraints()) INGOT_TRY(context.require(constraint));
  return results;
}

/// Entry `entry` of an axis: `outer` runs of `inner` bytes, `step` bytes apart.
struct Entries {
  Entries(const Integers& shape, std::size_t axis, std::size_t element) {
    for (std::size_t d = 0; d < shape.size(); ++d) {
      if (d < axis) outer *= static_cast<std::size_t>(shape[d]);
      if (d > axis) inner *= static_cast<std::size_t>(shape[d]);
    }
    inner *= element;
    step = inner * static_cast<std::size_t>(shape[axis]);
  }
  std::size_t outer = 1, inner = 1, step = 0;
};

Tensor take(const Tensor& whole, std::size_t axis, std::int64_t entry) {
  Integers shape = whole.shape();
  shape.erase(shape.begin() + static_cast<std::ptrdiff_t>(axis));
  if (whole.is_splat()) return Tensor::splat(whole.dtype(), shape, whole.bytes());
  Tensor part(whole.dtype(), shape);
  const Entries entries(whole.shape(), axis, bytes_of(whole.dtype()));
  if (part.elements() == 0) return part;
  for (std::size_t o = 0; o < entries.outer; ++o) {
    std::memcpy(
        part.mutable_bytes().data() + o * entries.inner,
        whole.bytes().data() + o * entries.step + static_cast<std::size_t>(entry) * entries.inner,
        entries.inner);
  }
  return part;
}

void put(Tensor& whole, const Tensor& entry_or_splat, std::size_t axis, std::int64_t entry) {
  const Tensor part = entry_or_splat.dense();
  if (part.elements() == 0) return;
  const Entries entries(whole.shape(), axis, bytes_of(whole.dtype()));
  for (std::size_t o = 0; o < entries.outer; ++o) {
    std::memcpy(whole.mutable_bytes().data() + o * entries.step +
                    static_cast<std::size_t>(entry) * entries.inner,
                part.bytes().data() + o * entries.inner, entries.inner);
  }
}

bool is_true(const Tensor& condition) { return std::to_integer<int>(condition.bytes()[0]) != 0; }

Expected<std::vector<Tensor>> evaluate_scan(const EvaluateContext& context) {
  const Graph& body = *context.attributes().get<Subgraph>("body");
  return run_scan(context, [&](std::span<const Tensor> inputs) {
    return interpret(body, inputs, context.symbols);
  });
}

}  // namespace

Scan::Scan(const Node& node) : Scan(node.attributes, node.inputs.size()) {}

Scan::Scan(const Attributes& attributes, std::size_t operands)
    : body(attributes.get<Subgraph>("body").graph.get()),
      trips(attributes.get<Shape>("trips")[0]),
      carried(static_cast<std::size_t>(attributes.get<std::int64_t>("carried"))) {
  const auto& axes = attributes.get<Integers>("axes");
  const auto& reversed = attributes.get<Integers>("reversed");
  for (std::size_t i = 0; i < axes.size(); ++i)
    along.push_back({static_cast<std::size_t>(axes[i]), reversed[i] != 0});
  if (attributes.find("turns") != nullptr) turns = attributes.get<Shape>("turns")[0].symbol_name();
  stacked = body->outputs().size() - carried - (attributes.find("turns") != nullptr ? 1 : 0);
  sliced = axes.size() - stacked;
  same = operands - carried - sliced;
}

Expected<std::vector<Tensor>> run_scan(const EvaluateContext& context, const RunBody& run) {
  const Scan scan(context.node);
  INGOT_ASSIGN(const std::int64_t trips, scan.trips.evaluate(context.symbols));
  std::vector<Tensor> results;
  for (std::size_t i = 0; i < scan.carried; ++i) results.push_back(*context.inputs[i]);
  for (std::size_t i = scan.carried; i < scan.carried + scan.stacked; ++i)
    results.emplace_back(context.output_dtypes[i], context.output_shapes[i]);
  std::vector<Tensor> inputs(context.inputs.size() + 1);
  for (std::size_t i = scan.carried + scan.sliced; i < context.inputs.size(); ++i)
    inputs[i + 1] = *context.inputs[i];
  bool more = !scan.turns || is_true(*context.inputs.back());
  std::vector<std::vector<Tensor>> entries(scan.stacked);
  std::int64_t t = 0;
  for (; more && t < trips; ++t) {
    const auto entry = [&](const Scan::Along& along) { return along.reversed ? trips - 1 - t : t; };
    inputs[0] = Tensor(DType::i64, {});
    inputs[0].set<std::int64_t>(0, t);
    for (std::size_t i = 0; i < scan.carried; ++i) inputs[1 + i] = std::move(results[i]);
    for (std::size_t i = 0; i < scan.sliced; ++i) {
      const Scan::Along& along = scan.of_operand(i);
      inputs[1 + scan.carried + i] =
          take(*context.inputs[scan.carried + i], along.axis, entry(along));
    }
    INGOT_ASSIGN(std::vector<Tensor> outputs, run(inputs));
    if (scan.turns) more = is_true(outputs.back());
    for (std::size_t i = 0; i < scan.carried; ++i) results[i] = std::move(outputs[i]);
    for (std::size_t i = 0; i < scan.stacked; ++i) {
      const Scan::Along& along = scan.of_result(i);
      if (scan.turns) {
        entries[i].push_back(std::move(outputs[scan.carried + i]));
      } else {
        put(results[scan.carried + i], outputs[scan.carried + i], along.axis, entry(along));
      }
    }
  }
  if (!scan.turns) return results;
  if (more) return fail(ErrorCode::limit, "more than {} iterations are wanted", trips);
  for (std::size_t i = 0; i < scan.stacked; ++i) {
    Tensor& result = results[scan.carried + i];
    std::vector<std::int64_t> shape = result.shape();
    shape[0] = t;
    result = Tensor(result.dtype(), std::move(shape));
    for (std::int64_t e = 0; e < t; ++e) put(result, entries[i][static_cast<std::size_t>(e)], 0, e);
  }
  results.emplace_back(DType::i64, std::vector<std::int64_t>{});
  results.back().set<std::int64_t>(0, t);
  return results;
}

void add_loop_ops(std::vector<OpDef>& table) {
  table.push_back({"scan",
                   "a graph for each entry of an axis, one after the other",
                   OpKind::loop,
                   0,
                   -1,
                   {{"axes", AttributeType::integers},
                    {"body", AttributeType::subgraph},
                    {"carried", AttributeType::integer},
                    {"reversed", AttributeType::integers},
                    {"trips", AttributeType::dims},
                    {"turns", AttributeType::dims, false}},
                   infer_scan,
                   evaluate_scan});
}

}  // namespace ingot::ops
