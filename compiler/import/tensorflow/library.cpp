// SPDX-License-Identifier: Apache-2.0
#include "import/tensorflow/library.h"

#include <unordered_set>
#include <vector>

#include "import/tensorflow/emit.h"
#include "import/tensorflow/graphdef.pb.h"

namespace ingot::tensorflow {

Library::Library(const GraphDef& graph) {
  for (const FunctionDef& function : graph.library().function())
    functions_.emplace(function.signature().name(), &function);
}

void Library::skim(const NodeDef& call, Survey& survey) const {
  std::unordered_set<const FunctionDef*> seen;
  struct Open {
    const FunctionDef* function;
    std::string path;
  };
  std::vector<Open> open;
  auto follow = [&](const NodeDef& node, const std::string& path) {
    auto enter = [&](std::string_view name) {
      const auto function = functions_.find(name);
      if (function != functions_.end() && seen.insert(function->second).second)
        open.push_back({function->second, path + std::string(name)});
    };
    enter(node.op());
    for (const auto& [attribute, value] : node.attr()) {
      if (value.has_func()) enter(value.func().name());
    }
  };
  follow(call, "");
  while (!open.empty()) {
    const Open at = std::move(open.back());
    open.pop_back();
    for (const NodeDef& node : at.function->node_def()) {
      if (!calls(node.op())) skim_node(node, at.path, survey);
      follow(node, at.path + "/");
    }
  }
}

void skim_node(const NodeDef& node, const std::string& path, Survey& survey) {
  OpUse& use = survey.ops[node.op()];
  ++use.nodes;
  if (is_known(node.op())) {
    ++use.unseen;
    return;
  }
  use.known = false;
  ++use.refused;
  const RefusedOp row = refused_op(node.op());
  survey.refuse(
      {row.kind, node.op(), node.name(), path, std::string(row.reason), std::string(row.advice)});
}

}  // namespace ingot::tensorflow
