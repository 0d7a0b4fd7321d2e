// SPDX-License-Identifier: Apache-2.0
// Calls and functional control flow, by what they compute, and what is wrong with them.
#include "import/saved_model/flatten.h"

#include <gmock/gmock.h>

#include "import/saved_model/model_builder.h"

namespace ingot::tensorflow {
namespace {

using testing::HasSubstr;
using Doubles = std::vector<double>;

/// y is what function `f` gives for x.
ModelBuilder calling_f(const std::string& op = "PartitionedCall") {
  ModelBuilder b;
  calls(b.node(op, "call", {"serving_default_x"}), "f");
  b.port(false, "y", "call:0");
  return b;
}

TEST(Flatten, NamesOfOutputsBecomePlaces) {
  ModelBuilder b = calling_f();
  OpDef& split = b.define("Split", "split_dim value", "output");
  split.mutable_output_arg(0)->set_number_attr("num_split");
  FunctionBuilder f = b.function("f", {"x"}, {{"y", "sum:z:0"}});
  f.integer("axis", 1);
  (*f.node("Split", "parts", {"axis:output:0", "x"}).mutable_attr())["num_split"].set_i(2);
  f.number("ten", 10);
  f.node("Mul", "scaled", {"parts:output:1", "ten:output:0"});
  f.node("AddV2", "sum", {"parts:output:0", "scaled:z:0"});
  EXPECT_EQ(b.run(), Doubles{21});
  // All of a list.
  OpDef& concat = b.define("ConcatV2", "values axis", "output");
  concat.mutable_input_arg(0)->set_number_attr("N");
  NodeDef& joined = f.node("ConcatV2", "joined", {"parts:output", "axis:output:0"});
  (*joined.mutable_attr())["N"].set_i(2);
  (*f.def.mutable_ret())["y"] = "joined:output:0";
  EXPECT_EQ(b.run(), (Doubles{1, 2}));
  (*f.def.mutable_ret())["y"] = "parts:output:2";
  EXPECT_THAT(b.message(), HasSubstr("function 'f': 'parts:output:2' is read, and is not in it"));
}

TEST(Flatten, AttributesOfTheCall) {
  ModelBuilder b = calling_f();
  b.define("ConcatV2", "values axis", "output");
  FunctionBuilder f = b.function("f", {"x"}, {{"y", "cast:y:0"}});
  (*f.node("Cast", "cast", {"x"}).mutable_attr())["DstT"].set_placeholder("To");
  EXPECT_THAT(b.message(), HasSubstr("node 'cast' (Cast) in f: attribute 'To' is not given"));
  (*(*b.def.mutable_node(1)->mutable_attr())["f"].mutable_func()->mutable_attr())["To"].set_type(
      tf_int32);
  const auto graph = b.import();
  ASSERT_TRUE(graph) << graph.error().message;
  EXPECT_EQ(str(graph->type(graph->outputs()[0].value)), "i32[N, 2]");
}

TEST(Flatten, DefaultsAreTheOps) {
  ModelBuilder b = calling_f();
  OpDef::AttrDef& to =
      *b.graph().mutable_meta_info_def()->mutable_stripped_op_list()->mutable_op(6)->add_attr();
  to.set_name("DstT");
  to.mutable_default_value()->set_type(tf_int32);
  b.function("f", {"x"}, {{"y", "cast:y:0"}}).node("Cast", "cast", {"x"});
  const auto graph = b.import();
  ASSERT_TRUE(graph) << graph.error().message;
  EXPECT_EQ(graph->type(graph->outputs()[0].value).dtype, DType::i32);
}

TEST(Flatten, ANodeMayBeNamedLikeAFunction) {
  ModelBuilder b;
  b.node("f", "call", {"serving_default_x"});
  b.node("Identity", "call/two", {"call"});  // a name that the function's node would have
  b.port(false, "y", "call/two:0");
  FunctionBuilder f = b.function("f", {"x"}, {{"y", "twice:z:0"}});
  f.number("two", 2);
  f.node("Mul", "twice", {"x", "two:output:0"});
  EXPECT_EQ(b.run(), (Doubles{2, 4}));
}

TEST(Flatten, ConstantsOfAFunctionThatIsCalledTwice) {
  ModelBuilder b = calling_f();
  FunctionBuilder f = b.function("f", {"x"}, {{"y", "second:y:0"}});
  calls(f.node("PartitionedCall", "first", {"x"}), "g");
  calls(f.node("PartitionedCall", "second", {"first:y:0"}), "g");
  FunctionBuilder g = b.function("g", {"x"}, {{"y", "sum:z:0"}});
  g.number("five", 5);
  g.node("AddV2", "sum", {"x", "five:output:0"});
  EXPECT_EQ(b.run(), (Doubles{11, 12}));
}

TEST(Flatten, Cycles) {
  ModelBuilder b = calling_f();
  calls(b.function("f", {"x"}, {{"y", "go:y:0"}}).node("PartitionedCall", "go", {"x"}), "g");
  calls(b.function("g", {"x"}, {{"y", "on:y:0"}}).node("PartitionedCall", "on", {"x"}), "f");
  EXPECT_THAT(b.message(), HasSubstr("function 'f' calls itself: f -> g -> f"));
  EXPECT_EQ(b.import().error().code, ErrorCode::invalid_model);
}

TEST(Flatten, FunctionsThatDouble) {
  ModelBuilder b = calling_f();
  auto name = [](int i) { return i == 0 ? std::string("f") : fmt::format("f{}", i); };
  for (int i = 0; i < 60; ++i) {
    FunctionBuilder f = b.function(name(i), {"x"}, {{"y", "two:y:0"}});
    calls(f.node("PartitionedCall", "one", {"x"}), name(i + 1));
    calls(f.node("PartitionedCall", "two", {"one:y:0"}), name(i + 1));
  }
  b.function(name(60), {"x"}, {{"y", "x"}});
  const auto graph = b.import();
  ASSERT_FALSE(graph);
  EXPECT_THAT(graph.error().message, HasSubstr("with its functions inlined the graph "));
  EXPECT_EQ(graph.error().code, ErrorCode::limit);
}

TEST(Flatten, CallsThatDoNotFit) {
  ModelBuilder b = calling_f();
  EXPECT_THAT(b.message(), HasSubstr("it calls 'f', which is not in the library"));
  FunctionBuilder f = b.function("f", {"x"}, {{"y", "x"}});
  EXPECT_EQ(b.run(), (Doubles{1, 2}));
  f.def.mutable_signature()->add_input_arg()->set_name("z");
  EXPECT_THAT(b.message(), HasSubstr("function 'f' wants more than its 1 operands"));
  f.def.mutable_signature()->clear_input_arg();
  EXPECT_THAT(b.message(), HasSubstr("function 'f' wants 0 operands, not 1"));
  f.def.mutable_signature()->add_input_arg()->set_name("x");
  f.def.clear_ret();
  EXPECT_THAT(b.message(), HasSubstr("function 'f' does not say what its output 'y' is"));
}

/// If on `chosen`: x + 5, else x * 3. What is not taken also writes a variable.
ModelBuilder choosing(bool chosen) {
  ModelBuilder b;
  b.variable("count", "count", {}, {0}, "no_such");
  b.boolean("flag", chosen);
  NodeDef& node = b.node("StatelessIf", "if", {"flag", "serving_default_x", "count"});
  calls(node, "then", "then_branch");
  calls(node, "else", "else_branch");
  FunctionBuilder yes = b.function("then", {"x", "count"}, {{"y", "sum:z:0"}});
  yes.number("five", 5);
  yes.node("AddV2", "sum", {"x", "five:output:0"});
  FunctionBuilder no = b.function("else", {"x", "count"}, {{"y", "product:z:0"}});
  no.number("three", 3);
  no.node("Mul", "product", {"x", "three:output:0"});
  no.node("AssignVariableOp", "write", {"count", "three:output:0"});
  (*no.def.mutable_control_ret())["write"] = "write";
  b.port(false, "y", "if:0");
  return b;
}

TEST(Flatten, ConstantsDecideBranches) {
  EXPECT_EQ(choosing(true).run(), (Doubles{6, 7}));
  EXPECT_THAT(choosing(false).message(), HasSubstr("it writes variable 'count'"));
  EXPECT_THAT(choosing(false).message(), HasSubstr("(of function 'else')"));
}

/// A counted loop: `turns` times y = 2 * y + i, with a limit that is handed on.
TEST(Flatten, LoopsThatCount) {
  ModelBuilder b;
  b.ints("zero", {}, {0});
  b.ints("turns", {}, {3});
  NodeDef& node = b.node("StatelessWhile", "while", {"zero", "serving_default_x", "turns"});
  calls(node, "cond", "cond");
  calls(node, "body", "body");
  b.port(false, "y", "while:1");
  b.port(false, "z", "while:2");
  FunctionBuilder cond = b.function("cond", {"i", "y", "n"}, {{"go", "less:z:0"}});
  cond.node("Less", "less", {"i", "n"});
  FunctionBuilder body = b.function("body", {"i", "y", "n"},
                                    {{"a", "later:z:0"}, {"b", "sum:z:0"}, {"c", "same:output:0"}});
  body.integer("one", 1);
  body.node("AddV2", "later", {"i", "one:output:0"});
  body.number("two", 2);
  body.node("Mul", "twice", {"y", "two:output:0"});
  (*body.node("Cast", "number", {"i"}).mutable_attr())["DstT"].set_type(tf_float);
  body.node("AddV2", "sum", {"twice:z:0", "number:y:0"});
  body.node("Identity", "same", {"n"});
  // 1 -> 2 -> 5 -> 12; 2 -> 4 -> 9 -> 20
  EXPECT_EQ(b.run(), (Doubles{12, 20, 3}));
  body.def.mutable_signature()->mutable_output_arg()->RemoveLast();
  EXPECT_THAT(b.message(), HasSubstr("a turn does not give what it is given"));
}

TEST(Flatten, CasesByConstants) {
  for (const auto& [index, expected] :
       {std::pair(0, 2.0), {1, 11.0}, {2, 100.0}, {7, 100.0}, {-1, 100.0}}) {
    ModelBuilder b;
    b.define("NotEqual", "x y", "z");
    b.ints("index", {}, {index});
    NodeDef& node = b.node("StatelessCase", "case", {"index", "serving_default_x"});
    auto& branches = *(*node.mutable_attr())["branches"].mutable_list();
    for (const char* name : {"a", "b", "c"}) branches.add_func()->set_name(name);
    FunctionBuilder one = b.function("a", {"x"}, {{"y", "y:z:0"}});
    one.node("AddV2", "y", {"x", "x"});
    FunctionBuilder two = b.function("b", {"x"}, {{"y", "y:z:0"}});
    two.number("ten", 10);
    two.node("AddV2", "y", {"x", "ten:output:0"});
    FunctionBuilder three = b.function("c", {"x"}, {{"y", "y:z:0"}});
    three.number("hundred", 100);
    three.node("Mul", "y", {"x", "hundred:output:0"});
    b.port(false, "y", "case:0");
    const Doubles result = b.run();
    ASSERT_EQ(result.size(), 2U) << index;
    EXPECT_EQ(result[0], expected) << index;
  }
}

}  // namespace
}  // namespace ingot::tensorflow
