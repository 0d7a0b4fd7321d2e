// SPDX-License-Identifier: Apache-2.0
// Every op of the standard is either read or refused with advice, never both; and what a survey
// says of models whose ops are refused, in branches and functions too.
#include <gmock/gmock.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "base/file.h"
#include "import/onnx/model_builder.h"
#include "import/onnx/walk.h"
#include "import/survey.h"

namespace ingot::onnx {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

TEST(OnnxRefusedOps, AreSortedAndHaveNoRows) {
  EXPECT_TRUE(
      std::is_sorted(refused_ops().begin(), refused_ops().end(),
                     [](const RefusedOp& a, const RefusedOp& b) { return a.name < b.name; }));
  for (const RefusedOp& op : refused_ops()) {
    EXPECT_FALSE(first_opset(op.name)) << op.name << " has rows, so it is not refused";
    EXPECT_EQ(find_refused(op.name), &op);
    EXPECT_FALSE(op.reason.empty());
  }
}

/// Ops of the standard domain that a graph names, branches included.
void collect_ops(const NodeList& nodes, std::set<std::string>& ops) {
  for (const NodeProto& node : nodes) {
    if (domain_of(node.domain()).empty()) ops.insert(node.op_type());
    for (const AttributeProto& attribute : node.attribute())
      if (attribute.has_g()) collect_ops(attribute.g().node(), ops);
  }
}

TEST(OnnxRefusedOps, SharedCasesHoldNoOpThatIsNeitherReadNorRefused) {
  const std::filesystem::path folder =
      std::filesystem::path(INGOT_SOURCE_DIR).parent_path() / "shared/onnx-cases/node";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "no ONNX cases at " << folder;
  std::set<std::string> ops;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const auto bytes = read_file((entry.path() / "model.onnx").string());
    if (!bytes) continue;
    ModelProto model;
    ASSERT_TRUE(model.ParseFromArray(bytes->data(), static_cast<int>(bytes->size())));
    collect_ops(model.graph().node(), ops);
    for (const FunctionProto& function : model.functions()) ops.erase(function.name());
  }
  EXPECT_GT(ops.size(), 150U);
  for (const std::string& op : ops)
    EXPECT_TRUE(first_opset_of_control_flow(op) || first_opset(op) || find_refused(op) != nullptr)
        << op;
}

Survey survey_of(const TestModel& model, ImportOptions options = {}) {
  Survey survey;
  options.survey = &survey;
  (void)model.import(options);
  return survey;
}

std::vector<std::string> refused_nodes(const Survey& survey) {
  std::vector<std::string> nodes;
  for (const Refusal& refusal : survey.refusals) {
    nodes.push_back(refusal.path.empty() ? refusal.node : refusal.path + "/" + refusal.node);
    EXPECT_FALSE(refusal.advice.empty()) << refusal.op;
  }
  return nodes;
}

void expect_use(const Survey& survey, const std::string& op, int nodes, int refused, int unseen) {
  const auto found = survey.ops.find(op);
  ASSERT_NE(found, survey.ops.end()) << op;
  EXPECT_EQ(found->second.nodes, nodes) << op;
  EXPECT_EQ(found->second.refused, refused) << op;
  EXPECT_EQ(found->second.unseen, unseen) << op;
}

TEST(OnnxSurvey, NodesBehindARefusedOneAreCountedByTheTable) {
  TestModel model;
  model.input("x", {2, 2});
  model.node("Neg", {"x"}, {"a"});
  model.node("Det", {"a"}, {"b"});
  model.node("Neg", {"b"}, {"c"});
  model.node("GridSample", {"c"}, {"y"});
  model.output("y");
  const Survey survey = survey_of(model);
  EXPECT_THAT(refused_nodes(survey), ElementsAre("b", "y"));
  expect_use(survey, "Neg", 2, 0, 1);
  expect_use(survey, "Det", 1, 1, 0);
  EXPECT_TRUE(survey.ops.at("Neg").known);
  EXPECT_FALSE(survey.ops.at("Det").known);
  EXPECT_EQ(survey.unseen(), 1);
}

/// If or Loop with one graph attribute, of nodes in a row that begin from `x`. A loop's carries one
/// value on.
void add_body(TestNode node, const char* attribute_name, const std::vector<const char*>& ops) {
  AttributeProto* attribute = node->add_attribute();
  attribute->set_name(attribute_name);
  attribute->set_type(AttributeProto::GRAPH);
  GraphProto& graph = *attribute->mutable_g();
  std::string last = "x";
  if (node->op_type() == "Loop") {
    for (const char* input : {"i", "goes_on", "x"}) graph.add_input()->set_name(input);
    graph.add_output()->set_name("goes_on");
  }
  for (const char* op : ops) {
    const std::string next = std::string(op) + "_in_" + attribute_name;
    add_node(graph, op, {last}, {next});
    last = next;
  }
  graph.add_output()->set_name(last);
}

TEST(OnnxSurvey, BodiesOfLoopsAndBranchesAreLookedAtByTheTable) {
  TestModel model;
  model.input("x", {2}).input("turns", {}, 7).input("go", {}, 9);
  TestNode loop = model.node("Loop", {"turns", "go", "x"}, {"l"});
  add_body(loop, "body", {"Relu", "Det"});
  TestNode branch = model.node("If", {"go"}, {"b"});
  add_body(branch, "then_branch", {"Tanh"});
  add_body(branch, "else_branch", {"DeformConv"});
  model.output("l").output("b");
  const Survey survey = survey_of(model);
  EXPECT_THAT(refused_nodes(survey),
              UnorderedElementsAre("l/Det_in_body", "b/DeformConv_in_else_branch"));
  expect_use(survey, "Relu", 1, 0, 0);
  expect_use(survey, "Tanh", 1, 0, 0);
  expect_use(survey, "Loop", 1, 0, 1);
  expect_use(survey, "If", 1, 0, 1);
}

TEST(OnnxSurvey, AttributesAndOperandsAreRefusedByNode) {
  TestModel model;
  model.input("x", {2, 3}).input("axes", {1}, 7);
  model.node("ReduceSum", {"x", "axes"}, {"s"});
  model.node("ReduceSum", {"x"}, {"t"});
  model.output("s").output("t");
  const Survey survey = survey_of(model);
  ASSERT_EQ(survey.refusals.size(), 1U);
  EXPECT_THAT(survey.refusals[0],
              AllOf(Field(&Refusal::kind, Refused::constant_operand), Field(&Refusal::node, "s"),
                    Field(&Refusal::advice, HasSubstr("--constant axes="))));
  expect_use(survey, "ReduceSum", 2, 1, 0);
  EXPECT_TRUE(survey.ops.at("ReduceSum").known);
}

TEST(OnnxSurvey, AnImportThatEndsEarlyStillSaysWhatTheTableKnows) {
  TestModel model;
  model.proto.mutable_graph()->add_input()->set_name("x");
  model.node("Neg", {"x"}, {"a"});
  model.node("DeformConv", {"a"}, {"y"});
  model.output("y");
  Survey survey;
  ImportOptions options;
  options.survey = &survey;
  const Expected<Graph> graph = model.import(options);
  ASSERT_FALSE(graph);
  EXPECT_EQ(graph.error().code, ErrorCode::invalid_argument);
  EXPECT_THAT(refused_nodes(survey), ElementsAre("y"));
  expect_use(survey, "Neg", 1, 0, 1);
}

TEST(OnnxSurvey, WarnsOfFloat64AndUnusedInputs) {
  TestModel model;
  model.input("x", {2}, 11).input("unused", {2});
  model.node("Neg", {"x"}, {"y"});
  model.output("y");
  const Survey survey = survey_of(model);
  EXPECT_TRUE(survey.refusals.empty());
  EXPECT_THAT(survey.warnings,
              ElementsAre(AllOf(Field(&Warning::kind, "float64"), Field(&Warning::subject, "x")),
                          AllOf(Field(&Warning::kind, "unused_input"),
                                Field(&Warning::subject, "unused"))));
}

}  // namespace
}  // namespace ingot::onnx
