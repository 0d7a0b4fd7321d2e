// SPDX-License-Identifier: Apache-2.0
// TF1 while loops, as tf.while_loop and Keras wrote them, against sums made by hand; and loops that
// are not understood, which are refused by name.
#include "import/tensorflow/loops.h"

#include <gmock/gmock.h>

#include "import/tensorflow/graph_builder.h"
#include "ir/op.h"

namespace ingot::tensorflow {
namespace {

using testing::HasSubstr;

/// h = 2 * h + x[t] + t for each entry of x [T, 2]; the loop's parts can be changed.
struct LoopGraph {
  LoopGraph() {
    b.placeholder("x", tf_float, {-1, 2});
    b.floats("start", {2}, {100, 200});
    b.ints("zero", {}, {0});
    b.node("Shape", "shape", {"x"});
    for (const auto& [name, value] : {std::pair("begin", 0), {"end", 1}, {"one", 1}})
      b.vector(name, {value});
    NodeDef& steps = b.node("StridedSlice", "steps", {"shape", "begin", "end", "one"});
    (*steps.mutable_attr())["shrink_axis_mask"].set_i(1);
    b.node("TensorArrayV3", "in", {"steps"});
    b.node("TensorArrayV3", "out", {"steps"});
    b.ints("delta", {}, {1});
    b.node("Range", "range", {"zero", "steps", "delta"});
    b.node("TensorArrayScatterV3", "scatter", {"in", "range", "x", "in:1"});
    enter("time", "zero");
    enter("flow", "out:1");
    enter("h", "start");
    enter("limit", "steps");
    enter("in_array", "in");
    enter("in_flow", "scatter");
    enter("out_array", "out");
    for (const std::string name : {"time", "flow", "h"}) {
      b.node("Merge", name + "/merge", {name + "/enter", name + "/next"});
      b.node("Switch", name + "/switch", {name + "/merge", "condition"});
      b.node("Identity", name + "/old", {name + "/switch:1"});
      b.node("Exit", name + "/exit", {name + "/switch"});
    }
    b.node("Less", "less", {"time/merge", "limit/enter"});
    b.node("LoopCond", "condition", {"less"});
    b.node("TensorArrayReadV3", "entry", {"in_array/enter", "time/old", "in_flow/enter"});
    b.floats("two", {}, {2});
    b.node("Mul", "twice", {"h/old", "two"});
    b.node("Add", "sum", {"twice", "entry"});
    NodeDef& cast = b.node("Cast", "number", {"time/old"});
    (*cast.mutable_attr())["DstT"].set_type(tf_float);
    b.node("Add", "new_h", {"sum", "number"});
    b.node("TensorArrayWriteV3", "write", {"out_array/enter", "time/old", "new_h", "flow/old"});
    b.ints("step", {}, {1});
    b.node("Add", "later", {"time/old", "step"});
    b.node("NextIteration", "time/next", {"later"});
    b.node("NextIteration", "flow/next", {"write"});
    b.node("NextIteration", "h/next", {"new_h"});
    b.node("TensorArrayGatherV3", "all", {"out", "range", "flow/exit"});
    b.node("Sub", "last", {"steps", "delta"});
    b.node("TensorArrayReadV3", "read", {"out", "last", "flow/exit"});
  }
  void enter(const std::string& name, const std::string& from) {
    NodeDef& node = b.node("Enter", name + "/enter", {from});
    (*node.mutable_attr())["frame_name"].set_s("while");
  }
  NodeDef& find(const std::string& name) {
    for (NodeDef& node : *b.def.mutable_node()) {
      if (node.name() == name) return node;
    }
    throw std::runtime_error(name);
  }
  static ImportOptions options(std::vector<std::string> outputs = {"h/exit", "all", "read",
                                                                   "time/exit"}) {
    ImportOptions options;
    options.outputs = std::move(outputs);
    return options;
  }
  std::string message(std::vector<std::string> outputs = {"h/exit", "all"}) const {
    const auto graph = b.import(options(std::move(outputs)));
    return graph ? "no error" : graph.error().message;
  }
  GraphBuilder b;
};

TEST(TensorflowLoops, CountCarryAndStack) {
  const LoopGraph graph;
  const std::vector<Tensor> results =
      run(graph.b, {float_tensor({3, 2}, {1, 2, 3, 4, 5, 6})}, LoopGraph::options());
  ASSERT_EQ(results.size(), 4U);
  // 2*100+1+0, 2*201+3+1, 2*406+5+2; 2*200+2+0, 2*402+4+1, 2*809+6+2
  EXPECT_EQ(numbers(results[0]), (std::vector<double>{819, 1626}));
  EXPECT_EQ(numbers(results[1]), (std::vector<double>{201, 402, 406, 809, 819, 1626}));
  EXPECT_EQ(numbers(results[2]), (std::vector<double>{819, 1626}));
  EXPECT_EQ(numbers(results[3]), (std::vector<double>{3}));
  const auto imported = graph.b.import(LoopGraph::options());
  ASSERT_TRUE(imported);
  EXPECT_EQ(std::count_if(imported->nodes().begin(), imported->nodes().end(),
                          [](const Node& node) { return node.op->name == "scan"; }),
            1);
}

TEST(TensorflowLoops, OfNoTurnsLeaveWhatTheyBeganWith) {
  const std::vector<Tensor> results =
      run(LoopGraph().b, {float_tensor({0, 2}, {})}, LoopGraph::options({"h/exit", "time/exit"}));
  ASSERT_EQ(results.size(), 2U);
  EXPECT_EQ(numbers(results[0]), (std::vector<double>{100, 200}));
  EXPECT_EQ(numbers(results[1]), (std::vector<double>{0}));
}

/// The same loop over the tensor lists of TensorFlow 2.
void use_lists(LoopGraph& graph) {
  graph.b.vector("any", {-1});
  auto become = [&](const std::string& name, const std::string& op,
                    const std::vector<std::string>& inputs) {
    NodeDef& node = graph.find(name);
    node.set_op(op);
    node.clear_input();
    for (const std::string& input : inputs) node.add_input(input);
  };
  become("in", "TensorListFromTensor", {"x", "any"});
  become("out", "TensorListReserve", {"any", "steps"});
  graph.find("flow/enter").set_input(0, "out");
  graph.find("in_flow/enter").set_input(0, "in");
  become("entry", "TensorListGetItem", {"in_array/enter", "time/old", "any"});
  become("write", "TensorListSetItem", {"flow/old", "time/old", "new_h"});
  become("all", "TensorListStack", {"flow/exit", "any"});
  become("read", "TensorListGetItem", {"flow/exit", "last", "any"});
}

TEST(TensorflowLoops, ReadAndFillTensorLists) {
  LoopGraph graph;
  use_lists(graph);
  graph.b.node("TensorListLength", "length", {"flow/exit"});
  const std::vector<Tensor> results = run(graph.b, {float_tensor({3, 2}, {1, 2, 3, 4, 5, 6})},
                                          LoopGraph::options({"h/exit", "all", "read", "length"}));
  ASSERT_EQ(results.size(), 4U);
  EXPECT_EQ(numbers(results[0]), (std::vector<double>{819, 1626}));
  EXPECT_EQ(numbers(results[1]), (std::vector<double>{201, 402, 406, 809, 819, 1626}));
  EXPECT_EQ(numbers(results[2]), (std::vector<double>{819, 1626}));
  EXPECT_EQ(numbers(results[3]), (std::vector<double>{3}));
  graph.find("write").set_input(0, "in_array/enter");
  EXPECT_THAT(graph.message(), HasSubstr("an array is not filled entry by entry"));
  LoopGraph empty;
  use_lists(empty);
  empty.find("all").set_input(0, "out");
  EXPECT_THAT(empty.message(), HasSubstr("a tensor list that no loop and no TensorListFromTensor"));
}

/// What Keras 3 writes where only the last output is wanted: a list of one entry.
TEST(TensorflowLoops, KeepTheLastOfWhatTurnsWrite) {
  for (const bool is_state : {true, false}) {
    LoopGraph graph;
    use_lists(graph);
    graph.b.ints("first", {}, {0});
    graph.b.ints("single", {}, {1});
    graph.find("out").set_input(1, "single");
    graph.find("write").set_input(1, "first");
    graph.find("write").set_input(2, is_state ? "new_h" : "sum");
    const auto options = LoopGraph::options({"all"});
    const std::vector<Tensor> results =
        run(graph.b, {float_tensor({3, 2}, {1, 2, 3, 4, 5, 6})}, options);
    ASSERT_EQ(results.size(), 1U);
    EXPECT_EQ(results[0].shape(), (std::vector<std::int64_t>{1, 2}));
    EXPECT_EQ(numbers(results[0]),
              (is_state ? std::vector<double>{819, 1626} : std::vector<double>{817, 1624}));
    // What no turn wrote is no value.
    const auto imported = graph.b.import(options);
    ASSERT_TRUE(imported);
    const std::vector<Tensor> none{float_tensor({0, 2}, {})};
    EXPECT_FALSE(bind_symbols(*imported, none));
    // Of two entries, the other one stays what it was.
    graph.find("single").mutable_attr()->at("value").mutable_tensor()->set_int_val(0, 2);
    const std::vector<Tensor> two =
        run(graph.b, {float_tensor({3, 2}, {1, 2, 3, 4, 5, 6})}, options);
    ASSERT_EQ(two.size(), 1U);
    EXPECT_EQ(numbers(two[0]), (is_state ? std::vector<double>{819, 1626, 0, 0}
                                         : std::vector<double>{817, 1624, 0, 0}));
  }
}

/// Arrays that are written in any order are carried whole, of both kinds.
TEST(TensorflowLoops, FillArraysBackwards) {
  for (const bool lists : {true, false}) {
    LoopGraph graph;
    if (lists) use_lists(graph);
    graph.enter("end", "last");
    graph.b.node("Sub", "place", {"end/enter", "time/old"});
    graph.find("write").set_input(1, "place");
    const std::vector<Tensor> results = run(graph.b, {float_tensor({3, 2}, {1, 2, 3, 4, 5, 6})},
                                            LoopGraph::options({"h/exit", "all"}));
    ASSERT_EQ(results.size(), 2U);
    EXPECT_EQ(numbers(results[0]), (std::vector<double>{819, 1626}));
    EXPECT_EQ(numbers(results[1]), (std::vector<double>{819, 1626, 406, 809, 201, 402}));
  }
}

/// What an earlier turn wrote is read by a later one; entries that none wrote are zeros.
TEST(TensorflowLoops, ReadWhatTheyWrote) {
  LoopGraph graph;
  use_lists(graph);
  graph.b.vector("entry_shape", {2});
  graph.find("out").set_input(0, "entry_shape");
  (*graph.find("out").mutable_attr())["element_dtype"].set_type(tf_float);
  graph.b.ints("first", {}, {0});
  graph.enter("first", "first");
  graph.b.node("TensorListGetItem", "before", {"flow/old", "first/enter", "any"});
  graph.find("sum").set_input(1, "before");
  // h = 2 * h + all[0] + t: 200, 400; then 400 + 200 + 1, 800 + 400 + 1.
  const std::vector<Tensor> results =
      run(graph.b, {float_tensor({3, 2}, {1, 2, 3, 4, 5, 6})}, LoopGraph::options({"all"}));
  ASSERT_EQ(results.size(), 1U);
  EXPECT_EQ(numbers(results[0]), (std::vector<double>{200, 400, 601, 1201, 1404, 2804}));
}

/// An array that is longer than there are turns.
TEST(TensorflowLoops, LeaveTheEndOfAnArrayEmpty) {
  LoopGraph graph;
  use_lists(graph);
  graph.b.ints("five", {}, {5});
  graph.find("out").set_input(1, "five");
  graph.b.ints("two turns", {}, {2});
  graph.find("limit/enter").set_input(0, "two turns");
  const std::vector<Tensor> results =
      run(graph.b, {float_tensor({3, 2}, {1, 2, 3, 4, 5, 6})}, LoopGraph::options({"all"}));
  ASSERT_EQ(results.size(), 1U);
  EXPECT_EQ(numbers(results[0]), (std::vector<double>{201, 402, 406, 809, 0, 0, 0, 0, 0, 0}));
}

TEST(TensorflowLoops, ArraysAreWrittenWithoutLoops) {
  GraphBuilder b;
  b.placeholder("x", tf_float, {2});
  b.vector("any", {-1});
  for (const int i : {0, 1, 2, 3}) b.ints(fmt::format("{}", i), {}, {i});
  b.node("TensorListReserve", "list", {"any", "3"});
  b.node("TensorListSetItem", "one", {"list", "2", "x"});
  b.node("Neg", "minus", {"x"});
  b.node("TensorListSetItem", "two", {"one", "0", "minus"});
  b.node("TensorListStack", "y", {"two", "any"});
  b.node("TensorListSetItem", "more", {"two", "3", "x"});  // grows
  b.node("TensorListStack", "z", {"more", "any"});
  ImportOptions options;
  options.outputs = {"y", "z"};
  const auto results = run(b, {float_tensor({2}, {1, 2})}, options);
  ASSERT_EQ(results.size(), 2U);
  EXPECT_EQ(numbers(results[0]), (std::vector<double>{-1, -2, 0, 0, 1, 2}));
  EXPECT_EQ(numbers(results[1]), (std::vector<double>{-1, -2, 0, 0, 1, 2, 1, 2}));
  b.floats("odd", {3}, {1, 2, 3});
  b.node("TensorListSetItem", "wrong", {"two", "1", "odd"});
  b.node("TensorListStack", "w", {"wrong", "any"});
  options.outputs = {"w"};
  EXPECT_THAT(b.import(options).error().message,
              HasSubstr("it writes f32[3] to an array of f32[2]"));
}

/// A limit that each turn computes anew, from what does not change.
TEST(TensorflowLoops, TakeALimitFromWithin) {
  LoopGraph graph;
  graph.b.ints("minus", {}, {1});
  graph.b.node("Sub", "fewer", {"limit/enter", "minus"});
  graph.find("less").set_input(1, "fewer");
  const std::vector<Tensor> results =
      run(graph.b, {float_tensor({3, 2}, {1, 2, 3, 4, 5, 6})}, LoopGraph::options({"h/exit"}));
  ASSERT_EQ(results.size(), 1U);
  EXPECT_EQ(numbers(results[0]), (std::vector<double>{406, 809}));
  // One that changes: as long as time < 3 - time.
  graph.find("fewer").set_input(1, "time/merge");
  const std::vector<Tensor> fewer =
      run(graph.b, {float_tensor({3, 2}, {1, 2, 3, 4, 5, 6})}, LoopGraph::options({"h/exit"}));
  ASSERT_EQ(fewer.size(), 1U);
  EXPECT_EQ(numbers(fewer[0]), (std::vector<double>{406, 809}));
}

/// A limit that is an input: the condition is asked before each turn.
TEST(TensorflowLoops, EndWhereDataSay) {
  LoopGraph graph;
  graph.b.placeholder("turns", tf_int32, {});
  graph.find("limit/enter").set_input(0, "turns");
  const Tensor x = float_tensor({3, 2}, {1, 2, 3, 4, 5, 6});
  for (const int turns : {0, 1, 3}) {
    const std::vector<Tensor> results =
        run(graph.b, {x, make_tensor<std::int32_t>(DType::i32, {}, {turns})},
            LoopGraph::options({"h/exit", "time/exit"}));
    ASSERT_EQ(results.size(), 2U);
    const std::map<int, std::vector<double>> expected{
        {0, {100, 200}}, {1, {201, 402}}, {3, {819, 1626}}};
    EXPECT_EQ(numbers(results[0]), expected.at(turns));
    EXPECT_EQ(numbers(results[1]), std::vector<double>{static_cast<double>(turns)});
  }
  // Its arrays would be as long as x, however many turns there are.
  EXPECT_EQ(graph.message({"h/exit"}), "no error");
  Survey survey;
  const std::string text = graph.b.def.SerializeAsString();
  ASSERT_TRUE(
      import_graphdef(std::as_bytes(std::span(text)), LoopGraph::options({"h/exit"}), survey));
  ASSERT_EQ(survey.warnings.size(), 1U);
  EXPECT_EQ(survey.warnings[0].message,
            "its number of turns depends on data: 1048576 are the most");
}

/// Of a counter that begins elsewhere or goes in steps, the numbers are those, and the turns fewer.
TEST(TensorflowLoops, CountFromAnyNumberInSteps) {
  LoopGraph graph;
  graph.b.ints("from", {}, {-1});
  graph.b.ints("to", {}, {4});
  graph.find("time/enter").set_input(0, "from");
  graph.find("limit/enter").set_input(0, "to");
  graph.find("step").mutable_attr()->at("value").mutable_tensor()->set_int_val(0, 2);
  graph.find("sum").set_input(1, "number");
  graph.find("new_h").set_input(1, "two");
  // 2h + time + 2 for time in -1, 1, 3
  const std::vector<Tensor> results = run(graph.b, {}, LoopGraph::options({"h/exit", "time/exit"}));
  ASSERT_EQ(results.size(), 2U);
  EXPECT_EQ(numbers(results[0]), (std::vector<double>{815, 1615}));
  EXPECT_EQ(numbers(results[1]), std::vector<double>{5});
}

/// Keras since 2.2: as long as both counters are below their limits.
TEST(TensorflowLoops, EndWithTheFirstOfTwoConditions) {
  LoopGraph graph;
  graph.b.ints("most", {}, {2});
  graph.enter("most", "most");
  graph.b.node("Less", "less_too", {"time/merge", "most/enter"});
  graph.b.node("LogicalAnd", "both", {"less", "less_too"});
  graph.find("condition").set_input(0, "both");
  const std::vector<Tensor> results =
      run(graph.b, {float_tensor({2, 2}, {1, 2, 3, 4})}, LoopGraph::options({"h/exit"}));
  ASSERT_EQ(results.size(), 1U);
  EXPECT_EQ(numbers(results[0]), (std::vector<double>{406, 809}));
}

TEST(TensorflowLoops, ThatAreNotUnderstoodAreRefused) {
  {
    LoopGraph graph;
    graph.find("new_h").set_op("Shape");
    graph.find("new_h").mutable_input()->DeleteSubrange(1, 1);
    EXPECT_THAT(graph.message({"h/exit"}),
                HasSubstr("'h/merge' is f32[2] in one turn and i32[1] in the next"));
  }
  {
    LoopGraph graph;
    graph.find("write").set_input(3, "in_flow/enter");
    EXPECT_THAT(graph.message(), HasSubstr("an array is not filled entry by entry"));
  }
  {
    LoopGraph graph;
    NodeDef& inner = graph.b.node("Enter", "inner", {"sum"});
    (*inner.mutable_attr())["frame_name"].set_s("other");
    graph.find("new_h").set_input(0, "inner");
    EXPECT_THAT(graph.message(), HasSubstr("an output is within the loop 'other'"));
  }
  {
    LoopGraph graph;
    graph.find("twice").set_op("MyVeryOwnOp");
    EXPECT_THAT(graph.message(), HasSubstr("'twice'"));
  }
}

/// h = 2 * h + x[t] + t, and then h + 1 as often as t says, before the next turn.
TEST(TensorflowLoops, WithinLoops) {
  LoopGraph graph;
  auto frame = [&](const std::string& name, const std::string& from) {
    NodeDef& node = graph.b.node("Enter", name, {from});
    (*node.mutable_attr())["frame_name"].set_s("inner");
  };
  frame("i/enter", "inner_zero");
  frame("g/enter", "new_h");
  frame("t/enter", "time/old");
  graph.b.ints("inner_zero", {}, {0});
  for (const std::string name : {"i", "g"}) {
    graph.b.node("Merge", name + "/merge", {name + "/enter", name + "/next"});
    graph.b.node("Switch", name + "/switch", {name + "/merge", "inner_condition"});
    graph.b.node("Exit", name + "/exit", {name + "/switch"});
  }
  graph.b.node("Less", "inner_less", {"i/merge", "t/enter"});
  graph.b.node("LoopCond", "inner_condition", {"inner_less"});
  graph.b.ints("inner_one", {}, {1});
  graph.b.floats("plus", {}, {1});
  graph.b.node("Add", "i/more", {"i/switch:1", "inner_one"});
  graph.b.node("Add", "g/more", {"g/switch:1", "plus"});
  graph.b.node("NextIteration", "i/next", {"i/more"});
  graph.b.node("NextIteration", "g/next", {"g/more"});
  graph.find("write").set_input(2, "g/exit");
  graph.find("h/next").set_input(0, "g/exit");
  const std::vector<Tensor> results = run(graph.b, {float_tensor({3, 2}, {1, 2, 3, 4, 5, 6})},
                                          LoopGraph::options({"h/exit", "all"}));
  ASSERT_EQ(results.size(), 2U);
  // 201, 406 + 1, 2 * 407 + 5 + 2 + 2
  EXPECT_EQ(numbers(results[0]), (std::vector<double>{823, 1630}));
  EXPECT_EQ(numbers(results[1]), (std::vector<double>{201, 402, 407, 810, 823, 1630}));
}

TEST(TensorflowLoops, SurviveDamageInEveryPlace) {
  EXPECT_THAT(LoopGraph().message({"sum"}), HasSubstr("an output is within the loop 'while'"));
  const LoopGraph whole;
  for (const NodeDef& node : whole.b.def.node()) {
    for (int i = 0; i < node.input_size(); ++i) {
      LoopGraph graph;
      NodeDef& damaged = graph.find(node.name());
      damaged.mutable_input()->DeleteSubrange(i, 1);
      graph.message();
      LoopGraph turned;
      turned.find(node.name()).set_input(i, "x");
      turned.message();
      LoopGraph looped;
      looped.find(node.name()).set_input(i, "h/exit");
      looped.message();
    }
  }
}

}  // namespace
}  // namespace ingot::tensorflow
