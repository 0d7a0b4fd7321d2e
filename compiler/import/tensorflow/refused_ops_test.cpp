// SPDX-License-Identifier: Apache-2.0
// What is said of TensorFlow ops that have no row, by the family of their names, and what a survey
// says of the functions that a graph brings along.
#include <gmock/gmock.h>

#include <map>

#include "import/tensorflow/emit.h"
#include "import/tensorflow/graph_builder.h"

namespace ingot::tensorflow {
namespace {

TEST(TensorflowRefusedOps, AreOfTheKindThatTheirNamesSay) {
  const std::map<std::string_view, Refused> kinds = {
      {"NthElement", Refused::op},
      {"MyOwnOp", Refused::op},
      {"ListDiff", Refused::data_dependent_size},
      {"StatelessIf", Refused::function},
      {"StatelessRandomUniform", Refused::random},
      {"TensorArrayConcatV3", Refused::control_flow},
      {"ScatterNdUpdate", Refused::op},
      {"VarHandleOp", Refused::state},
      {"StringToNumber", Refused::strings},
      {"BiasAddGrad", Refused::training},
      {"Conv2DBackpropFilter", Refused::training},
      {"SparseTensorDenseMatMul", Refused::no_tensor},
      {"HashTableV2", Refused::outside},
  };
  for (const auto& [op, kind] : kinds) {
    EXPECT_EQ(find_row(op), nullptr) << op << " is read now: choose another of its family";
    EXPECT_FALSE(is_known(op)) << op;
    EXPECT_EQ(name(refused_op(op).kind), name(kind)) << op;
    EXPECT_FALSE(refused_op(op).reason.empty());
  }
}

TEST(TensorflowSurvey, FunctionsAreLookedAtByTheTableOnceEach) {
  GraphBuilder builder;
  builder.placeholder("x", tf_float, {2});
  NodeDef& call = builder.node("PartitionedCall", "call", {"x"});
  (*call.mutable_attr())["f"].mutable_func()->set_name("outer");
  for (const auto& [function_name, op, inner] :
       {std::tuple{"outer", "Relu", "deep"}, std::tuple{"deep", "MyOwnOp", "outer"}}) {
    FunctionDef& function = *builder.def.mutable_library()->add_function();
    function.mutable_signature()->set_name(function_name);
    NodeDef& node = *function.add_node_def();
    node.set_name("a");
    node.set_op(op);
    NodeDef& again = *function.add_node_def();
    again.set_name("b");
    again.set_op(inner);
  }
  Survey survey;
  const std::string bytes = builder.def.SerializeAsString();
  EXPECT_FALSE(import_graphdef(std::as_bytes(std::span(bytes)), {}, survey));
  ASSERT_EQ(survey.refusals.size(), 2U);
  EXPECT_EQ(survey.refusals[0].node, "call");
  EXPECT_EQ(survey.refusals[1].op, "MyOwnOp");
  EXPECT_EQ(survey.refusals[1].path, "outer/deep");
  EXPECT_EQ(survey.ops.at("Relu").unseen, 1);
}

TEST(TensorflowSurvey, InputsOfStringsAreListedWithTheRest) {
  GraphBuilder builder;
  builder.placeholder("words", 7, {2});
  builder.placeholder("x", tf_float, {2});
  builder.node("StringToNumber", "number", {"words"});
  builder.node("Add", "sum", {"number", "x"});
  Survey survey;
  const std::string bytes = builder.def.SerializeAsString();
  EXPECT_FALSE(import_graphdef(std::as_bytes(std::span(bytes)), {}, survey));
  ASSERT_EQ(survey.refusals.size(), 2U);
  EXPECT_EQ(survey.refusals[0].op, "input");
  EXPECT_EQ(survey.refusals[0].node, "words");
  EXPECT_EQ(survey.refusals[1].node, "number");
  EXPECT_EQ(survey.unseen(), 1) << "the sum hangs on them";
}

}  // namespace
}  // namespace ingot::tensorflow
