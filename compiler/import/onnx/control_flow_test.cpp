// SPDX-License-Identifier: Apache-2.0
// Loop, Scan and If by ONNX's definitions, and ops that find entries, in the interpreter; the code
// is compared with that in target/measured_test.cpp and by ONNX's own cases.
#include <gmock/gmock.h>

#include "import/onnx/model_builder.h"

namespace ingot::onnx {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

GraphProto& body_of(TestNode& node, const std::string& name) {
  AttributeProto* attribute = node->add_attribute();
  attribute->set_name(name);
  attribute->set_type(AttributeProto::GRAPH);
  return *attribute->mutable_g();
}

void inputs_of(GraphProto& graph, const Names& names) {
  for (const std::string& name : names) graph.add_input()->set_name(name);
}
void outputs_of(GraphProto& graph, const Names& names) {
  for (const std::string& name : names) graph.add_output()->set_name(name);
}

Tensor number(std::int64_t value) {
  Tensor tensor(DType::i64, {});
  tensor.set<std::int64_t>(0, value);
  return tensor;
}
Tensor truth(bool value) {
  Tensor tensor(DType::boolean, {});
  tensor.set<std::uint8_t>(0, value ? 1 : 0);
  return tensor;
}

/// Doubles x until the sum of its entries is above `limit`, at most `turns` times; each sum.
TestModel doubling(bool has_turns, bool has_condition) {
  TestModel model;
  model.input("turns", {}, 7).input("go", {}, 9).input("x", {"N"}).input("limit", {});
  model.floats("two", {}, {2});
  TestNode loop =
      model.node("Loop", {has_turns ? "turns" : "", has_condition ? "go" : "", "x"}, {"y", "sums"});
  loop->set_name("again");
  GraphProto& body = body_of(loop, "body");
  inputs_of(body, {"i", "goes_on", "before"});
  add_node(body, "Mul", {"before", "two"}, {"after"});
  add_node(body, "ReduceSum", {"after"}, {"sum"}).with("keepdims", 0);
  add_node(body, "Less", {"sum", "limit"}, {"below"});
  outputs_of(body, {has_condition ? "below" : "goes_on", "after", "sum"});
  model.output("y").output("sums");
  return model;
}

TEST(OnnxControlFlow, ALoopEndsByItsConditionOrItsNumber) {
  const Tensor x = float_tensor({2}, {1, 2}), limit = float_tensor({}, {20});
  auto both = run(doubling(true, true).import(), {number(10), truth(true), x, limit});
  EXPECT_THAT(both[0], ElementsAre(8, 16));
  EXPECT_THAT(both[1], ElementsAre(6, 12, 24));
  both = run(doubling(true, true).import(), {number(2), truth(true), x, limit});
  EXPECT_THAT(both[1], ElementsAre(6, 12));
  both = run(doubling(true, true).import(), {number(-3), truth(true), x, limit});
  EXPECT_THAT(both[0], ElementsAre(1, 2));
  EXPECT_THAT(both[1], IsEmpty());
  both = run(doubling(true, true).import(), {number(9), truth(false), x, limit});
  EXPECT_THAT(both[1], IsEmpty());
  EXPECT_THAT(run(doubling(false, true).import(), {number(0), truth(true), x, limit})[1],
              ElementsAre(6, 12, 24));
  EXPECT_THAT(run(doubling(true, false).import(), {number(1), truth(true), x, limit})[1],
              ElementsAre(6));
}

TEST(OnnxControlFlow, ANumberThatIsKnownIsNotMeasured) {
  TestModel model = doubling(true, false);
  ImportOptions options;
  options.constants = {{"turns", "3"}};
  const auto graph = model.import(options);
  ASSERT_TRUE(graph) << message_of(graph);
  EXPECT_THAT(graph->symbols(), testing::Each(testing::Field(&Symbol::bound, std::nullopt)));
  EXPECT_EQ(str(graph->type(graph->outputs()[1].value)), "f32[3]");
}

TEST(OnnxControlFlow, ALoopThatNeverEndsFails) {
  const auto graph = doubling(false, true).import();
  ASSERT_TRUE(graph) << message_of(graph);
  const std::vector<Tensor> inputs{number(0), truth(true), float_tensor({1}, {0}),
                                   float_tensor({}, {1})};
  const auto outputs = interpret(*graph, inputs, *bind_symbols(*graph, inputs));
  ASSERT_FALSE(outputs);
  EXPECT_EQ(outputs.error().code, ErrorCode::limit);
  EXPECT_THAT(outputs.error().message, HasSubstr("more than 1024 iterations"));
}

TEST(OnnxControlFlow, WhatChangesItsTypeIsRefused) {
  TestModel model;
  model.input("x", {2}).integers("turns", {3});
  TestNode loop = model.node("Loop", {"turns", "", "x"}, {"y"});
  GraphProto& body = body_of(loop, "body");
  inputs_of(body, {"i", "goes_on", "before"});
  add_node(body, "Concat", {"before", "before"}, {"after"}).with("axis", 0);
  outputs_of(body, {"goes_on", "after"});
  model.output("y");
  EXPECT_THAT(message_of(model.import()),
              HasSubstr("'before' is f32[2] in one iteration and f32[4] in the next"));
}

/// The condition's branches read what is around them, and what is known there is known inside.
TestModel branches(bool alike) {
  TestModel model;
  model.input("go", {}, 9).input("x", {"N", 3});
  model.node("Exp", {"x"}, {"e"});
  model.node("Shape", {"x"}, {"shape"});
  TestNode branch = model.node("If", {"go"}, {"y"});
  GraphProto& first = body_of(branch, "then_branch");
  add_node(first, "Neg", {"e"}, {"then"});
  outputs_of(first, {"then"});
  GraphProto& second = body_of(branch, "else_branch");
  if (alike) {
    add_node(second, "Expand", {"zero", "shape"}, {"else"});
  } else {
    add_node(second, "Transpose", {"x"}, {"else"});
  }
  outputs_of(second, {"else"});
  model.floats("zero", {}, {7});
  model.output("y");
  return model;
}

TEST(OnnxControlFlow, AConditionOfDataChoosesABranch) {
  const auto graph = branches(true).import();
  const Tensor x = float_tensor({1, 3}, {0, 0, 0});
  EXPECT_THAT(run(graph, {truth(true), x})[0], ElementsAre(-1, -1, -1));
  EXPECT_THAT(run(graph, {truth(false), x})[0], ElementsAre(7, 7, 7));
  EXPECT_EQ(str(graph->type(graph->outputs()[0].value)), "f32[N, 3]");
  EXPECT_THAT(message_of(branches(false).import()), HasSubstr("branches give different types"));
}

TEST(OnnxControlFlow, AScanWalksAxesInBothDirections) {
  TestModel model;
  model.input("start", {2}).input("x", {2, "T"});
  TestNode scan = model.node("Scan", {"start", "x"}, {"last", "all"});
  scan.with("num_scan_inputs", 1)
      .with("scan_input_axes", std::vector<std::int64_t>{-1})
      .with("scan_input_directions", std::vector<std::int64_t>{1})
      .with("scan_output_axes", std::vector<std::int64_t>{1});
  GraphProto& body = body_of(scan, "body");
  inputs_of(body, {"sum", "entry"});
  add_node(body, "Add", {"sum", "entry"}, {"next"});
  add_node(body, "Identity", {"next"}, {"shown"});
  outputs_of(body, {"next", "shown"});
  model.output("last").output("all");
  const auto outputs =
      run(model.import(), {float_tensor({2}, {0, 100}), float_tensor({2, 3}, {1, 2, 3, 4, 5, 6})});
  EXPECT_THAT(outputs[0], ElementsAre(6, 115));
  EXPECT_THAT(outputs[1], ElementsAre(3, 5, 6, 106, 111, 115));
}

/// A loop in a loop that reads what is around both.
TEST(OnnxControlFlow, LoopsNest) {
  TestModel model;
  model.input("n", {}, 7).input("x", {});
  model.integers("three", {3});
  TestNode outer = model.node("Loop", {"n", "", "x"}, {"y"});
  GraphProto& body = body_of(outer, "body");
  inputs_of(body, {"i", "on", "a"});
  TestNode inner = add_node(body, "Loop", {"three", "", "a"}, {"b"});
  GraphProto& inside = body_of(inner, "body");
  inputs_of(inside, {"j", "also", "c"});
  add_node(inside, "Add", {"c", "x"}, {"d"});
  outputs_of(inside, {"also", "d"});
  outputs_of(body, {"on", "b"});
  model.output("y");
  EXPECT_THAT(run(model.import(), {number(4), float_tensor({}, {2})})[0], ElementsAre(26));
}

TEST(OnnxMeasured, EntriesThatAreFound) {
  TestModel model;
  model.input("x", {"N", 2});
  model.node("NonZero", {"x"}, {"places"});
  model.node("Transpose", {"places"}, {"rows"});
  model.node("GatherND", {"x", "rows"}, {"values"});
  model.node("ReduceSum", {"values"}, {"sum"}).with("keepdims", 0);
  model.output("places").output("values").output("sum");
  const auto outputs = run(model.import(), {float_tensor({3, 2}, {0, 5, 6, 0, 0, 7})});
  EXPECT_THAT(outputs[0], ElementsAre(0, 1, 2, 1, 0, 1));
  EXPECT_THAT(outputs[1], ElementsAre(5, 6, 7));
  EXPECT_THAT(outputs[2], ElementsAre(18));
  EXPECT_THAT(run(model.import(), {float_tensor({1, 2}, {0, 0})})[2], ElementsAre(0));
}

TEST(OnnxMeasured, DistinctElements) {
  for (const bool sorted : {true, false}) {
    TestModel model;
    model.input("x", {"N"});
    model.node("Unique", {"x"}, {"y", "first", "inverse", "counts"}).with("sorted", sorted ? 1 : 0);
    model.output("y").output("first").output("inverse").output("counts");
    const auto outputs = run(model.import(), {float_tensor({6}, {2, 1, 1, 3, 4, 3})});
    if (sorted) {
      EXPECT_THAT(outputs[0], ElementsAre(1, 2, 3, 4));
      EXPECT_THAT(outputs[1], ElementsAre(1, 0, 3, 4));
      EXPECT_THAT(outputs[2], ElementsAre(1, 0, 0, 2, 3, 2));
      EXPECT_THAT(outputs[3], ElementsAre(2, 1, 2, 1));
    } else {
      EXPECT_THAT(outputs[0], ElementsAre(2, 1, 3, 4));
      EXPECT_THAT(outputs[1], ElementsAre(0, 1, 3, 4));
      EXPECT_THAT(outputs[2], ElementsAre(0, 1, 1, 2, 3, 2));
      EXPECT_THAT(outputs[3], ElementsAre(1, 2, 2, 1));
    }
    EXPECT_THAT(run(model.import(), {float_tensor({0}, {})})[0], IsEmpty());
  }
}

/// Python's slices, begins and ends from data.
TEST(OnnxMeasured, SlicesWhosePlacesAreData) {
  for (const int step : {1, 2, -1, -3}) {
    TestModel model;
    model.input("x", {7}).input("begin", {1}, 7).input("end", {1}, 7);
    model.integers("axes", {0}).integers("steps", {step});
    model.node("Slice", {"x", "begin", "end", "axes", "steps"}, {"y"});
    model.output("y");
    const auto graph = model.import();
    for (const int begin : {-9, -7, -2, 0, 3, 6, 7, 20}) {
      for (const int end : {-9, -7, -2, 0, 3, 6, 7, 20}) {
        // slice.indices() of Python.
        auto clamp = [&](int place) {
          if (place < 0) place += 7;
          return std::clamp(place, step > 0 ? 0 : -1, step > 0 ? 7 : 6);
        };
        std::vector<double> wanted;
        for (int i = clamp(begin); step > 0 ? i < clamp(end) : i > clamp(end); i += step)
          wanted.push_back(i);
        const auto found = run(graph, {float_tensor({7}, {0, 1, 2, 3, 4, 5, 6}),
                                       number(begin).reshaped({1}), number(end).reshaped({1})});
        EXPECT_EQ(found[0], wanted) << begin << ":" << end << ":" << step;
      }
    }
  }
}

}  // namespace
}  // namespace ingot::onnx
