// SPDX-License-Identifier: Apache-2.0
// What a file is, and how options for inputs are written.
#include "import/import.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

#include "import/compose.h"
#include "import/inputs.h"

namespace ingot {
namespace {

using ::testing::HasSubstr;

Expected<ModelFormat> recognise(const std::string& bytes) {
  return recognise_format(std::as_bytes(std::span(bytes.data(), bytes.size())));
}

TEST(Recognise, ByContent) {
  // ir_version = 8, producer_name = "x", graph = {}
  const std::string onnx("\x08\x08\x12\x01x\x3a\x00", 7);
  EXPECT_EQ(*recognise(onnx), ModelFormat::onnx);
  // node { name: "a" }
  EXPECT_EQ(*recognise(std::string("\x0a\x03\x0a\x01\x61", 5)), ModelFormat::graphdef);
  EXPECT_EQ(*recognise("; a comment\n\ngraph g fused {"), ModelFormat::text);
  EXPECT_EQ(*recognise("PK\x03\x04rest"), ModelFormat::keras);
  EXPECT_EQ(*recognise("\x89HDF\r\n\x1a\nrest"), ModelFormat::keras);
  EXPECT_EQ(recognise("\x89HDF\r\n").error().code, ErrorCode::invalid_model);  // cut off
}

TEST(Recognise, WhatWeHaveNot) {
  // saved_model_schema_version = 1, meta_graphs = {}
  EXPECT_THAT(recognise(std::string("\x08\x01\x12\x00", 4)).error().message,
              HasSubstr("SavedModel"));
  EXPECT_THAT(recognise("node {\n  name: \"x\"").error().message, HasSubstr("text form"));
  EXPECT_THAT(recognise("").error().message, HasSubstr("empty"));
  EXPECT_EQ(recognise("hello, world").error().code, ErrorCode::invalid_model);
  EXPECT_EQ(recognise(std::string(100, '\xff')).error().code, ErrorCode::invalid_model);
}

TEST(ImportFile, SaysWhichFile) {
  EXPECT_EQ(import_file("/nowhere/model.onnx", {}).error().code, ErrorCode::io);
  EXPECT_THAT(import_file("/nowhere/model.onnx", {}).error().message,
              HasSubstr("/nowhere/model.onnx"));
  EXPECT_THAT(import_file(std::filesystem::temp_directory_path().string(), {}).error().message,
              HasSubstr("is a folder"));
}

TEST(ImportText, OptionsForModelFilesAreRefused) {
  const std::string text = "graph g fused {\n}\n";
  ImportOptions options;
  options.outputs = {"y"};
  const auto graph = import_model(std::as_bytes(std::span(text.data(), text.size())), options);
  EXPECT_EQ(graph.error().code, ErrorCode::invalid_argument);
}

TEST(InputSpecs, AllForms) {
  EXPECT_EQ(parse_input_spec("x")->name, "x");
  EXPECT_EQ(*parse_input_spec("x=float32")->dtype, DType::f32);
  const Expected<InputSpec> whole = parse_input_spec("scope/x:0=i32[N, 27]");
  ASSERT_TRUE(whole);
  EXPECT_EQ(whole->name, "scope/x:0");
  EXPECT_EQ(str(TensorType{*whole->dtype, *whole->shape}), "i32[N, 27]");
  EXPECT_EQ(parse_input_spec("x=[]")->shape->size(), 0U);
  EXPECT_FALSE(parse_input_spec("x=[]")->dtype);
  for (const char* wrong :
       {"", "=f32", "x=f33", "x=f32[", "x=f32[N", "x=f32[-1]", "x=f32[N,,2]", "x=f32]"}) {
    EXPECT_FALSE(parse_input_spec(wrong)) << wrong;
  }
}

TEST(Inputs, OptionsAgainstTheFile) {
  const std::vector<FileInput> inputs{{"x", DType::f32, {{std::monostate(), 4}}}, {"y", {}, {}}};
  auto message = [&](std::vector<InputSpec> specs) {
    ImportOptions options;
    options.inputs = std::move(specs);
    Graph graph;
    const auto values = add_inputs(graph, inputs, options);
    return values ? "no error" : values.error().message;
  };
  const InputSpec y{"y", DType::f32, Shape{3}};
  EXPECT_EQ(message({y}), "no error");
  EXPECT_THAT(message({}), HasSubstr("add --input y=DTYPE[SHAPE]"));
  EXPECT_THAT(message({{"x", DType::i32, {}}, y}),
              HasSubstr("the model says f32, --input says i32"));
  EXPECT_THAT(message({{"x", {}, Shape{1, 5}}, y}), HasSubstr("size 4 of axis 1"));
  EXPECT_THAT(message({{"x", {}, Shape{4}}, y}), HasSubstr("2 axes"));
}

TEST(Symbols, NumbersAndScaledSymbolsMerge) {
  Graph graph;
  for (const char* symbol : {"a", "b", "c"}) graph.declare_symbol(symbol, {0, 100});
  const Dim a = Dim::symbol("a"), b = Dim::symbol("b"), c = Dim::symbol("c");
  graph.add_input("x", {DType::f32, {a, b, c}});
  ASSERT_TRUE(graph.require({a * Dim(4), Constraint::Relation::equal, b * Dim(4), "rows"}));
  ASSERT_TRUE(graph.require({c * Dim(3), Constraint::Relation::equal, 12, "columns"}));
  ASSERT_TRUE(merge_symbols(graph));
  EXPECT_EQ(str(graph.type(graph.inputs()[0])), "f32[a, a, 4]");
  EXPECT_EQ(graph.symbols().size(), 1U);
}

/// Two sequences of two parts each, concatenated and added.
Graph sum_of_sequences(bool other_order) {
  Graph graph;
  std::vector<ValueId> parts;
  for (const char* symbol : {"a", "b", "c", "d"}) {
    graph.declare_symbol(symbol, {0, 100});
    parts.push_back(graph.add_input(symbol, {DType::f32, {Dim::symbol(symbol), 4}}));
  }
  Composer composer(graph, "sequences");
  const ValueId first = composer.concat({parts[0], parts[1]}, 0);
  const ValueId second =
      composer.concat({parts[other_order ? 3 : 2], parts[other_order ? 2 : 3]}, 0);
  graph.add_output("y", composer.op("add", {first, second}));
  return graph;
}

TEST(Symbols, PartsOfConcatenationsThatMeetMerge) {
  for (const bool other_order : {false, true}) {
    Graph graph = sum_of_sequences(other_order);
    ASSERT_EQ(graph.symbols().size(), 4U);
    ASSERT_TRUE(merge_symbols(graph));
    std::vector<std::string> types;
    for (const ValueId input : graph.inputs()) types.push_back(str(graph.type(input)));
    const auto expected =
        other_order ? std::vector<std::string>{"f32[a, 4]", "f32[b, 4]", "f32[b, 4]", "f32[a, 4]"}
                    : std::vector<std::string>{"f32[a, 4]", "f32[b, 4]", "f32[a, 4]", "f32[b, 4]"};
    EXPECT_EQ(types, expected);
    EXPECT_TRUE(graph.constraints().empty());
  }
}

TEST(Symbols, SumsThatAreNoConcatenationsStayConstraints) {
  Graph graph;
  for (const char* symbol : {"a", "b", "c", "d"}) graph.declare_symbol(symbol, {0, 100});
  const Dim a = Dim::symbol("a"), b = Dim::symbol("b"), c = Dim::symbol("c"), d = Dim::symbol("d");
  graph.add_input("x", {DType::f32, {a, b, c, d}});
  ASSERT_TRUE(graph.require({a + b, Constraint::Relation::equal, c + d, "rows"}));
  ASSERT_TRUE(merge_symbols(graph));
  EXPECT_EQ(graph.symbols().size(), 4U);
  EXPECT_EQ(graph.constraints().size(), 1U);
}

TEST(Symbols, ContradictionsAreErrors) {
  Graph graph;
  graph.declare_symbol("a", {0, 3});
  graph.declare_symbol("b", {5, 9});
  graph.add_input("x", {DType::f32, {Dim::symbol("a"), Dim::symbol("b")}});
  const auto required =
      graph.require({Dim::symbol("a") * Dim(2), Constraint::Relation::equal, 5, "odd"});
  EXPECT_TRUE(!required || !merge_symbols(graph));
}

}  // namespace
}  // namespace ingot
