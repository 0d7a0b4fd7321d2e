// SPDX-License-Identifier: Apache-2.0
// Loop, Scan and If by ONNX's definitions, and ops that find entries, in the interpreter; the code
// is compared with that in target/measured_test.cpp and by ONNX's own cases.
#include <gmock/gmock.h>

#include <random>

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

TEST(OnnxControlFlow, TheUserBoundsWhatDataGive) {
  ImportOptions options;
  auto fails_with = [&](Interval range, const std::string& name = "again") {
    options.symbol_ranges = {{name, range}};
    const auto graph = doubling(false, true).import(options);
    if (!graph) return message_of(graph);
    const std::vector<Tensor> inputs{number(0), truth(true), float_tensor({1}, {0}),
                                     float_tensor({}, {1})};
    const auto outputs = interpret(*graph, inputs, *bind_symbols(*graph, inputs));
    return outputs ? "nothing" : outputs.error().message;
  };
  EXPECT_THAT(fails_with({0, 7}), HasSubstr("more than 7 iterations"));
  EXPECT_THAT(fails_with({0, 2000}), HasSubstr("more than 2000 iterations"));
  EXPECT_THAT(fails_with({7, 7}), HasSubstr("data give this size; write again=0:7"));
  EXPECT_THAT(fails_with({0, 7}, "other"), HasSubstr("no such symbol; the model has N, again"));

  TestModel model;
  model.input("x", {"N"});
  model.node("NonZero", {"x"}, {"places"})->set_name("found");
  model.output("places");
  options.symbol_ranges = {{"found", {0, 100}}};
  const auto graph = model.import(options);
  ASSERT_TRUE(graph) << message_of(graph);
  EXPECT_EQ(graph->find_symbol("found")->bound->str(), "min(N, 100)");
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

struct Box {
  double y1, x1, y2, x2, score;
};

bool meet(const Box& a, const Box& b, double share) {
  auto sorted = [](double p, double q) { return std::pair(std::min(p, q), std::max(p, q)); };
  auto common = [&](double a1, double a2, double b1, double b2) {
    const auto [al, ah] = sorted(a1, a2);
    const auto [bl, bh] = sorted(b1, b2);
    return std::max(0.0, std::min(ah, bh) - std::max(al, bl));
  };
  auto area = [](const Box& box) { return std::abs((box.y2 - box.y1) * (box.x2 - box.x1)); };
  const double both = common(a.y1, a.y2, b.y1, b.y2) * common(a.x1, a.x2, b.x1, b.x2);
  return area(a) > 0 && area(b) > 0 && both > share * (area(a) + area(b) - both);
}

/// Coordinates are small integers and shares have no such fraction, so that nothing depends on
/// rounding.
TEST(OnnxMeasured, BoxesThatMeetBetterOnesAreLeftOut) {
  std::mt19937 random(1);
  auto below = [&](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
  for (const bool centers : {false, true}) {
    TestModel model;
    model.input("boxes", {"B", "n", 4}).input("scores", {"B", "C", "n"});
    model.input("most", {1}, 7).input("share", {1}).input("least", {1});
    model.node("NonMaxSuppression", {"boxes", "scores", "most", "share", "least"}, {"kept"})
        .with("center_point_box", centers ? 1 : 0);
    model.output("kept");
    const auto graph = model.import();
    for (int trial = 0; trial < 40; ++trial) {
      const int batches = 1 + below(2), classes = 1 + below(3), n = below(12), most = below(6);
      const double share = 0.137 * below(7), least = below(3);
      std::vector<float> boxes, scores;
      std::vector<std::vector<Box>> all(static_cast<std::size_t>(batches));
      for (auto& batch : all) {
        for (int i = 0; i < n; ++i) {
          const auto a = float(below(8)), b = float(below(8)), c = float(below(8)),
                     d = float(below(8));
          boxes.insert(boxes.end(), {a, b, c, d});
          // x and y of the center, width, height.
          batch.push_back(centers ? Box{b - d / 2, a - c / 2, b + d / 2, a + c / 2, 0}
                                  : Box{a, b, c, d, 0});
        }
      }
      std::vector<double> wanted;
      for (int b = 0; b < batches; ++b) {
        for (int c = 0; c < classes; ++c) {
          std::vector<int> order;
          std::vector<Box> own = all[static_cast<std::size_t>(b)];
          for (int i = 0; i < n; ++i) {
            own[static_cast<std::size_t>(i)].score = below(6);
            scores.push_back(static_cast<float>(own[static_cast<std::size_t>(i)].score));
            order.push_back(i);
          }
          auto box = [&](int i) { return own[static_cast<std::size_t>(i)]; };
          std::stable_sort(order.begin(), order.end(),
                           [&](int i, int j) { return box(i).score > box(j).score; });
          std::vector<int> kept;
          for (const int i : order) {
            const bool met = std::any_of(kept.begin(), kept.end(),
                                         [&](int j) { return meet(box(i), box(j), share); });
            if (std::ssize(kept) < most && box(i).score > least && !met) kept.push_back(i);
          }
          for (const int i : kept) wanted.insert(wanted.end(), {1.0 * b, 1.0 * c, 1.0 * i});
        }
      }
      const auto found = run(
          graph, {float_tensor({batches, n, 4}, boxes), float_tensor({batches, classes, n}, scores),
                  number(most).reshaped({1}), float_tensor({1}, {static_cast<float>(share)}),
                  float_tensor({1}, {static_cast<float>(least)})});
      ASSERT_EQ(found[0], wanted) << "trial " << trial;
    }
  }
}

}  // namespace
}  // namespace ingot::onnx
