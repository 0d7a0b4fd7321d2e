// SPDX-License-Identifier: Apache-2.0
// Inputs, outputs, branches and errors of GraphDef import.
#include <gmock/gmock.h>

#include "import/tensorflow/graph_builder.h"

namespace ingot::tensorflow {
namespace {

using ::testing::HasSubstr;
using Doubles = std::vector<double>;

std::string message(const Expected<Graph>& graph) {
  return graph ? "imported" : graph.error().message;
}

std::vector<std::string> input_names(const Graph& graph) {
  std::vector<std::string> names;
  for (const ValueId input : graph.inputs()) names.push_back(graph.value(input).name);
  return names;
}

std::vector<std::string> output_names(const Graph& graph) {
  std::vector<std::string> names;
  for (const Output& output : graph.outputs()) names.push_back(output.name);
  return names;
}

Doubles first(const std::vector<Tensor>& outputs) {
  return outputs.empty() ? Doubles{} : numbers(outputs[0]);
}

TEST(Graphdef, NodesMayStandInAnyOrder) {
  GraphBuilder builder;
  builder.node("Identity", "out", {"sum"});
  builder.node("Add", "sum", {"x", "one", "^nothing"});
  builder.node("NoOp", "nothing");
  builder.floats("one", {}, {1});
  builder.placeholder("x", tf_float, {-1, 2});
  const auto graph = builder.import();
  ASSERT_TRUE(graph) << message(graph);
  EXPECT_EQ(str(graph->type(graph->inputs()[0])), "f32[N, 2]");
  EXPECT_THAT(output_names(*graph), ::testing::ElementsAre("out"));
  EXPECT_EQ(first(run(builder, {counting({2, 2})})), (Doubles{1, 2, 3, 4}));
}

TEST(Graphdef, OutputsAreWhatNothingReadsAndDependsOnAnInput) {
  GraphBuilder builder;
  builder.placeholder("x", tf_float, {2});
  builder.floats("left over", {2}, {1, 2});
  builder.node("Neg", "constant", {"left over"});
  builder.node("Neg", "a", {"x"});
  builder.node("Abs", "b", {"x"});
  (*builder.node("Unpack", "parts", {"x"}).mutable_attr())["num"].set_i(2);
  builder.node("NoOp", "init", {"^a"});
  const auto graph = builder.import();
  ASSERT_TRUE(graph) << message(graph);
  EXPECT_THAT(output_names(*graph), ::testing::ElementsAre("a", "b", "parts", "parts:1"));
}

TEST(Graphdef, OnlyWhatTheOutputsNeedIsLookedAt) {
  GraphBuilder builder;
  builder.placeholder("x", tf_float, {2});
  builder.placeholder("unused", tf_float, {2});
  builder.node("MyVeryOwnOp", "odd", {"unused"});
  builder.node("Neg", "y", {"x"});
  ImportOptions options;
  options.outputs = {"y:0"};
  const auto graph = builder.import(options);
  ASSERT_TRUE(graph) << message(graph);
  EXPECT_THAT(input_names(*graph), ::testing::ElementsAre("x"));
  EXPECT_THAT(output_names(*graph), ::testing::ElementsAre("y"));
}

TEST(Graphdef, InputsFollowTheOptionsOrder) {
  GraphBuilder builder;
  builder.placeholder("a", tf_float, {2});
  builder.placeholder("b", tf_float, {2});
  builder.placeholder("c", tf_float, {2});
  builder.node("AddN", "y", {"a", "b", "c"});
  ImportOptions options;
  EXPECT_THAT(input_names(*builder.import()), ::testing::ElementsAre("a", "b", "c"));
  options.inputs = {{"c:0", {}, {}}, {"a", {}, {}}};
  const auto graph = builder.import(options);
  ASSERT_TRUE(graph) << message(graph);
  EXPECT_THAT(input_names(*graph), ::testing::ElementsAre("c", "a", "b"));
}

TEST(Graphdef, AnyValueCanBecomeAnInput) {
  GraphBuilder builder;
  builder.placeholder("x", tf_float, {2});
  builder.node("MyVeryOwnOp", "odd", {"x"});
  builder.node("Neg", "y", {"odd:1"});
  ImportOptions options;
  options.inputs = {{"odd:1", DType::f32, Shape{Dim::symbol("M"), 3}}};
  const auto graph = builder.import(options);
  ASSERT_TRUE(graph) << message(graph);
  EXPECT_THAT(input_names(*graph), ::testing::ElementsAre("odd:1"));
  EXPECT_EQ(str(graph->type(graph->outputs()[0].value)), "f32[M, 3]");
}

TEST(Graphdef, APlaceholderWithoutAShapeNeedsAnOption) {
  GraphBuilder builder;
  (*builder.node("Placeholder", "x").mutable_attr())["dtype"].set_type(tf_float);
  builder.node("Neg", "y", {"x"});
  EXPECT_THAT(message(builder.import()), HasSubstr("--input x="));
  ImportOptions options;
  options.inputs = {{"x", {}, Shape{Dim::symbol("N"), 27}}};
  const auto graph = builder.import(options);
  ASSERT_TRUE(graph) << message(graph);
  EXPECT_EQ(str(graph->type(graph->inputs()[0])), "f32[N, 27]");
}

TEST(Graphdef, OldGraphsStateAScalarWhereTheyKnowNothing) {
  GraphBuilder builder;
  builder.placeholder("x", tf_float, {});
  builder.node("Neg", "y", {"x"});
  ASSERT_TRUE(builder.import());
  builder.def.mutable_versions()->set_producer(22);
  EXPECT_THAT(message(builder.import()), HasSubstr("--input x="));
}

TEST(Graphdef, APlaceholderWithDefaultIsItsDefaultUnlessNamed) {
  GraphBuilder builder;
  builder.placeholder("x", tf_float, {2});
  builder.floats("ten", {}, {10});
  builder.node("PlaceholderWithDefault", "scale", {"ten"});
  builder.node("Mul", "y", {"x", "scale"});
  EXPECT_EQ(first(run(builder, {counting({2})})), (Doubles{0, 10}));
  ImportOptions options;
  options.inputs = {{"scale", DType::f32, Shape{}}};
  const auto graph = builder.import(options);
  ASSERT_TRUE(graph) << message(graph);
  EXPECT_THAT(input_names(*graph), ::testing::ElementsAre("scale", "x"));
}

/// y = x + 1 in training, where dropout is random; y = 2 * x in inference; as Keras writes it.
GraphBuilder learning_phase(bool with_default) {
  GraphBuilder builder;
  builder.placeholder("x", tf_float, {2});
  if (with_default) {
    builder.boolean("default", false);
    builder.node("PlaceholderWithDefault", "phase", {"default"});
  } else {
    builder.placeholder("phase", tf_bool, {});
  }
  builder.node("Switch", "cond/Switch", {"phase", "phase"});
  builder.node("Identity", "cond/switch_t", {"cond/Switch:1"});
  builder.node("Identity", "cond/switch_f", {"cond/Switch"});
  builder.node("Identity", "cond/pred_id", {"phase"});
  TensorProto& one = builder.constant("cond/one", tf_float, {});
  one.add_float_val(1);
  builder.def.mutable_node(builder.def.node_size() - 1)->add_input("^cond/switch_t");
  builder.node("Switch", "cond/x", {"x", "cond/pred_id"});
  builder.node("RandomUniform", "cond/random", {"cond/x:1"});
  builder.node("Add", "cond/sum", {"cond/random", "cond/one"});
  TensorProto& two = builder.constant("cond/two", tf_float, {});
  two.add_float_val(2);
  builder.def.mutable_node(builder.def.node_size() - 1)->add_input("^cond/switch_f");
  builder.node("Mul", "cond/product", {"cond/x", "cond/two"});
  builder.node("Merge", "cond/Merge", {"cond/product", "cond/sum"});
  builder.node("Identity", "y", {"cond/Merge"});
  return builder;
}

TEST(Graphdef, ABranchThatAConstantSwitchesOffIsNeverSeen) {
  const GraphBuilder builder = learning_phase(true);
  EXPECT_EQ(first(run(builder, {counting({2})})), (Doubles{0, 2}));

  ImportOptions options;
  options.constants = {{"phase", "false"}};
  const GraphBuilder open = learning_phase(false);
  EXPECT_EQ(first(run(open, {counting({2})}, options)), (Doubles{0, 2}));

  options.constants = {{"phase", "true"}};
  EXPECT_THAT(message(open.import(options)), HasSubstr("RandomUniform"));
}

TEST(Graphdef, ConstantsInADeadBranchDieByTheirControlEdge) {
  GraphBuilder builder;
  builder.placeholder("x", tf_float, {2});
  builder.boolean("phase", true);
  builder.node("Switch", "switch", {"phase", "phase"});
  builder.node("Identity", "f", {"switch"});
  builder.floats("dead", {2}, {5, 6});
  builder.def.mutable_node(builder.def.node_size() - 1)->add_input("^f");
  builder.node("Switch", "xs", {"x", "phase"});
  builder.node("Merge", "merge", {"dead", "xs:1"});
  builder.node("Cast", "which", {"merge:1"});
  (*builder.def.mutable_node(builder.def.node_size() - 1)->mutable_attr())["DstT"].set_type(
      tf_int64);
  builder.node("Neg", "y", {"merge"});
  const auto outputs = run(builder, {counting({2})});
  ASSERT_EQ(outputs.size(), 2U);
  EXPECT_EQ(numbers(outputs[0]), Doubles{1});
  EXPECT_EQ(numbers(outputs[1]), (Doubles{0, -1}));
}

TEST(Graphdef, AnOpenSwitchSaysWhatToFix) {
  const auto graph = learning_phase(false).import();
  ASSERT_FALSE(graph);
  EXPECT_EQ(graph.error().code, ErrorCode::unsupported);
  EXPECT_THAT(graph.error().message, HasSubstr("--constant phase=false"));
}

TEST(Graphdef, AnOutputThatIsSwitchedOffIsAnError) {
  GraphBuilder builder = learning_phase(true);
  ImportOptions options;
  options.outputs = {"cond/sum"};
  const auto graph = builder.import(options);
  ASSERT_FALSE(graph);
  EXPECT_EQ(graph.error().code, ErrorCode::invalid_argument);
  EXPECT_THAT(graph.error().message, HasSubstr("cond/sum"));
}

TEST(Graphdef, AllThatIsUnsupportedIsReportedAtOnce) {
  GraphBuilder builder;
  builder.placeholder("x", tf_float, {2});
  builder.node("MyVeryOwnOp", "odd", {"x"});
  builder.node("Neg", "between", {"odd"});
  builder.node("AsString", "text", {"between"});
  builder.node("MyVeryOwnOp", "odder", {"text"});
  const auto graph = builder.import();
  ASSERT_FALSE(graph);
  EXPECT_EQ(graph.error().code, ErrorCode::unsupported);
  EXPECT_EQ(
      graph.error().message,
      "3 things in this model cannot be compiled yet:\n"
      "  MyVeryOwnOp (unsupported op): this op is not supported yet\n"
      "    nodes 'odd', 'odder'\n"
      "    try: write it with the ops that docs/ops.md lists, or cut the model before it with "
      "--outputs\n"
      "  AsString (strings): works on strings\n"
      "    node 'text'\n"
      "    try: keep strings outside of the model: give it numbers, with --input NAME from "
      "there on");
}

TEST(Graphdef, CallsOfTheGraphsFunctionsAreNamed) {
  GraphBuilder builder;
  builder.placeholder("x", tf_float, {2});
  builder.node("my_function", "call", {"x"});
  builder.def.mutable_library()->add_function()->mutable_signature()->set_name("my_function");
  EXPECT_THAT(message(builder.import()), HasSubstr("freeze the graph with its functions inlined"));
}

TEST(Graphdef, BrokenGraphsAreErrors) {
  {
    GraphBuilder builder;
    builder.placeholder("x", tf_float, {2});
    builder.node("Add", "a", {"x", "b"});
    builder.node("Neg", "b", {"a"});
    builder.node("Neg", "y", {"a"});
    EXPECT_THAT(message(builder.import()), HasSubstr("cycle"));
  }
  {
    GraphBuilder builder;
    builder.placeholder("x", tf_float, {2});
    builder.node("Add", "y", {"x", "gone"});
    EXPECT_EQ(message(builder.import()), "node 'y' (Add): its input 'gone' is not in the graph");
  }
  {
    GraphBuilder builder;
    builder.placeholder("x", tf_float, {2});
    builder.placeholder("x", tf_float, {2});
    EXPECT_EQ(message(builder.import()), "two nodes are named 'x'");
  }
  {
    GraphBuilder builder;
    builder.placeholder("x", tf_float, {2});
    builder.node("Add", "y", {"x"});
    EXPECT_EQ(message(builder.import()), "node 'y' (Add): 1 inputs, 2 wanted");
  }
  {
    GraphBuilder builder;
    builder.placeholder("\xff", tf_float, {2});
    EXPECT_EQ(message(builder.import()), "the name or op of node 0 is not UTF-8");
  }
  {
    GraphBuilder builder;
    builder.placeholder("x", tf_float, {2});
    builder.node("Neg", "y", {"x:7"});
    EXPECT_FALSE(builder.import());
  }
}

TEST(Graphdef, OptionsThatNameNothingAreErrors) {
  GraphBuilder builder;
  builder.placeholder("x", tf_float, {2});
  builder.node("Neg", "y", {"x"});
  ImportOptions options;
  options.outputs = {"z"};
  EXPECT_EQ(message(builder.import(options)),
            "--outputs z: the graph has no such node; placeholders: 'x'");
  options = {};
  options.inputs = {{"z", {}, {}}};
  EXPECT_THAT(message(builder.import(options)), HasSubstr("--input z"));
  options = {};
  options.constants = {{"z", "1"}};
  EXPECT_THAT(message(builder.import(options)), HasSubstr("--constant z"));
}

TEST(Graphdef, TruncatedBytesAreAnErrorAtEveryLength) {
  GraphBuilder builder = learning_phase(true);
  const std::string text = builder.def.SerializeAsString();
  for (std::size_t size = 0; size < text.size(); ++size) {
    Survey survey;
    const auto graph = import_graphdef(std::as_bytes(std::span(text).first(size)), {}, survey);
    // A cut between two nodes leaves a smaller graph, which may even be complete.
    EXPECT_TRUE(graph || !graph.error().message.empty()) << size;
  }
}

TEST(Graphdef, DeepGraphsDoNotExhaustTheStack) {
  GraphBuilder builder;
  builder.placeholder("x", tf_float, {2});
  std::string last = "x";
  for (int i = 0; i < 50000; ++i) {
    const std::string next = fmt::format("n{}", i);
    builder.node("Neg", next, {last});
    last = next;
  }
  const auto graph = builder.import();
  ASSERT_TRUE(graph) << message(graph);
  EXPECT_EQ(graph->nodes().size(), 50000U);
}

}  // namespace
}  // namespace ingot::tensorflow
