// SPDX-License-Identifier: Apache-2.0
#include "import/onnx/node.h"

#include "ops/shape_arithmetic.h"

namespace ingot::onnx {
namespace {

std::string_view type_text(AttributeProto::Type type) {
  constexpr std::string_view texts[] = {"of no type",
                                        "a number",
                                        "a whole number",
                                        "a text",
                                        "a tensor",
                                        "a graph",
                                        "a list of numbers",
                                        "a list of whole numbers",
                                        "a list of texts",
                                        "a list of tensors",
                                        "a list of graphs",
                                        "a sparse tensor",
                                        "a list of sparse tensors",
                                        "a type",
                                        "a list of types"};
  return texts[type];
}

}  // namespace

OnnxNode::OnnxNode(Graph& graph, const NodeProto& proto, std::string node_name, std::int64_t opset,
                   std::vector<ValueId> inputs, std::vector<Narrow> narrow,
                   std::vector<bool> used_outputs, const AttributeBindings* bindings,
                   const ExternalFolder& folder)
    : Composer(graph, std::move(node_name)),
      proto_(proto),
      opset_(opset),
      inputs_(std::move(inputs)),
      narrow_(std::move(narrow)),
      used_outputs_(std::move(used_outputs)),
      bindings_(bindings),
      folder_(folder) {}

const AttributeProto* OnnxNode::find(std::string_view name) const {
  for (const AttributeProto& attribute : proto_.attribute()) {
    if (attribute.name() != name) continue;
    if (attribute.ref_attr_name().empty()) return &attribute;
    if (bindings_ == nullptr) return nullptr;
    const auto bound = bindings_->find(attribute.ref_attr_name());
    return bound == bindings_->end() ? nullptr : bound->second;
  }
  return nullptr;
}

const AttributeProto* OnnxNode::find(std::string_view name, AttributeProto::Type type) {
  const AttributeProto* attribute = find(name);
  // Files of IR version 1 leave the type out.
  if (attribute == nullptr || attribute->type() == type ||
      attribute->type() == AttributeProto::UNDEFINED) {
    return attribute;
  }
  invalid("attribute '{}' is {}, {} wanted", name, type_text(attribute->type()), type_text(type));
  return nullptr;
}

std::int64_t OnnxNode::integer(std::string_view name, std::int64_t otherwise) {
  const AttributeProto* attribute = find(name, AttributeProto::INT);
  return attribute == nullptr ? otherwise : attribute->i();
}

double OnnxNode::real(std::string_view name, double otherwise) {
  const AttributeProto* attribute = find(name, AttributeProto::FLOAT);
  return attribute == nullptr ? otherwise : static_cast<double>(attribute->f());
}

std::string OnnxNode::text(std::string_view name, const std::string& otherwise) {
  const AttributeProto* attribute = find(name, AttributeProto::STRING);
  return attribute == nullptr ? otherwise : attribute->s();
}

std::optional<std::vector<std::int64_t>> OnnxNode::integers(std::string_view name) {
  const AttributeProto* attribute = find(name, AttributeProto::INTS);
  if (attribute == nullptr) return std::nullopt;
  return std::vector<std::int64_t>(attribute->ints().begin(), attribute->ints().end());
}

std::optional<std::vector<double>> OnnxNode::reals(std::string_view name) {
  const AttributeProto* attribute = find(name, AttributeProto::FLOATS);
  if (attribute == nullptr) return std::nullopt;
  return std::vector<double>(attribute->floats().begin(), attribute->floats().end());
}

std::vector<std::string> OnnxNode::texts(std::string_view name) {
  const AttributeProto* attribute = find(name, AttributeProto::STRINGS);
  if (attribute == nullptr) return {};
  return {attribute->strings().begin(), attribute->strings().end()};
}

std::optional<Tensor> OnnxNode::tensor(std::string_view name, Narrow* narrow) {
  const AttributeProto* attribute = find(name, AttributeProto::TENSOR);
  if (attribute == nullptr || refuse_narrow(attribute->t().data_type(), narrow))
    return std::nullopt;
  Expected<Tensor> tensor = to_tensor(attribute->t(), folder_);
  if (!tensor) {
    fail_with(tensor.error());
    return std::nullopt;
  }
  return *std::move(tensor);
}

bool OnnxNode::refuse_narrow(std::int32_t data_type, Narrow* narrow) {
  const Narrow type = narrow_of(data_type);
  if (narrow != nullptr) *narrow = type;
  if (narrow != nullptr || type == Narrow::none) return false;
  unsupported(Refused::element_type, "integers of {} bits are not supported here", bits_of(type));
  return true;
}

std::optional<DType> OnnxNode::dtype_attribute(std::string_view name, Narrow* narrow) {
  if (!has(name)) return std::nullopt;
  const std::int64_t number = integer(name, 0);
  const auto data_type = static_cast<std::int32_t>(number < 0 || number > 255 ? 0 : number);
  if (refuse_narrow(data_type, narrow)) return std::nullopt;
  const Expected<DType> dtype = to_dtype(data_type);
  if (!dtype) {
    fail_with(dtype.error());
    return std::nullopt;
  }
  return *dtype;
}

const GraphProto* OnnxNode::subgraph(std::string_view name) {
  const AttributeProto* attribute = find(name, AttributeProto::GRAPH);
  return attribute == nullptr ? nullptr : &attribute->g();
}

void OnnxNode::refuse_operand(std::size_t i, std::string_view what, std::string_view why) {
  unsupported(Refused::constant_operand, "its {} (input {}) {}", what, i, why);
  if (!has_input(i)) return;
  const Value& value = graph().value(input(i));
  if (value.kind == Value::Kind::input)
    advise(fmt::format("fix the input with --constant {}=VALUE, a number or a list", value.name));
}

std::optional<std::vector<Dim>> OnnxNode::known_dims(std::size_t i, std::string_view what) {
  if (failed()) return std::nullopt;
  std::optional<std::vector<Dim>> dims;
  if (has_input(i)) dims = ops::known_dims(graph(), input(i));
  if (!dims) refuse_operand(i, what, "depends on data");
  return dims;
}

std::optional<std::vector<std::int64_t>> OnnxNode::known_integers(std::size_t i,
                                                                  std::string_view what) {
  const std::optional<std::vector<Dim>> dims = known_dims(i, what);
  if (!dims) return std::nullopt;
  std::optional<std::vector<std::int64_t>> numbers = static_shape(*dims);
  if (!numbers)
    unsupported(Refused::known_size, "its {} (input {}) depends on a symbolic size", what, i);
  return numbers;
}

std::optional<Tensor> OnnxNode::known_constant(std::size_t i, std::string_view what) {
  if (failed()) return std::nullopt;
  std::optional<Tensor> tensor;
  if (has_input(i)) tensor = ops::known_constant(graph(), input(i));
  if (!tensor) refuse_operand(i, what, "is not a constant");
  return tensor;
}

std::optional<std::vector<std::int64_t>> OnnxNode::integers_or_input(std::string_view name,
                                                                     std::size_t i) {
  if (has_input(i)) return known_integers(i, name);
  return integers(name);
}

}  // namespace ingot::onnx
