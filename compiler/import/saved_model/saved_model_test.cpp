// SPDX-License-Identifier: Apache-2.0
// SavedModels: tags, signatures, variables, and files that are not what they should be.
#include "import/saved_model/saved_model.h"

#include <gmock/gmock.h>

#include <functional>

#include "import/saved_model/model_builder.h"

namespace ingot::tensorflow {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using Doubles = std::vector<double>;

/// y = x * w + b in a function that a function calls.
ModelBuilder linear() {
  ModelBuilder b;
  b.variable("w", "kernel/value", {2}, {10, 20}, "outer");
  b.variable("b", "bias/value", {2}, {1, 2}, "outer");
  calls(b.node("StatefulPartitionedCall", "call", {"serving_default_x", "w", "b"}), "outer");
  FunctionBuilder outer = b.function("outer", {"x", "w", "b"}, {{"y", "inner:y:0"}});
  calls(outer.node("StatefulPartitionedCall", "inner", {"x", "w", "b"}), "inner");
  FunctionBuilder inner = b.function("inner", {"x", "w", "b"}, {{"y", "sum:z:0"}});
  inner.node("ReadVariableOp", "read_w", {"w"});
  inner.node("ReadVariableOp", "read_b", {"b"});
  inner.node("Mul", "product", {"x", "read_w:value:0"});
  inner.node("AddV2", "sum", {"product:z:0", "read_b:value:0"});
  b.port(false, "y", "call:0");
  return b;
}

TEST(SavedModel, FunctionsAndVariables) {
  ModelBuilder b = linear();
  EXPECT_EQ(b.run(), (Doubles{11, 42}));
  const auto graph = b.import();
  ASSERT_TRUE(graph);
  EXPECT_EQ(graph->value(graph->inputs()[0]).name, "x");
  EXPECT_EQ(graph->outputs()[0].name, "y");
  EXPECT_EQ(str(graph->type(graph->inputs()[0])), "f32[N, 2]");
}

TEST(SavedModel, OptionsNamePortsAndInnerValues) {
  ModelBuilder b = linear();
  ImportOptions options;
  options.outputs = {"call/inner/product", "y"};
  EXPECT_EQ(b.run(options), (Doubles{10, 40, 11, 42}));
  options.outputs = {};
  options.inputs = {{"call/inner/product", DType::f32, Shape{1, 2}}};
  options.constants = {{"x", "[0, 0]"}};
  EXPECT_THAT(b.message(options), HasSubstr("--constant x: its shape is not known"));
  options.constants = {{"z", "0"}};
  EXPECT_THAT(b.message(options), HasSubstr("--constant z: the graph has no such node"));
}

TEST(SavedModel, TagsAndSignatures) {
  ModelBuilder b = linear();
  b.port(true, "a", "serving_default_x:0", "other");
  b.port(false, "c", "call/inner/product", "other");
  b.port(false, "__saved_model_init_op", "NoOp", "__saved_model_init_op");
  ImportOptions options;
  EXPECT_THAT(*signatures_of(b.write(), {}), ElementsAre("other", "serving_default"));
  options.signature = "missing";
  EXPECT_THAT(b.message(options),
              HasSubstr("has no signature 'missing', but 'other', 'serving_default': choose with "
                        "--signature other"));
  options.signature = "";
  options.tag = "serve,gpu";
  EXPECT_THAT(b.message(options),
              HasSubstr("no graph is tagged 'gpu,serve'; the tags are 'serve'"));
  // One that has more tags is good enough, two of them are not.
  b.graph().mutable_meta_info_def()->add_tags("gpu");
  options.tag = "";
  EXPECT_EQ(b.run(options), (Doubles{11, 42}));
  *b.model.add_meta_graphs() = b.graph();
  b.model.mutable_meta_graphs(1)->mutable_meta_info_def()->add_tags("tpu");
  EXPECT_THAT(b.message(options), HasSubstr("more than one graph is tagged 'serve'; the tags are "
                                            "'gpu,serve', 'gpu,serve,tpu': choose with --tag"));
  EXPECT_EQ(b.import(options).error().code, ErrorCode::invalid_argument);
  options.tag = "gpu,serve";
  EXPECT_EQ(b.run(options), (Doubles{11, 42}));
  b.graph().mutable_signature_def()->clear();
  EXPECT_THAT(b.message(options), HasSubstr("the model has no signature"));
}

/// A function that no signature has, saved with SaveOptions(function_aliases={"loss": f}).
TEST(SavedModel, FunctionsByTheirAliases) {
  ModelBuilder b = linear();
  FunctionBuilder loss = b.function("__inference_loss_7", {"a", "target", "w", "c"},
                                    {{"identity", "more:z:0"}, {"identity_1", "a"}});
  loss.node("ReadVariableOp", "read", {"w"});
  loss.node("Mul", "product", {"a", "read:value:0"});
  loss.node("AddV2", "sum", {"product:z:0", "target"});
  loss.node("AddV2", "more", {"sum:z:0", "c"});
  for (int i = 0; i < 2; ++i) {
    loss.def.mutable_signature()->mutable_input_arg(i)->set_type(tf_float);
    auto& attributes = *(*loss.def.mutable_arg_attr())[static_cast<unsigned>(i)].mutable_attr();
    GraphBuilder::set_shape(*attributes["_output_shapes"].mutable_list()->add_shape(), {-1, 2});
  }
  (*(*loss.def.mutable_arg_attr())[1].mutable_attr())["_user_specified_name"].set_s("y");
  b.floats("hundred", {}, {100});
  auto& objects = *b.graph().mutable_object_graph_def();
  objects.add_nodes()->mutable_variable()->set_dtype(tf_float);
  GraphBuilder::set_shape(*objects.mutable_nodes(0)->mutable_variable()->mutable_shape(), {2});
  objects.add_nodes();
  objects.add_nodes()->mutable_constant()->set_operation("hundred");
  auto& bound = (*objects.mutable_concrete_functions())["__inference_loss_7"];
  bound.add_bound_inputs(0);  // of which the value is `kernel/value`
  bound.add_bound_inputs(2);
  auto& aliases = *b.graph().mutable_meta_info_def()->mutable_function_aliases();
  aliases["__inference_loss_7"] = "loss";
  ImportOptions options;
  options.signature = "loss";
  const auto graph = b.import(options);
  ASSERT_TRUE(graph) << graph.error().message;
  const std::vector<Tensor> inputs{float_tensor({1, 2}, {1, 2}), float_tensor({1, 2}, {3, 4})};
  const auto outputs = interpret(*graph, inputs, *bind_symbols(*graph, inputs));
  ASSERT_TRUE(outputs) << outputs.error().message;
  EXPECT_EQ(graph->value(graph->inputs()[0]).name, "a");
  EXPECT_EQ(graph->value(graph->inputs()[1]).name, "y");
  EXPECT_EQ(graph->outputs()[0].name, "output_0");
  EXPECT_EQ(numbers((*outputs)[0]), (Doubles{113, 144}));
  EXPECT_EQ(numbers((*outputs)[1]), (Doubles{1, 2}));

  options.signature = "los";
  EXPECT_THAT(b.message(options), HasSubstr("no signature 'los', but 'serving_default'; functions "
                                            "called 'loss': choose with --signature"));
  options.signature = "loss";
  objects.mutable_nodes(2)->Clear();
  EXPECT_THAT(b.message(options), HasSubstr("neither a variable nor a constant, such as a table"));
  bound.set_bound_inputs(1, 7);
  EXPECT_THAT(b.message(options), HasSubstr("'loss' is bound to object 7, of 3"));
  aliases["inner"] = "loss";
  EXPECT_THAT(b.message(options), HasSubstr("'loss' stands for 2 functions"));
  aliases.erase("inner");
  aliases["__inference_loss_7"] = "";
  aliases["gone"] = "loss";
  EXPECT_THAT(b.message(options), HasSubstr("function 'gone', which is not in the file"));
}

/// What a function cannot do in a compiled model is told with the calls that lead to it, the
/// function that it is written in, and what to do next.
TEST(SavedModel, WhatFunctionsCannotDo) {
  const auto told = [](const std::function<void(ModelBuilder&, FunctionBuilder&)>& write) {
    ModelBuilder b;
    b.variable("w", "kernel/value", {2}, {10, 20}, "outer");
    calls(b.node("StatefulPartitionedCall", "call", {"serving_default_x", "w"}), "outer");
    FunctionBuilder outer = b.function("outer", {"x", "w"}, {{"y", "layer:y:0"}});
    calls(outer.node("StatefulPartitionedCall", "layer", {"x", "w"}), "inner");
    FunctionBuilder inner = b.function("inner", {"x", "w"}, {{"y", "result:y:0"}});
    write(b, inner);
    b.port(false, "y", "call:0");
    return b.message();
  };
  const std::string place = "'call/layer/bad' (of function 'inner')";
  std::string message = told([](ModelBuilder&, FunctionBuilder& f) {
    f.node("LookupTableFindV2", "bad", {"w", "x"});
    f.node("Identity", "result", {"bad:y:0"});
    f.def.mutable_ret()->at("y") = "result:output:0";
  });
  EXPECT_THAT(message, testing::AllOf(HasSubstr(place), HasSubstr("looks up a table"),
                                      HasSubstr("replace the lookup by tf.gather")));
  message = told([](ModelBuilder&, FunctionBuilder& f) {
    f.node("StringLower", "bad", {"x"});
    f.node("Identity", "result", {"bad:y:0"});
    f.def.mutable_ret()->at("y") = "result:output:0";
  });
  EXPECT_THAT(message, testing::AllOf(HasSubstr(place), HasSubstr("works on strings"),
                                      HasSubstr("keep strings outside of the model")));
  message = told([](ModelBuilder&, FunctionBuilder& f) {
    f.node("XlaCallModule", "bad", {"x"});
    f.node("Identity", "result", {"bad:y:0"});
    f.def.mutable_ret()->at("y") = "result:output:0";
  });
  EXPECT_THAT(message, testing::AllOf(HasSubstr(place), HasSubstr("a program for XLA (StableHLO)"),
                                      HasSubstr("export the model to ONNX, or with JAX")));
  message = told([](ModelBuilder&, FunctionBuilder& f) {
    f.node("Identity", "result", {"x"});
    f.node("AssignAddVariableOp", "bad", {"w", "x"});
    (*f.def.mutable_control_ret())["bad"] = "bad";
    f.def.mutable_ret()->at("y") = "result:output:0";
  });
  EXPECT_THAT(message, testing::AllOf(HasSubstr(place), HasSubstr("it writes variable 'w'"),
                                      HasSubstr("give it back as an input")));
  message = told([](ModelBuilder& b, FunctionBuilder& f) {
    f.node("ReadVariableOp", "read", {"w"});
    f.node("Mul", "result", {"x", "read:value:0"});
    f.def.mutable_ret()->at("y") = "result:z:0";
    b.objects.mutable_nodes(0)->mutable_attributes(0)->set_checkpoint_key("other/value");
  });
  EXPECT_THAT(message, testing::AllOf(HasSubstr("variable 'w'"), HasSubstr("variables.index"),
                                      HasSubstr("other/value")));
}

TEST(SavedModel, PortsAreSortedWithNumbersByValue) {
  ModelBuilder b;
  for (const char* name : {"output_10", "output_9", "output_1", "zeta", "output_1x"})
    b.port(false, name, "serving_default_x:0");
  const auto graph = b.import();
  ASSERT_TRUE(graph) << graph.error().message;
  std::vector<std::string> names;
  for (const Output& output : graph->outputs()) names.push_back(output.name);
  EXPECT_THAT(names, ElementsAre("output_1", "output_1x", "output_9", "output_10", "zeta"));
}

TEST(SavedModel, PortsThatAreNone) {
  ModelBuilder b = linear();
  b.port(false, "z", "nowhere:0");
  EXPECT_THAT(b.message(),
              HasSubstr("the signature's 'z' is 'nowhere:0', which is not in the graph"));
  (*(*b.graph().mutable_signature_def())["serving_default"].mutable_outputs())["z"].clear_name();
  EXPECT_THAT(b.message(), HasSubstr("'z' of the signature is a sparse or composite tensor"));
}

TEST(SavedModel, VariablesThatDoNotFit) {
  ModelBuilder shape = linear();
  GraphBuilder::set_shape(*(*shape.def.mutable_node(1)->mutable_attr())["shape"].mutable_shape(),
                          {3});
  EXPECT_THAT(shape.message(), HasSubstr("variable 'w': its shape is [2, 3] in the graph, but that "
                                         "of 'kernel/value' is [2] in "));
  ModelBuilder dtype = linear();
  (*dtype.def.mutable_node(1)->mutable_attr())["dtype"].set_type(2);
  EXPECT_THAT(dtype.message(),
              HasSubstr("variable 'w': it is float64 in the graph, but 'kernel/value' is float32"));
  ModelBuilder missing = linear();
  missing.checkpoint.entries.erase("kernel/value");
  EXPECT_THAT(missing.message(), HasSubstr("has no tensor 'kernel/value'; the nearest: "));
  EXPECT_EQ(missing.import().error().code, ErrorCode::invalid_model);
  ModelBuilder unbound = linear();
  unbound.objects.mutable_nodes(0)->clear_attributes();
  EXPECT_THAT(unbound.message(), HasSubstr("variable 'w' is used, and no tensor of "));
  ModelBuilder folder = linear();
  const std::string path = folder.write();
  std::filesystem::remove_all(path + "/variables");
  EXPECT_THAT(import_file(path, {}).error().message,
              HasSubstr("/variables/variables.index: this file is missing"));
}

// Variables of TensorFlow 1, one of them stored in parts that are variables of their own.
TEST(SavedModel, RestoredByNodes) {
  ModelBuilder b;
  auto strings = [&](const std::string& name, const std::vector<std::string>& values) {
    TensorProto& tensor = b.constant(name, 7, {static_cast<std::int64_t>(values.size())});
    for (const std::string& value : values) tensor.add_string_val(value);
  };
  strings("save/keys", {"bias", "kernel", "kernel"});
  strings("save/slices", {"", "4 0,2", "4 2,2"});
  b.node("RestoreV2", "save/restore", {"saver_filename", "save/keys", "save/slices"});
  b.node("Identity", "save/handed_on", {"save/restore:1"});
  for (const char* name : {"bias", "part_0", "part_1"}) {
    NodeDef& variable = b.node("VariableV2", name);
    (*variable.mutable_attr())["dtype"].set_type(100 + tf_float);
    b.node("Identity", name + std::string("/read"), {name});
  }
  b.node("Assign", "save/a", {"bias", "save/restore"});
  b.node("Assign", "save/b", {"part_0", "save/handed_on"});
  b.node("Assign", "save/c", {"part_1", "save/restore:2"});
  b.node("Assign", "initial", {"part_1", "bias"});
  b.checkpoint.floats("bias", {2}, {1, 2});
  b.checkpoint.floats("kernel", {4}, {10, 20, 100, 200});
  b.node("Mul", "product", {"serving_default_x", "part_0/read"});
  b.node("AddV2", "sum", {"product", "part_1/read"});
  b.node("AddV2", "y", {"sum", "bias/read"});
  b.port(false, "y", "y:0");
  EXPECT_EQ(b.run(), (Doubles{111, 242}));
  b.def.mutable_node(2)->mutable_attr()->at("value").mutable_tensor()->set_string_val(2, "4 3,2");
  EXPECT_THAT(b.message(), HasSubstr("a part of it does not lie within it"));
  b.def.mutable_node(2)->mutable_attr()->at("value").mutable_tensor()->set_string_val(2, "4 3;2");
  EXPECT_THAT(b.message(), HasSubstr("'3;2' names no part of a variable"));
}

TEST(SavedModel, WritesAreRefused) {
  ModelBuilder b = linear();
  FunctionDef& inner = *b.def.mutable_library()->mutable_function(1);
  NodeDef& write = *inner.add_node_def();
  write.set_op("AssignAddVariableOp");
  write.set_name("count_up");
  write.add_input("b");
  write.add_input("x");
  EXPECT_EQ(b.run(), (Doubles{11, 42}));  // it never runs
  (*inner.mutable_control_ret())["count_up"] = "count_up";
  EXPECT_THAT(b.message(), HasSubstr("AssignAddVariableOp (state): it writes variable 'b'"));
  EXPECT_THAT(b.message(), HasSubstr("'call/inner/count_up' (of function 'inner')"));
  EXPECT_EQ(b.import().error().code, ErrorCode::unsupported);
}

TEST(SavedModel, FilesThatAreNotThere) {
  ModelBuilder b = linear();
  const std::string folder = b.write();
  auto message = [&](const std::string& path) { return import_file(path, {}).error().message; };
  EXPECT_TRUE(import_file(folder + "/", {}));
  EXPECT_TRUE(import_file(folder + "/saved_model.pb", {}));
  const auto bytes = *read_file(folder + "/saved_model.pb");
  ASSERT_TRUE(write_file(folder + "/saved_model.pb", std::span(bytes).first(bytes.size() - 3)));
  EXPECT_THAT(message(folder), HasSubstr("saved_model.pb is cut off or damaged: it cannot be read "
                                         "beyond byte "));
  std::filesystem::rename(folder + "/saved_model.pb", folder + "/saved_model.pbtxt");
  EXPECT_THAT(message(folder), HasSubstr("saved_model.pbtxt is a form of saved_model.pb"));
  std::filesystem::remove(folder + "/saved_model.pbtxt");
  EXPECT_THAT(message(folder), HasSubstr("there is no saved_model.pb"));
  std::filesystem::remove_all(folder + "/variables");
  EXPECT_THAT(message(folder), HasSubstr("is a folder; name the model file in it"));
  ImportOptions options;
  options.signature = "x";
  ASSERT_TRUE(write_file(folder + "/model.ingot", std::string_view("graph g fused {")));
  EXPECT_THAT(import_file(folder + "/model.ingot", options).error().message,
              HasSubstr("--tag and --signature are for SavedModels"));
}

}  // namespace
}  // namespace ingot::tensorflow
