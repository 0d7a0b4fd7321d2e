// SPDX-License-Identifier: Apache-2.0
// What the walk can't import: what is said of it, and what the table says of the nodes that are not
// walked because of it.
#include "import/onnx/walk.h"

namespace ingot::onnx {
namespace {

std::string path_of(const std::string& prefix) {
  return prefix.empty() ? prefix : prefix.substr(0, prefix.size() - 1);
}

Refusal refusal_of_domain(const std::string& domain) {
  Refusal refusal{Refused::custom_op, {}, {}, {}, {}, {}};
  refusal.reason = fmt::format("ops of the domain '{}' are not supported", domain);
  if (domain == "com.microsoft") {
    refusal.advice =
        "it comes from ONNX Runtime's optimizer: take the model as it was exported, before that";
  } else if (domain.starts_with("ai.onnx.ml")) {
    refusal.advice =
        "trees, encoders and other classical models stay outside; compile the network alone";
  } else if (domain.find("training") != std::string::npos) {
    refusal.kind = Refused::training;
  }
  return refusal;
}

}  // namespace

std::string op_key(const NodeProto& node) {
  const std::string domain = domain_of(node.domain());
  return domain.empty() ? node.op_type() : domain + "." + node.op_type();
}

std::string own_name_of(const NodeProto& node) {
  if (!node.name().empty()) return node.name();
  return node.output_size() > 0 ? node.output(0) : std::string();
}

std::optional<Refusal> refused_by_table(const NodeProto& node, std::int64_t opset) {
  const std::string domain = domain_of(node.domain());
  if (!domain.empty()) return refusal_of_domain(domain);
  const std::string& op = node.op_type();
  const std::optional<int> control_flow = first_opset_of_control_flow(op);
  if ((control_flow && opset >= *control_flow) || find_row(op, opset) != nullptr)
    return std::nullopt;
  if (const RefusedOp* row = find_refused(op))
    return Refusal{row->kind, {}, {}, {}, std::string(row->reason), std::string(row->advice)};
  if (const std::optional<int> since = control_flow ? control_flow : first_opset(op)) {
    return Refusal{
        Refused::opset,
        {},
        {},
        {},
        fmt::format("not supported in opset {}, but from {} to {}", opset, *since, newest_opset),
        {}};
  }
  return Refusal{Refused::op,
                 {},
                 {},
                 {},
                 "no op of ONNX that Ingot knows",
                 "check its name; an op of your own needs a domain, and a function that says what "
                 "it is"};
}

std::vector<Slot> Walker::refuse(const Scope& scope, const Call& call, Refusal refusal) {
  refusal.op = op_key(call.proto);
  refusal.node = call.own_name;
  refusal.path = path_of(scope.prefix);
  OpUse& use = survey_.ops[refusal.op];
  ++use.refused;
  survey_.refuse(std::move(refusal));
  return std::vector<Slot>(call.used_outputs.size(), Slot{{}, true});
}

std::vector<Slot> Walker::block(const Call& call) {
  ++survey_.ops[op_key(call.proto)].unseen;
  return std::vector<Slot>(call.used_outputs.size(), Slot{{}, true});
}

void Walker::skim(const Opsets& opsets, const NodeList& nodes, const Liveness* live,
                  const std::string& prefix, int depth) {
  if (depth > max_depth) return;
  const int count = live == nullptr ? nodes.size() : static_cast<int>(live->nodes.size());
  const auto standard = opsets.find("");
  const std::int64_t opset = standard == opsets.end() ? newest_opset : standard->second;
  for (int i = 0; i < count; ++i) {
    if (++walked_ > max_nodes) return;
    const NodeProto& node = nodes[live == nullptr ? i : live->nodes[static_cast<std::size_t>(i)]];
    const std::string inside = prefix + own_name_of(node) + "/";
    if (const FunctionProto* function = find_function(node)) {
      const Opsets own = read_opsets(function->opset_import());
      skim(own.empty() ? opsets : own, function->node(), nullptr, inside, depth + 1);
      continue;
    }
    OpUse& use = survey_.ops[op_key(node)];
    ++use.nodes;
    if (std::optional<Refusal> refusal = refused_by_table(node, opset)) {
      use.known = false;
      ++use.refused;
      refusal->op = op_key(node);
      refusal->node = own_name_of(node);
      refusal->path = path_of(prefix);
      survey_.refuse(*std::move(refusal));
    } else {
      ++use.unseen;
      const std::optional<int> control_flow = first_opset_of_control_flow(node.op_type());
      use.since = control_flow ? *control_flow : *first_opset(node.op_type());
    }
    for (const AttributeProto& attribute : node.attribute()) {
      if (attribute.has_g()) skim(opsets, attribute.g().node(), nullptr, inside, depth + 1);
    }
  }
}

void Walker::skim_branches(const Scope& scope, const Call& call) {
  for (const AttributeProto& attribute : call.proto.attribute()) {
    if (!attribute.has_g()) continue;
    skim(*scope.opsets, attribute.g().node(), nullptr, call.name + "/", scope.depth + 1);
  }
}

}  // namespace ingot::onnx
