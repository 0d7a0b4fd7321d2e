// SPDX-License-Identifier: Apache-2.0
// The functions of a graph's library, and what its ops take and give: the definitions of ops that a
// SavedModel carries along.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/expected.h"
#include "import/saved_model/saved_model.pb.h"

namespace ingot::tensorflow {

using Attributes = google::protobuf::Map<std::string, AttrValue>;

/// A function and its parts by name.
struct Function {
  FunctionDef* def = nullptr;
  std::unordered_map<std::string_view, NodeDef*> nodes;
  std::unordered_map<std::string_view, std::size_t> arguments;
};

class Functions {
 public:
  /// Both are kept, and what is in the graph's library may be taken out of it.
  Functions(GraphDef& graph, const MetaGraph::Info::OpList& ops);

  /// Null if the library has none of this name.
  const Function* find(std::string_view name) const;
  /// Of an op or a function; null if it is not known.
  const OpDef* op(std::string_view name) const;

  /// How many values an argument stands for where a node has these attributes; none if they do not
  /// say. Those that are placeholders are looked up in `outer`, the attributes of the call.
  std::optional<std::size_t> count(const OpDef::ArgDef& argument, const OpDef& op,
                                   const Attributes& attributes, const Attributes& outer) const;
  /// The place among all outputs of output `name` of a node, and how many values it is.
  struct Outputs {
    std::size_t first = 0, count = 1;
  };
  std::optional<Outputs> outputs(const NodeDef& node, std::string_view name,
                                 const Attributes& outer) const;

 private:
  std::unordered_map<std::string, Function> functions_;
  std::unordered_map<std::string_view, const OpDef*> ops_;
};

/// Null if there is none.
const AttrValue* find_attribute(const Attributes& attributes, const std::string& name);

}  // namespace ingot::tensorflow
