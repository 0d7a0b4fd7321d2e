// SPDX-License-Identifier: Apache-2.0
// In such a pair each phase of the input, every block-th of its rows, meets a kernel without
// dilation at rows of its own; that is every block-th row of a dilated one. A convolution that pads
// nothing reads the crops' rows of its input for the crops' rows of its output and for no others.
#include "import/tensorflow/dilate.h"

#include <optional>
#include <unordered_map>
#include <vector>

#include "import/tensorflow/graphdef.pb.h"
#include "import/tensorflow/tensor.h"

namespace ingot::tensorflow {
namespace {

class Joiner {
 public:
  Joiner(GraphDef& graph, const std::set<std::string>& asked_for) : graph_(graph) {
    for (NodeDef& node : *graph.mutable_node()) {
      nodes_.emplace(node.name(), &node);
      for (const std::string& input : node.input()) ++readers_[name_of(input)];
    }
    for (const std::string& name : asked_for) ++readers_[name_of(name)];
  }

  void run() {
    for (NodeDef& node : *graph_.mutable_node()) {
      if (node.op() == "BatchToSpaceND" && node.input_size() >= 3) join(node);
    }
  }

 private:
  static std::string name_of(const std::string& input) {
    const std::size_t first = input.starts_with('^') ? 1 : 0;
    return input.substr(first, std::min(input.find(':'), input.size()) - first);
  }
  NodeDef* source(const NodeDef& node, int input) const {
    if (input >= node.input_size()) return nullptr;
    const auto it = nodes_.find(name_of(node.input(input)));
    return it == nodes_.end() ? nullptr : it->second;
  }
  /// What a node hands its first operand's rows on from, if it alone reads them.
  NodeDef* only_source(const NodeDef& node) const {
    NodeDef* from = source(node, 0);
    return from != nullptr && readers_.at(from->name()) == 1 ? from : nullptr;
  }

  std::optional<std::vector<std::int64_t>> integers(const NodeDef& node, int input) const {
    const NodeDef* constant = source(node, input);
    if (constant == nullptr || constant->op() != "Const") return std::nullopt;
    const auto value = constant->attr().find("value");
    std::int64_t budget = 64;
    if (value == constant->attr().end()) return std::nullopt;
    const auto tensor = decode_tensor(value->second.tensor(), budget);
    if (!tensor || !is_integer(tensor->dtype()) || tensor->rank() > 1) return std::nullopt;
    return tensor->as_int64s();
  }

  static bool is_plain(const NodeDef& conv) {
    const bool known = conv.op() == "Conv2D" || conv.op() == "DepthwiseConv2dNative";
    const auto padding = conv.attr().find("padding");
    const auto format = conv.attr().find("data_format");
    if (!known || padding == conv.attr().end() || padding->second.s() != "VALID" ||
        (format != conv.attr().end() && format->second.s() != "NHWC"))
      return false;
    for (const char* name : {"strides", "dilations"}) {
      const auto numbers = conv.attr().find(name);
      if (numbers == conv.attr().end()) continue;
      for (const std::int64_t number : numbers->second.list().i()) {
        if (number != 1) return false;
      }
    }
    return true;
  }

  /// The axis before the positions, of [N, L, C]: where the other size is put in.
  static bool is_first_axis(const std::optional<std::vector<std::int64_t>>& axis) {
    return axis && axis->size() == 1 && ((*axis)[0] == 1 || (*axis)[0] == -3);
  }
  static std::optional<std::vector<std::int64_t>> squeezed_axes(const NodeDef& node) {
    const auto axes = node.attr().find("squeeze_dims");
    if (axes == node.attr().end()) return std::nullopt;
    return std::vector<std::int64_t>(axes->second.list().i().begin(),
                                     axes->second.list().i().end());
  }

  void join(NodeDef& last) {
    // A convolution along one axis is one along two, of which one has the size 1.
    NodeDef* conv = only_source(last);
    const bool squeezed = conv != nullptr && conv->op() == "Squeeze";
    if (squeezed && !is_first_axis(squeezed_axes(*conv))) return;
    if (squeezed) conv = only_source(*conv);
    if (conv == nullptr || !is_plain(*conv)) return;
    NodeDef* first = only_source(*conv);
    if (squeezed) {
      if (first == nullptr || first->op() != "ExpandDims" || !is_first_axis(integers(*first, 1)))
        return;
      first = only_source(*first);
    }
    if (first == nullptr || first->op() != "SpaceToBatchND" || first->input_size() < 3) return;
    const auto block = integers(last, 1);
    if (!block || block != integers(*first, 1) || block->size() != (squeezed ? 1U : 2U)) return;
    first->add_input(last.input(2));
    // Behind its data: a name may follow that only has to come first.
    for (int i = first->input_size() - 1; i > 3; --i)
      first->mutable_input()->SwapElements(i, i - 1);
    (*first->mutable_attr())["_of_dilation"].set_b(true);
    AttrValue dilations;
    dilations.mutable_list()->add_i(1);
    if (squeezed) dilations.mutable_list()->add_i(1);
    for (const std::int64_t size : *block) dilations.mutable_list()->add_i(size);
    dilations.mutable_list()->add_i(1);
    (*conv->mutable_attr())["dilations"] = dilations;
    last.set_op("Identity");
    while (last.input_size() > 1 && !last.input(1).starts_with('^'))
      last.mutable_input()->DeleteSubrange(1, 1);
  }

  GraphDef& graph_;
  std::unordered_map<std::string, NodeDef*> nodes_;
  std::unordered_map<std::string, int> readers_;
};

}  // namespace

void join_dilations(GraphDef& graph, const std::set<std::string>& asked_for) {
  Joiner(graph, asked_for).run();
}

}  // namespace ingot::tensorflow
