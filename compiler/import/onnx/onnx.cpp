// SPDX-License-Identifier: Apache-2.0
#include "import/onnx/onnx.h"

#include <google/protobuf/io/coded_stream.h>

#include <limits>

#include "import/inputs.h"
#include "import/onnx/tensor_proto.h"
#include "import/onnx/walk.h"

namespace ingot {
namespace onnx {
namespace {

class Importer {
 public:
  Importer(const ModelProto& model, const ImportOptions& options,
           const std::filesystem::path& folder, Survey& survey)
      : model_(model),
        options_(options),
        survey_(survey),
        walker_(graph_, model, {folder, options.on_read}, survey) {
    graph_.arithmetic = options.arithmetic;
  }

  Expected<Graph> run();

 private:
  Expected<void> import();
  Expected<void> check_opset();
  Expected<void> register_initializers();
  std::string names(const google::protobuf::RepeatedPtrField<ValueInfoProto>& all) const;
  Expected<void> choose_outputs();
  Expected<void> find_inner_inputs();
  Expected<void> bind_inputs(const Liveness& live);
  Expected<void> bind_input(const ValueInfoProto& input, bool is_live);
  /// What the file says of an input; a reason when it is not a tensor we have.
  Expected<FileInput> describe(const ValueInfoProto& input) const;
  Narrow narrow_input(const ValueInfoProto& input) const;

  const ModelProto& model_;
  const ImportOptions& options_;
  Survey& survey_;
  Graph graph_;
  Walker walker_;
  Scope root_;
  Opsets opsets_;
  std::vector<std::string> outputs_;
  std::vector<FileInput> inputs_;
  Liveness live_;
};

Expected<void> Importer::check_opset() {
  opsets_ = read_opsets(model_.opset_import());
  root_.opsets = &opsets_;
  const auto standard = opsets_.find("");
  if (standard == opsets_.end()) return {};  // nodes that need it will say so
  survey_.format = fmt::format("ONNX, opset {}", standard->second);
  if (standard->second > newest_opset) {
    return fail(ErrorCode::unsupported,
                "the model uses opset {}; {} is the newest that is supported, "
                "export it for that",
                standard->second, newest_opset);
  }
  return {};
}

Expected<void> Importer::register_initializers() {
  for (const TensorProto& tensor : model_.graph().initializer()) {
    if (!root_.initializers.emplace(tensor.name(), &tensor).second) {
      return fail(ErrorCode::invalid_model, "two weights are called '{}'", tensor.name());
    }
  }
  return {};
}

/// For a message: what else could have been meant.
std::string Importer::names(const google::protobuf::RepeatedPtrField<ValueInfoProto>& all) const {
  std::string text;
  for (const ValueInfoProto& value : all) {
    if (root_.initializers.contains(value.name())) continue;
    text += (text.empty() ? "" : ", ") + value.name();
  }
  return text.empty() ? "none" : text;
}

Expected<void> Importer::choose_outputs() {
  std::unordered_set<std::string> known;
  for (const ValueInfoProto& input : model_.graph().input()) known.insert(input.name());
  for (const TensorProto& tensor : model_.graph().initializer()) known.insert(tensor.name());
  for (const NodeProto& node : model_.graph().node()) {
    known.insert(node.output().begin(), node.output().end());
  }
  for (const std::string& name : options_.outputs) {
    if (!known.contains(name)) {
      return fail(ErrorCode::invalid_argument,
                  "--outputs {}: the model has no such value; its outputs are {}", name,
                  names(model_.graph().output()));
    }
  }
  for (const InputSpec& spec : options_.inputs) {
    if (!known.contains(spec.name)) {
      return fail(ErrorCode::invalid_argument,
                  "--input {}: the model has no such value; its inputs are {}", spec.name,
                  names(model_.graph().input()));
    }
  }
  outputs_ = options_.outputs;
  if (!outputs_.empty()) return {};
  for (const ValueInfoProto& output : model_.graph().output()) outputs_.push_back(output.name());
  if (outputs_.empty()) return fail(ErrorCode::invalid_model, "the model has no outputs");
  return {};
}

/// Names in --input that the file does not list as inputs: values inside the model.
Expected<void> Importer::find_inner_inputs() {
  std::unordered_set<std::string> listed;
  for (const ValueInfoProto& input : model_.graph().input()) listed.insert(input.name());
  for (const InputSpec& spec : options_.inputs) {
    if (listed.contains(spec.name)) continue;
    root_.given.insert(spec.name);
    FileInput input{spec.name, {}, {}};
    if (const auto stored = root_.initializers.find(spec.name);
        stored != root_.initializers.end()) {
      INGOT_ASSIGN(input.dtype, to_dtype(stored->second->data_type()));
      input.shape.emplace(stored->second->dims().begin(), stored->second->dims().end());
    }
    inputs_.push_back(std::move(input));
  }
  return {};
}

Expected<FileInput> Importer::describe(const ValueInfoProto& input) const {
  FileInput described{input.name(), {}, {}};
  if (input.type().value_case() == TypeProto::VALUE_NOT_SET) return described;
  if (!input.type().has_tensor_type()) {
    return fail(ErrorCode::unsupported, "it is a sequence, map, optional or sparse tensor");
  }
  const TypeProto::Tensor& type = input.type().tensor_type();
  if (type.elem_type() != 0) {
    INGOT_ASSIGN(described.dtype, to_dtype(type.elem_type()));
  }
  if (!type.has_shape()) return described;
  described.shape.emplace();
  for (const TensorShapeProto::Dimension& dim : type.shape().dim()) {
    // Some exporters write -1 for unknown, others an empty name.
    if (dim.has_dim_value() && dim.dim_value() >= 0) {
      described.shape->emplace_back(dim.dim_value());
    } else if (!dim.dim_param().empty()) {
      described.shape->emplace_back(dim.dim_param());
    } else {
      described.shape->emplace_back(std::monostate());
    }
  }
  return described;
}

/// An input of integers of 2 or 4 bits is one of bytes, unless the user says what it is.
Narrow Importer::narrow_input(const ValueInfoProto& input) const {
  const InputSpec* spec = find_spec(options_, input.name());
  if (spec != nullptr && spec->dtype) return Narrow::none;
  return narrow_of(input.type().tensor_type().elem_type());
}

Expected<void> Importer::bind_input(const ValueInfoProto& input, bool is_live) {
  const std::string& name = input.name();
  const bool asked_for = find_spec(options_, name) != nullptr;
  if (root_.initializers.contains(name) && !asked_for) return {};
  Expected<FileInput> described = describe(input);
  if (!described) {
    if (described.error().code != ErrorCode::unsupported) {
      return fail(described.error().code, "input '{}': {}", name, described.error().message);
    }
    constexpr std::int32_t onnx_string = 8;
    const bool tensor = input.type().has_tensor_type();
    const Refused kind = !tensor ? Refused::no_tensor
                         : input.type().tensor_type().elem_type() == onnx_string
                             ? Refused::strings
                             : Refused::element_type;
    if (is_live) survey_.refuse({kind, "input", name, {}, described.error().message, {}});
    root_.values[name] = Slot{{}, true};
    return {};
  }
  if (const auto fixed = options_.constants.find(name); fixed != options_.constants.end()) {
    if (const InputSpec* spec = find_spec(options_, name); spec != nullptr && spec->dtype) {
      described->dtype = spec->dtype;
    }
    INGOT_ASSIGN(Tensor tensor, parse_constant(*described, fixed->second));
    root_.values[name] = Slot{graph_.add_constant(std::move(tensor)), false, narrow_input(input)};
    return {};
  }
  // With an inner value as input, what came before it is no longer part of the signature.
  if (root_.given.empty() || is_live || asked_for) inputs_.push_back(*std::move(described));
  return {};
}

Expected<void> Importer::bind_inputs(const Liveness& live) {
  std::unordered_set<std::string> names;
  for (const ValueInfoProto& input : model_.graph().input()) {
    if (!names.insert(input.name()).second) {
      return fail(ErrorCode::invalid_model, "two inputs are called '{}'", input.name());
    }
    INGOT_TRY(bind_input(input, live.names.contains(input.name())));
  }
  for (const auto& [name, value] : options_.constants) {
    if (!names.contains(name)) {
      return fail(ErrorCode::invalid_argument,
                  "--constant {}: the model has no such input; its inputs are {}", name,
                  this->names(model_.graph().input()));
    }
  }
  INGOT_ASSIGN(const std::vector<ValueId> values, add_inputs(graph_, inputs_, options_));
  for (std::size_t i = 0; i < values.size(); ++i)
    root_.values[inputs_[i].name] = Slot{values[i], false};
  for (const ValueInfoProto& input : model_.graph().input()) {
    const auto found = root_.values.find(input.name());
    if (found != root_.values.end()) found->second.narrow = narrow_input(input);
  }
  return {};
}

Expected<void> Importer::import() {
  survey_.format = "ONNX";
  graph_.name = model_.graph().name();
  INGOT_TRY(check_opset());
  INGOT_TRY(register_initializers());
  INGOT_TRY(choose_outputs());
  INGOT_TRY(find_inner_inputs());
  const NodeList& nodes = model_.graph().node();
  live_ = find_live(nodes, outputs_, root_.given);
  for (const SparseTensorProto& sparse : model_.graph().sparse_initializer()) {
    const std::string& name = sparse.values().name();
    root_.values[name] = Slot{{}, true};
    if (live_.names.contains(name))
      survey_.refuse({Refused::no_tensor, "tensor", name, {}, "it is sparse", {}});
  }
  INGOT_TRY(bind_inputs(live_));
  INGOT_TRY(walker_.walk(root_, nodes, live_));

  std::vector<Output> outputs;
  for (const std::string& name : outputs_) {
    Expected<Slot> slot = walker_.find(root_, name);
    if (!slot) return fail(ErrorCode::invalid_model, "output '{}' is never computed", name);
    outputs.push_back({name, slot->value});
  }
  if (survey_.refused()) return survey_.error();
  for (Output& output : outputs) graph_.add_output(std::move(output.name), output.value);
  return {};
}

Expected<Graph> Importer::run() {
  const Expected<void> imported = import();
  survey_.look_at(graph_, static_cast<bool>(imported));
  if (imported) return std::move(graph_);
  if (imported.error().code != ErrorCode::unsupported || !survey_.refused()) {
    // The walk ended early, or never began: what the table alone says of all nodes.
    survey_.ops.clear();
    const bool chosen = !live_.nodes.empty();
    walker_.skim(opsets_, model_.graph().node(), chosen ? &live_ : nullptr, "", 0);
  }
  return imported.error();
}

}  // namespace
}  // namespace onnx

Expected<Graph> import_onnx(std::span<const std::byte> bytes, const ImportOptions& options,
                            const std::filesystem::path& folder, Survey& survey) {
  onnx::ModelProto model;
  if (bytes.size() > static_cast<std::size_t>(std::numeric_limits<int>::max()))
    return fail(ErrorCode::limit, "an ONNX file of {} bytes; the format ends at 2 GB",
                bytes.size());
  google::protobuf::io::CodedInputStream stream(reinterpret_cast<const std::uint8_t*>(bytes.data()),
                                                static_cast<int>(bytes.size()));
  if (!model.ParseFromCodedStream(&stream) || !stream.ConsumedEntireMessage()) {
    return fail(ErrorCode::invalid_model,
                "the ONNX file is cut off, damaged or nested too deeply: it cannot be read beyond "
                "byte {} of {}; copy or export it again",
                stream.CurrentPosition(), bytes.size());
  }
  if (!model.has_graph()) {
    return fail(ErrorCode::invalid_model,
                "the ONNX file has no graph; is it complete? export the model again");
  }
  return onnx::Importer(model, options, folder, survey).run();
}

}  // namespace ingot
