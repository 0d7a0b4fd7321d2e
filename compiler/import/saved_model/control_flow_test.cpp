// SPDX-License-Identifier: Apache-2.0
// If, Case and While that data decide: x is [1, 2], whose sum is 3.
#include <gmock/gmock.h>

#include "import/saved_model/model_builder.h"

namespace ingot::tensorflow {
namespace {

using testing::HasSubstr;
using Doubles = std::vector<double>;

/// `is_less`: whether the sum of x is below a limit.
ModelBuilder summing(float limit) {
  ModelBuilder b;
  b.define("NotEqual", "x y", "z");
  b.define("GatherV2", "params indices axis", "output");
  b.vector("axes", {0, 1});
  b.floats("limit", {}, {limit});
  b.node("Sum", "total", {"serving_default_x", "axes"});
  b.node("Less", "is_less", {"total", "limit"});
  return b;
}

NodeDef& choose(ModelBuilder& b, const std::vector<std::string>& inputs) {
  NodeDef& node = b.node("If", "if", inputs);
  calls(node, "yes", "then_branch");
  calls(node, "no", "else_branch");
  return node;
}

void twice(ModelBuilder& b, const std::string& name) {
  b.function(name, {"x"}, {{"y", "sum:z:0"}}).node("AddV2", "sum", {"x", "x"});
}

void plus(ModelBuilder& b, const std::string& name, float number) {
  FunctionBuilder f = b.function(name, {"x"}, {{"y", "sum:z:0"}});
  f.number("number", number);
  f.node("AddV2", "sum", {"x", "number:output:0"});
}

TEST(ControlFlow, DataChooseABranch) {
  for (const bool taken : {true, false}) {
    ModelBuilder b = summing(taken ? 4 : 3);
    choose(b, {"is_less", "serving_default_x"});
    twice(b, "yes");
    plus(b, "no", 10);
    b.port(false, "y", "if:0");
    EXPECT_EQ(b.run(), taken ? (Doubles{2, 4}) : (Doubles{11, 12}));
  }
}

/// What is not taken may read what is not there.
TEST(ControlFlow, WhatIsNotTakenDoesNotFail) {
  ModelBuilder b = summing(4);
  b.vector("one_entry", {1});
  b.node("Reshape", "one_total", {"total", "one_entry"});
  (*b.node("Cast", "far", {"one_total"}).mutable_attr())["DstT"].set_type(tf_int32);
  choose(b, {"is_less", "serving_default_x", "far"});
  FunctionBuilder yes = b.function("yes", {"x", "far"}, {{"y", "row:output:0"}});
  FunctionBuilder no = b.function("no", {"x", "far"}, {{"y", "row:output:0"}});
  for (FunctionBuilder* f : {&yes, &no}) f->integer("axis", 0);
  yes.integer("zero", 0)
      .mutable_attr()
      ->at("value")
      .mutable_tensor()
      ->mutable_tensor_shape()
      ->add_dim()
      ->set_size(1);
  yes.node("GatherV2", "row", {"x", "zero:output:0", "axis:output:0"});
  no.node("GatherV2", "row", {"x", "far", "axis:output:0"});
  b.port(false, "y", "if:0");
  EXPECT_EQ(b.run(), (Doubles{1, 2}));
  b.def.mutable_node(2)->mutable_attr()->at("value").mutable_tensor()->set_float_val(0, 2);
  const auto graph = b.import();
  ASSERT_TRUE(graph) << graph.error().message;
  const std::vector<Tensor> inputs{float_tensor({1, 2}, {1, 2})};
  EXPECT_FALSE(interpret(*graph, inputs, *bind_symbols(*graph, inputs)));
}

/// Several results, one of which a branch only hands through, and a choice within a choice.
TEST(ControlFlow, BranchesWithinBranches) {
  for (const auto& [limit, second, expected] : {std::tuple(4.F, 2.F, Doubles{2, 4, 1, 2}),
                                                {4.F, 0.5F, Doubles{101, 102, 1, 2}},
                                                {3.F, 0.5F, Doubles{1, 2, 6, 7}}}) {
    ModelBuilder b = summing(limit);
    b.floats("second", {}, {second});
    b.floats("one", {}, {1});
    b.node("Less", "again", {"one", "second"});
    choose(b, {"is_less", "serving_default_x", "total", "second"});
    FunctionBuilder yes = b.function("yes", {"x", "t", "s"}, {{"a", "inner:output:0"}, {"b", "x"}});
    yes.node("Identity", "same", {"t"});
    yes.number("two", 2);
    yes.node("Mul", "more", {"s", "two:output:0"});  // 4 or 1, where the total is 3
    yes.node("Less", "less", {"same:output:0", "more:z:0"});
    NodeDef& inner = yes.node("StatelessIf", "inner", {"less:z:0", "x"});
    calls(inner, "doubled", "then_branch");
    calls(inner, "moved", "else_branch");
    twice(b, "doubled");
    plus(b, "moved", 100);
    FunctionBuilder no = b.function("no", {"x", "t", "s"}, {{"a", "x"}, {"b", "sum:z:0"}});
    no.number("five", 5);
    no.node("AddV2", "sum", {"x", "five:output:0"});
    b.port(false, "y", "if:0");
    b.port(false, "z", "if:1");
    EXPECT_EQ(b.run(), expected) << limit << ' ' << second;
  }
}

/// The last branch is for all numbers that are none's.
TEST(ControlFlow, DataChooseACase) {
  for (const auto& [add, expected] : {std::pair(-3.F, Doubles{2, 4}),
                                      {-2.F, Doubles{11, 12}},
                                      {-1.F, Doubles{101, 102}},
                                      {50.F, Doubles{101, 102}},
                                      {-9.F, Doubles{101, 102}}}) {
    ModelBuilder b = summing(0);
    b.floats("add", {}, {add});
    b.node("AddV2", "number", {"total", "add"});
    (*b.node("Cast", "which", {"number"}).mutable_attr())["DstT"].set_type(tf_int32);
    NodeDef& node = b.node("Case", "case", {"which", "serving_default_x"});
    auto& branches = *(*node.mutable_attr())["branches"].mutable_list();
    for (const char* name : {"a", "b", "c"}) branches.add_func()->set_name(name);
    twice(b, "a");
    plus(b, "b", 10);
    plus(b, "c", 100);
    b.port(false, "y", "case:0");
    EXPECT_EQ(b.run(), expected) << add;
  }
}

/// x is doubled as long as its sum is below a limit, and each turn chooses by data, too.
TEST(ControlFlow, DataEndALoopWithBranches) {
  for (const auto& [limit, expected] :
       {std::pair(1.F, Doubles{1, 2, 0}), {12.F, Doubles{4, 8, 2}}, {30.F, Doubles{15, 19, 4}}}) {
    ModelBuilder b;
    b.define("Sum", "input axes", "output");
    b.vector("axes", {0, 1});
    b.floats("limit", {}, {limit});
    b.ints("zero", {}, {0});
    NodeDef& node = b.node("While", "while", {"serving_default_x", "zero", "limit", "axes"});
    calls(node, "goes_on", "cond");
    calls(node, "turn", "body");
    FunctionBuilder cond = b.function("goes_on", {"x", "i", "n", "axes"}, {{"go", "less:z:0"}});
    cond.node("Sum", "sum", {"x", "axes"});
    cond.node("Less", "less", {"sum:output:0", "n"});
    FunctionBuilder body =
        b.function("turn", {"x", "i", "n", "axes"},
                   {{"a", "choice:output:0"}, {"b", "more:z:0"}, {"c", "n"}, {"d", "axes"}});
    body.node("Sum", "sum", {"x", "axes"});
    body.number("ten", 10);
    body.node("Less", "small", {"sum:output:0", "ten:output:0"});
    NodeDef& choice = body.node("If", "choice", {"small:z:0", "x"});
    calls(choice, "doubled", "then_branch");
    calls(choice, "moved", "else_branch");
    body.integer("one", 1);
    body.node("AddV2", "more", {"i", "one:output:0"});
    twice(b, "doubled");
    plus(b, "moved", 5.5F);
    b.port(false, "x", "while:0");
    b.port(false, "y", "while:1");
    // 3 -> 6 -> 12 -> 23 -> 34
    EXPECT_EQ(b.run(), expected) << limit;
  }
}

/// A loop of its own in one branch.
TEST(ControlFlow, ALoopWithinABranch) {
  for (const bool taken : {true, false}) {
    ModelBuilder b = summing(taken ? 4 : 3);
    choose(b, {"is_less", "serving_default_x"});
    FunctionBuilder yes = b.function("yes", {"x"}, {{"y", "while:output:1"}});
    b.define("While", "input", "output").mutable_input_arg(0)->set_type_list_attr("T");
    b.graph()
        .mutable_meta_info_def()
        ->mutable_stripped_op_list()
        ->mutable_op()
        ->rbegin()
        ->mutable_output_arg(0)
        ->set_type_list_attr("T");
    yes.integer("zero", 0);
    NodeDef& node = yes.node("While", "while", {"zero:output:0", "x"});
    for (const int type : {tf_int32, tf_float})
      (*node.mutable_attr())["T"].mutable_list()->add_type(type);
    calls(node, "goes_on", "cond");
    calls(node, "turn", "body");
    FunctionBuilder cond = b.function("goes_on", {"i", "x"}, {{"go", "less:z:0"}});
    cond.integer("three", 3);
    cond.node("Less", "less", {"i", "three:output:0"});
    FunctionBuilder body = b.function("turn", {"i", "x"}, {{"a", "more:z:0"}, {"b", "sum:z:0"}});
    body.integer("one", 1);
    body.node("AddV2", "more", {"i", "one:output:0"});
    body.node("AddV2", "sum", {"x", "x"});
    plus(b, "no", 10);
    b.port(false, "y", "if:0");
    EXPECT_EQ(b.run(), taken ? (Doubles{8, 16}) : (Doubles{11, 12}));
  }
}

TEST(ControlFlow, WhatCannotBeJoinedIsRefused) {
  {
    ModelBuilder b = summing(3);
    choose(b, {"is_less", "serving_default_x", "total"});
    b.function("yes", {"x", "t"}, {{"y", "x"}});
    b.function("no", {"x", "t"}, {{"y", "t"}});
    b.port(false, "y", "if:0");
    EXPECT_THAT(b.message(), HasSubstr("data choose its branch, and the branches give f32[] and "
                                       "f32[N, 2]"));
    EXPECT_THAT(b.message(), HasSubstr("give both branches the same shape"));
  }
  {
    ModelBuilder b = summing(3);
    choose(b, {"is_less", "serving_default_x"});
    twice(b, "yes");
    b.function("no", {"x"}, {{"y", "odd:y:0"}}).node("MyVeryOwnOp", "odd", {"x"});
    b.port(false, "y", "if:0");
    EXPECT_THAT(b.message(), HasSubstr("node 'if/branch_0/odd' (of function 'no')"));
  }
  {
    ModelBuilder b = summing(3);
    choose(b, {"serving_default_x", "serving_default_x"});
    twice(b, "yes");
    plus(b, "no", 1);
    b.port(false, "y", "if:0");
    EXPECT_THAT(b.message(), HasSubstr("what chooses its branch is f32[N, 2]"));
  }
}

}  // namespace
}  // namespace ingot::tensorflow
