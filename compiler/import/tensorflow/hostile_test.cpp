// SPDX-License-Identifier: Apache-2.0
// Damaged GraphDefs: whatever the bytes are, import ends with a graph or an error, never with an
// exception or a crash (sanitizers see the rest). The seed is fixed and printed on failure.
#include <random>

#include "import/tensorflow/graph_builder.h"

namespace ingot::tensorflow {
namespace {

constexpr unsigned seed = 20240611;
constexpr int rounds = 3000;

/// A bit of everything whose operands steer sizes.
GraphBuilder varied_graph() {
  GraphBuilder builder;
  builder.placeholder("x", tf_float, {-1, 4, 6});
  builder.node("Shape", "shape", {"x"});
  builder.vector("begin", {0, 1, -3});
  builder.vector("end", {0, 4, 0});
  builder.vector("steps", {1, 2, 1});
  auto& slice =
      *builder.node("StridedSlice", "slice", {"x", "begin", "end", "steps"}).mutable_attr();
  slice["begin_mask"].set_i(1);
  slice["end_mask"].set_i(5);
  builder.ints("axis", {}, {-1});
  builder.node("ConcatV2", "joined", {"slice", "slice", "axis"});
  builder.vector("flat", {-1, 12});
  builder.node("Reshape", "matrix", {"joined", "flat"});
  TensorProto& weights = builder.constant("weights", tf_float, {12, 5});
  weights.add_float_val(0.5F);
  builder.node("MatMul", "product", {"matrix", "weights"});
  builder.floats("bias", {5}, {1, 2, 3, 4, 5});
  builder.node("BiasAdd", "sum", {"product", "bias"});
  builder.boolean("phase", false);
  builder.node("Switch", "switch", {"sum", "phase"});
  builder.node("Softmax", "soft", {"switch"});
  builder.node("RandomUniform", "random", {"switch:1"});
  builder.node("Merge", "merge", {"soft", "random"});
  builder.vector("multiples", {1, 3});
  builder.node("Tile", "tiled", {"merge", "multiples"});
  (*builder.node("Split", "parts", {"axis", "tiled"}).mutable_attr())["num_split"].set_i(3);
  builder.node("Mean", "mean", {"parts:1", "axis"});
  builder.node("Range", "range", {"axis", "axis", "axis"});
  builder.node("Fill", "filled", {"shape", "bias"});
  return builder;
}

class Mutator {
 public:
  explicit Mutator(const GraphDef& graph) : graph_(graph), random_(seed) {}

  std::string next() {
    if (below(2) == 0) return damaged_bytes();
    GraphDef graph = graph_;
    for (std::size_t i = 0; i <= below(3); ++i) damage(graph);
    return graph.SerializeAsString();
  }

 private:
  std::size_t below(std::size_t end) { return random_() % end; }
  const NodeDef& any_node() {
    return graph_.node(static_cast<int>(below(static_cast<std::size_t>(graph_.node_size()))));
  }

  std::string damaged_bytes() {
    std::string bytes = graph_.SerializeAsString();
    for (std::size_t i = 0; i <= below(4); ++i) {
      bytes[below(bytes.size())] = static_cast<char>(below(256));
    }
    if (below(8) == 0) bytes.resize(below(bytes.size()));
    return bytes;
  }

  void damage(GraphDef& graph) {
    NodeDef& node =
        *graph.mutable_node(static_cast<int>(below(static_cast<std::size_t>(graph.node_size()))));
    switch (below(5)) {
      case 0:
        node.set_op(any_node().op());
        break;
      case 1:
        node.add_input(any_node().name());
        break;
      case 2:
        if (node.input_size() > 0)
          node.set_input(0, any_node().name() + (below(4) == 0 ? ":1" : ""));
        break;
      case 3:
        if (node.input_size() > 0) node.mutable_input()->RemoveLast();
        break;
      default:
        damage_attributes(node);
    }
  }

  void damage_attributes(NodeDef& node) {
    static constexpr std::int64_t sizes[] = {-3, -1, 0, 1, 7, 1LL << 40, INT64_MAX, INT64_MIN};
    const std::int64_t size = sizes[below(std::size(sizes))];
    for (auto& [name, value] : *node.mutable_attr()) {
      if (value.has_i()) value.set_i(size);
      if (value.has_shape() && value.shape().dim_size() > 0) {
        value.mutable_shape()->mutable_dim(0)->set_size(size);
      }
      if (!value.has_tensor()) continue;
      TensorProto& tensor = *value.mutable_tensor();
      if (below(2) == 0 && tensor.tensor_shape().dim_size() > 0) {
        tensor.mutable_tensor_shape()->mutable_dim(0)->set_size(size);
      } else if (tensor.int_val_size() > 0) {
        tensor.set_int_val(0, static_cast<int>(size));
      }
    }
  }

  const GraphDef& graph_;
  std::mt19937_64 random_;
};

TEST(GraphdefHostile, DamagedGraphsEndWithAnErrorOrAGraph) {
  const GraphBuilder builder = varied_graph();
  ImportOptions whole;
  whole.outputs = {"mean"};
  ASSERT_TRUE(builder.import(whole));
  Mutator mutator(builder.def);
  int imported = 0;
  for (int i = 0; i < rounds; ++i) {
    SCOPED_TRACE(fmt::format("seed {}, round {}", seed, i));
    const std::string bytes = mutator.next();
    ImportOptions options;
    if (i % 2 == 0) options.outputs = {"mean"};
    Survey survey;
    Expected<Graph> graph = import_graphdef(std::as_bytes(std::span(bytes)), options, survey);
    if (!graph) {
      EXPECT_FALSE(graph.error().message.empty());
      EXPECT_NE(graph.error().code, ErrorCode::internal);
      continue;
    }
    const Expected<void> merged = merge_symbols(*graph);
    imported += merged ? 1 : 0;
  }
  EXPECT_GT(imported, rounds / 20);  // else the damage is too coarse to reach the translation
  EXPECT_LT(imported, rounds);
}

}  // namespace
}  // namespace ingot::tensorflow
