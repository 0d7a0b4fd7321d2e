// SPDX-License-Identifier: Apache-2.0
#include "import/tensorflow/sign_bits.h"

#include <limits>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "import/tensorflow/graphdef.pb.h"
#include "import/tensorflow/tensor.h"

namespace ingot::tensorflow {
namespace {

constexpr int tf_float = 1, tf_double = 2, tf_int32 = 3, tf_int64 = 9;

class Writer {
 public:
  explicit Writer(GraphDef& graph) : graph_(graph) {
    for (const NodeDef& node : graph.node()) nodes_.emplace(node.name(), &node);
  }

  void run() {
    // What is added needs none of this.
    for (int i = 0, count = graph_.node_size(); i < count; ++i) {
      NodeDef& node = *graph_.mutable_node(i);
      if (node.op() == "Less" && node.input_size() >= 2) write(node);
    }
  }

 private:
  const NodeDef* source(const NodeDef& node, int input) const {
    if (input >= node.input_size()) return nullptr;
    const std::string& name = node.input(input);
    const auto it = nodes_.find(name.substr(0, name.find(':')));
    return it == nodes_.end() ? nullptr : it->second;
  }

  std::optional<std::int64_t> integer(const NodeDef& node, int input) const {
    const NodeDef* constant = source(node, input);
    if (constant == nullptr || constant->op() != "Const") return std::nullopt;
    const auto value = constant->attr().find("value");
    std::int64_t budget = 64;
    if (value == constant->attr().end()) return std::nullopt;
    const auto tensor = decode_tensor(value->second.tensor(), budget);
    if (!tensor || !is_integer(tensor->dtype()) || tensor->elements() != 1) return std::nullopt;
    return tensor->as_int64(0);
  }

  static int type(const NodeDef& node, const char* attribute) {
    const auto value = node.attr().find(attribute);
    return value == node.attr().end() ? 0 : value->second.type();
  }

  /// The name of a node that is not there yet.
  NodeDef& add(const std::string& op, const std::string& name,
               const std::vector<std::string>& inputs) {
    std::string unique = name;
    for (int i = 1; nodes_.contains(unique); ++i) unique = fmt::format("{}_{}", name, i);
    NodeDef& added = *graph_.add_node();
    added.set_op(op);
    added.set_name(unique);
    for (const std::string& input : inputs) added.add_input(input);
    nodes_.emplace(unique, &added);
    return added;
  }

  void write(NodeDef& less) {
    const NodeDef* both = source(less, 0);
    if (integer(less, 1) != 0 || both == nullptr || both->op() != "BitwiseAnd") return;
    for (const int side : {0, 1}) {
      const NodeDef* cast = source(*both, side);
      if (cast == nullptr || cast->op() != "Bitcast" || cast->input_size() == 0) continue;
      const int from = type(*cast, "T"), to = type(*cast, "type");
      const bool single = from == tf_float && to == tf_int32;
      const auto lowest = single ? std::numeric_limits<std::int32_t>::min()
                                 : std::numeric_limits<std::int64_t>::min();
      if ((!single && (from != tf_double || to != tf_int64)) || integer(*both, 1 - side) != lowest)
        continue;
      const std::string x = cast->input(0), name = less.name();
      NodeDef& zero = add("Const", name + "/zero", {});
      TensorProto& value = *(*zero.mutable_attr())["value"].mutable_tensor();
      value.set_dtype(from);
      value.mutable_tensor_shape();
      const std::string below = add("Less", name + "/below", {x, zero.name()}).name();
      const std::string inverse = add("Reciprocal", name + "/inverse", {x}).name();
      less.set_input(0, below);
      less.set_input(1, add("Less", name + "/inverse_below", {inverse, zero.name()}).name());
      // What nothing reads would be taken for an output.
      less.add_input("^" + both->name());
      less.set_op("LogicalOr");
      return;
    }
  }

  GraphDef& graph_;
  std::unordered_map<std::string, const NodeDef*> nodes_;
};

}  // namespace

void write_sign_bits(GraphDef& graph) { Writer(graph).run(); }

}  // namespace ingot::tensorflow
