// SPDX-License-Identifier: Apache-2.0
// Signatures, options, functions, branches and errors of ONNX import. What the ops compute is
// tested by ONNX's own cases (conformance_test.cpp).
#include <gmock/gmock.h>

#include <random>

#include "import/onnx/model_builder.h"

namespace ingot::onnx {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

std::string input_type(const Graph& graph, std::size_t i) {
  return str(graph.type(graph.inputs()[i]));
}

TEST(OnnxImport, SymbolsFromNamesAndFromNothing) {
  TestModel model;
  model.input("x", {"", 4}).input("points", {"", "n pf-1", ""}).input("mask", {"unk__12", 2});
  model.node("Relu", {"x"}, {"y"});
  model.output("y");
  const Expected<Graph> graph = model.import();
  ASSERT_TRUE(graph) << message_of(graph);
  EXPECT_EQ(input_type(*graph, 0), "f32[N, 4]");
  EXPECT_EQ(input_type(*graph, 1), "f32[N, n_pf_1, points_d2]");
  EXPECT_EQ(input_type(*graph, 2), "f32[unk__12, 2]");
  EXPECT_EQ(graph->find_symbol("N")->range, (Interval{0, 2147483647}));
  EXPECT_EQ(graph->find_symbol("n_pf_1")->range, (Interval{0, 4096}));
}

TEST(OnnxImport, EqualSymbolsAreMerged) {
  TestModel model;
  model.input("a", {"n", 4}).input("b", {"m", 4}).input("c", {"k"});
  model.node("Add", {"a", "b"}, {"s"});
  model.node("MatMul", {"c", "s"}, {"y"});
  model.output("y");
  const Expected<Graph> graph = model.import();
  ASSERT_TRUE(graph) << message_of(graph);
  EXPECT_EQ(graph->symbols().size(), 1U);
  EXPECT_EQ(input_type(*graph, 0), input_type(*graph, 1));
  EXPECT_TRUE(graph->constraints().empty());
}

TEST(OnnxImport, PinnedAndBoundedSymbols) {
  TestModel model;
  model.input("x", {"N", "w"});
  model.node("Relu", {"x"}, {"y"});
  model.output("y");
  ImportOptions options;
  options.symbol_ranges = {{"N", {1, 64}}, {"w", {27, 27}}};
  const Expected<Graph> graph = model.import(options);
  ASSERT_TRUE(graph) << message_of(graph);
  EXPECT_EQ(input_type(*graph, 0), "f32[N, 27]");
  EXPECT_EQ(graph->find_symbol("N")->range, (Interval{1, 64}));
  options.symbol_ranges = {{"batch", {1, 1}}};
  EXPECT_THAT(message_of(model.import(options)),
              HasSubstr("--dim batch: no such symbol; the model has N, w"));
}

TEST(OnnxImport, InitializersThatAreInputsAreConstantsUnlessNamed) {
  TestModel model;
  model.input("x", {2}).input("w", {2}).floats("w", {2}, {10, 20});
  model.node("Mul", {"x", "w"}, {"y"});
  model.output("y");
  EXPECT_THAT(run(model.import(), {float_tensor({2}, {1, 2})})[0], ElementsAre(10, 40));
  ImportOptions options;
  options.inputs = {{"w", {}, {}}};
  const Expected<Graph> graph = model.import(options);
  ASSERT_TRUE(graph) << message_of(graph);
  ASSERT_EQ(graph->inputs().size(), 2U);
  EXPECT_EQ(graph->value(graph->inputs()[0]).name, "w");  // named inputs come first
}

TEST(OnnxImport, InnerValuesAsInputsAndOutputs) {
  TestModel model;
  model.input("x", {"N", 3});
  model.node("Det", {"x"}, {"indices"});  // unsupported, but not needed
  model.node("Exp", {"x"}, {"e"});
  model.node("Neg", {"e"}, {"y"});
  model.output("indices");
  ImportOptions options;
  options.inputs = {{"e", DType::f32, Shape{2}}};
  options.outputs = {"y"};
  const Expected<Graph> graph = model.import(options);
  EXPECT_THAT(run(graph, {float_tensor({2}, {1, 2})})[0], ElementsAre(-1, -2));
  options.outputs = {"nowhere"};
  EXPECT_THAT(message_of(model.import(options)), HasSubstr("--outputs nowhere"));
}

TEST(OnnxImport, FixedInputs) {
  TestModel model;
  model.input("x", {2}).input("scale", {}).input("axes", {1}, 7);
  model.node("Mul", {"x", "scale"}, {"scaled"});
  model.node("Unsqueeze", {"scaled", "axes"}, {"y"});
  model.output("y");
  EXPECT_THAT(message_of(model.import()), HasSubstr("its axes (input 1) depends on data"));
  ImportOptions options;
  options.constants = {{"scale", "0.5"}, {"axes", "[1]"}};
  const Expected<Graph> graph = model.import(options);
  EXPECT_THAT(run(graph, {float_tensor({2}, {1, 2})})[0], ElementsAre(0.5, 1));
  options.constants = {{"scale", "half"}};
  EXPECT_THAT(message_of(model.import(options)),
              HasSubstr("--constant scale: 'half' is not a number"));
  options.constants = {{"axes", "[1, 2]"}};
  EXPECT_THAT(message_of(model.import(options)), HasSubstr("2 numbers for 1 elements"));
}

TEST(OnnxImport, EverythingUnsupportedAtOnce) {
  TestModel model;
  model.input("x", {2, 2}).input("words", {2}, 8);
  model.node("Det", {"x"}, {"c"})->set_name("det_1");
  model.node("Relu", {"c"}, {"r"});
  model.node("GridSample", {"r"}, {"values", "places"});
  model.node("Special", {"x"}, {"z"})->set_domain("com.example");
  model.node("Multinomial", {"x"}, {"unused"});
  model.output("values").output("z").output("words");
  const Expected<Graph> graph = model.import();
  ASSERT_FALSE(graph);
  EXPECT_EQ(graph.error().code, ErrorCode::unsupported);
  EXPECT_THAT(
      graph.error().message,
      AllOf(HasSubstr("4 things"),
            HasSubstr("Det (unsupported op): determinants are not supported\n    node 'det_1'\n"),
            HasSubstr("node 'values'"), HasSubstr("domain 'com.example'"),
            HasSubstr("input (strings): element type string is not supported\n    input 'words'"),
            Not(HasSubstr("Loop")), Not(HasSubstr("Relu"))));
}

TEST(OnnxImport, FunctionsAreInlinedWithTheirAttributes) {
  TestModel model;
  model.proto.add_opset_import()->set_domain("local");
  FunctionProto& function = *model.proto.add_functions();
  function.set_domain("local");
  function.set_name("Leaky");
  function.add_input("x");
  function.add_output("y");
  function.add_attribute("slope");
  function.add_opset_import()->set_version(17);
  add_node(function, "LeakyRelu", {"x"}, {"t"}).reference("alpha", "slope");
  add_node(function, "Neg", {"t"}, {"y"});
  model.input("x", {2});
  model.node("Leaky", {"x"}, {"y"}).with("slope", 0.5F)->set_domain("local");
  model.output("y");
  EXPECT_THAT(run(model.import(), {float_tensor({2}, {-4, 4})})[0], ElementsAre(2, -4));

  add_node(function, "Leaky", {"y"}, {"z"})->set_domain("local");
  function.set_output(0, "z");
  EXPECT_THAT(message_of(model.import()),
              HasSubstr("function 'Leaky' calls itself: Leaky > Leaky"));
}

TEST(OnnxImport, BranchOfAKnownCondition) {
  TestModel model;
  model.input("x", {"N", 1});
  model.integers("one", {1}).integers("first", {1});
  model.node("Shape", {"x"}, {"shape"});
  model.node("Gather", {"shape", "first"}, {"width"});
  model.node("Equal", {"width", "one"}, {"narrow"});
  TestNode branch = model.node("If", {"narrow"}, {"y"});
  for (const char* name : {"then_branch", "else_branch"}) {
    AttributeProto* attribute = branch->add_attribute();
    attribute->set_name(name);
    attribute->set_type(AttributeProto::GRAPH);
    GraphProto& graph = *attribute->mutable_g();
    const bool then = name[0] == 't';
    add_node(graph, then ? "Squeeze" : "NonZero", {"x"}, {"inner"});
    graph.add_output()->set_name("inner");
  }
  model.output("y");
  const Expected<Graph> graph = model.import();
  ASSERT_TRUE(graph) << message_of(graph);
  EXPECT_EQ(str(graph->type(graph->outputs()[0].value)), "f32[N]");
}

TEST(OnnxImport, ShapeArithmeticStaysSymbolic) {
  TestModel model;
  model.input("x", {"N", 4, 6}).integers("first", {0}).integers("rest", {-1});
  model.node("Shape", {"x"}, {"shape"});
  model.node("Gather", {"shape", "first"}, {"n"});
  model.node("Concat", {"n", "rest"}, {"target"}).with("axis", 0);
  model.node("Reshape", {"x", "target"}, {"y"});
  model.output("y");
  const Expected<Graph> graph = model.import();
  ASSERT_TRUE(graph) << message_of(graph);
  EXPECT_EQ(str(graph->type(graph->outputs()[0].value)), "f32[N, 24]");
}

TEST(OnnxImport, BrokenModels) {
  auto broken = [](auto change) {
    TestModel model;
    model.input("x", {2});
    model.node("Neg", {"x"}, {"a"})->set_name("first");
    model.node("Add", {"a", "x"}, {"y"})->set_name("second");
    model.output("y");
    change(model);
    return message_of(model.import());
  };
  auto nodes = [](TestModel& m) { return m.graph().mutable_node(); };
  EXPECT_EQ(broken([](TestModel&) {}), "no error");
  EXPECT_EQ(broken([&](TestModel& m) { nodes(m)->SwapElements(0, 1); }), "no error");
  EXPECT_THAT(broken([&](TestModel& m) { nodes(m)->Mutable(0)->set_input(0, "y"); }),
              HasSubstr("node 'first' (Neg): value 'y' is computed only from itself"));
  EXPECT_THAT(broken([&](TestModel& m) { nodes(m)->Mutable(1)->set_input(1, "nowhere"); }),
              HasSubstr("value 'nowhere'"));
  EXPECT_THAT(broken([&](TestModel& m) { nodes(m)->Mutable(1)->set_input(1, ""); }),
              HasSubstr("node 'second' (Add): input 1 is missing"));
  EXPECT_THAT(broken([&](TestModel& m) { nodes(m)->Mutable(1)->add_input("x"); }),
              HasSubstr("3 inputs, at most 2 wanted"));
  EXPECT_THAT(broken([&](TestModel& m) { nodes(m)->Mutable(0)->set_output(0, "y"); }),
              HasSubstr("value 'a' is never computed"));
  EXPECT_THAT(broken([&](TestModel& m) { m.node("Abs", {"x"}, {"y"}); }),
              HasSubstr("value 'y' is computed twice"));
  EXPECT_THAT(broken([](TestModel& m) { m.graph().mutable_output(0)->set_name("z"); }),
              HasSubstr("output 'z' is never computed"));
  EXPECT_THAT(broken([](TestModel& m) { m.input("x", {2}); }),
              HasSubstr("two inputs are called 'x'"));
  EXPECT_THAT(broken([](TestModel& m) { m.proto.mutable_opset_import()->Clear(); }),
              HasSubstr("does not say which opset"));
  EXPECT_THAT(broken([](TestModel& m) { m.proto.mutable_opset_import(0)->set_version(99); }),
              HasSubstr("the model uses opset 99"));
  EXPECT_THAT(broken([](TestModel& m) { m.proto.mutable_opset_import(0)->set_version(5); }),
              HasSubstr("not supported in opset 5, but from 6"));
  EXPECT_THAT(broken([](TestModel& m) {
                m.graph().mutable_input(0)->mutable_type()->mutable_tensor_type()->clear_shape();
              }),
              HasSubstr("add --input x=[SHAPE]"));
}

TEST(OnnxImport, DamagedBytesAreErrorsNotCrashes) {
  TestModel model;
  model.input("x", {"N", 4})
      .floats("w", {4, 2}, {1, 2, 3, 4, 5, 6, 7, 8})
      .integers("s", {-1, 2, 1});
  model.node("MatMul", {"x", "w"}, {"a"});
  model.node("Softmax", {"a"}, {"b"}).with("axis", -1);
  model.node("Reshape", {"b", "s"}, {"c"});
  model.node("ReduceMean", {"c"}, {"y"})
      .with("axes", std::vector<std::int64_t>{1})
      .with("keepdims", 0);
  model.output("y");
  const std::string bytes = model.bytes();
  ASSERT_TRUE(model.import());
  constexpr unsigned kSeed = 20240607;
  std::mt19937 random(kSeed);
  int imported = 0;
  for (int i = 0; i < 4000; ++i) {
    std::string damaged = bytes;
    for (unsigned change = 0; change <= random() % 3; ++change) {
      damaged[random() % damaged.size()] = static_cast<char>(random());
    }
    if (i % 8 == 0) damaged.resize(random() % damaged.size());
    imported += import_model(std::as_bytes(std::span(damaged.data(), damaged.size())), {}) ? 1 : 0;
  }
  EXPECT_GT(imported, 0);
  EXPECT_LT(imported, 4000);
}

}  // namespace
}  // namespace ingot::onnx
