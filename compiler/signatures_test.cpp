// SPDX-License-Identifier: Apache-2.0
// Several signatures of a SavedModel as models of one object.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <ingot/compile.h>

#include <algorithm>
#include <cstring>
#include <set>

#include "base/file.h"
#include "import/saved_model/model_builder.h"

namespace ingot::compiler {
namespace {

using tensorflow::ModelBuilder;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr int width = 40;

std::vector<float> numbers(int count, int seed) {
  std::vector<float> values;
  for (int i = 0; i < count; ++i)
    values.push_back(static_cast<float>((i * 37 + seed) % 101 - 50) / 64.0F);
  return values;
}

/// Of one layer, its width wide, two heads: `serving_default` and `class` of 40 and 3 numbers, and
/// the layer itself, `embed`. The folder is the builder's.
std::string heads(ModelBuilder& b) {
  b.variable("layer", "layer/value", {2, width}, numbers(2 * width, 1), "f");
  b.variable("head", "head/value", {width, width}, numbers(width * width, 2), "f");
  b.variable("other", "other/value", {width, 3}, numbers(3 * width, 3), "f");
  b.define("MatMul", "a b", "product");
  b.define("Relu", "features", "activations");
  tensorflow::calls(
      b.node("StatefulPartitionedCall", "call", {"serving_default_x", "layer", "head", "other"}),
      "f");
  tensorflow::FunctionBuilder f =
      b.function("f", {"x", "layer", "head", "other"},
                 {{"h", "relu:activations:0"}, {"y", "last:product:0"}, {"z", "class:product:0"}});
  for (const char* name : {"layer", "head", "other"})
    f.node("ReadVariableOp", std::string("read_") + name, {name});
  f.node("MatMul", "first", {"x", "read_layer:value:0"});
  f.node("Relu", "relu", {"first:product:0"});
  f.node("MatMul", "last", {"relu:activations:0", "read_head:value:0"});
  f.node("MatMul", "class", {"relu:activations:0", "read_other:value:0"});
  b.port(false, "y", "call:1");
  for (const auto& [signature, output] : {std::pair("embed", "call:0"), {"class", "call:2"}}) {
    b.port(true, "x", "serving_default_x:0", signature);
    b.port(false, "out", output, signature);
  }
  return b.write();
}

Compiled compiled(const std::string& folder, const std::string& signature,
                  std::vector<std::string> variants = {}) {
  Options options;
  options.name = "net";
  options.signature = signature;
  options.variants = std::move(variants);
  options.shared = true;
  Result<Compiled> result = compile_file(folder, options);
  EXPECT_TRUE(result.ok()) << (result.ok() ? "" : result.error().message);
  return result.ok() ? *std::move(result) : Compiled{};
}

std::vector<float> call(const LoadedModel& model, std::int64_t rows) {
  const ingot_model& about = *model.descriptor();
  const std::vector<std::int64_t> symbols{rows};
  std::vector<std::int64_t> dims(total_rank(about));
  std::uint64_t counts[2];
  EXPECT_TRUE(element_counts(about, symbols, dims.data(), counts).ok());
  std::vector<float> x = numbers(static_cast<int>(counts[0]), 4), y(counts[1]);
  ingot_tensor tensors[2] = {};
  for (auto& [tensor, data] : {std::pair(&tensors[0], &x), {&tensors[1], &y}}) {
    tensor->data = data->data();
    tensor->bytes = data->size() * sizeof(float);
    tensor->dtype = INGOT_F32;
    tensor->rank = 2;
  }
  std::uint64_t bytes = 0;
  EXPECT_TRUE(model.workspace_bytes(symbols, 1, bytes).ok());
  std::vector<std::byte> workspace(bytes);
  ingot_call arguments =
      make_call(symbols, {&tensors[0], 1}, {&tensors[1], 1}, {workspace.data(), workspace.size()});
  const Status status = model.run(arguments);
  EXPECT_TRUE(status.ok()) << status.message().c_str();
  return y;
}

TEST(Signatures, GiveWhatEachGivesAlone) {
  ModelBuilder builder;
  const std::string folder = heads(builder);
  const Compiled all = compiled(folder, "serving_default,embed,class", {"N=2"});
  for (const char* signature : {"serving_default", "embed", "class"}) {
    const Compiled alone = compiled(folder, signature);
    for (const char* variant : {"v4", "v3"}) {
      const LoadedModel one = load(alone, variant), of_all = load(all, variant, signature);
      if (!one.ok()) continue;  // not on this machine
      ASSERT_TRUE(of_all.ok()) << of_all.error().c_str();
      EXPECT_STREQ(one.descriptor()->signature, signature);
      EXPECT_STREQ(of_all.descriptor()->signature, signature);
      for (const std::int64_t rows : {0, 1, 2, 33}) {
        const std::vector<float> meant = call(one, rows), got = call(of_all, rows);
        ASSERT_EQ(meant.size(), got.size());
        EXPECT_EQ(std::memcmp(meant.data(), got.data(), got.size() * sizeof(float)), 0)
            << signature << " " << variant << " N=" << rows;
      }
      EXPECT_GT(of_all.descriptor()->self_tests.count, 0U);
      EXPECT_TRUE(of_all.self_test().ok());
    }
  }
}

TEST(Signatures, ShareTheirWeights) {
  ModelBuilder builder;
  const std::string folder = heads(builder);
  const Compiled all = compiled(folder, "embed,serving_default,class");
  const LoadedModel first = load(all);
  ASSERT_EQ(first.model_count(), 3U);
  std::uint64_t apart = 0, most = 0;
  for (std::uint32_t i = 0; i < 3; ++i) {
    const ingot_model& model = first.model(i);
    EXPECT_EQ(model.weights, first.descriptor()->weights);
    EXPECT_EQ(model.weights_bytes, first.descriptor()->weights_bytes);
    const LoadedModel alone = load(compiled(folder, model.signature));
    apart += alone.descriptor()->weights_bytes;
    most = std::max(most, alone.descriptor()->weights_bytes);
  }
  // The layer is in all three.
  const std::uint64_t layer = load(compiled(folder, "embed")).descriptor()->weights_bytes;
  EXPECT_EQ(first.descriptor()->weights_bytes, apart - 2 * layer);
  EXPECT_GT(first.descriptor()->weights_bytes, most);
  const std::string_view object(reinterpret_cast<const char*>(all.object.data()),
                                all.object.size());
  const std::string_view piece(static_cast<const char*>(first.descriptor()->weights), layer);
  const std::size_t found = object.find(piece);
  ASSERT_NE(found, std::string_view::npos);
  EXPECT_EQ(object.find(piece, found + 1), std::string_view::npos) << "once in the object";
}

TEST(Signatures, HaveNames) {
  ModelBuilder builder;
  const Compiled all = compiled(heads(builder), "class,embed");
  EXPECT_EQ(all.name, "net");
  const LoadedModel model = load(all);
  ASSERT_EQ(model.model_count(), 2U);
  EXPECT_STREQ(model.model(0).name, "net_class");
  EXPECT_STREQ(model.model(1).name, "net_embed");
  EXPECT_STREQ(model.model(0).hash, model.model(1).hash);
  EXPECT_THAT(all.header, HasSubstr("\nnamespace net::class_ {\n"));
  EXPECT_THAT(all.header, HasSubstr("\nnamespace net::embed {\n"));
  EXPECT_THAT(all.header, HasSubstr("net_embed_model(void)"));
  EXPECT_THAT(all.plan, HasSubstr("net_class"));
  EXPECT_THAT(all.plan, HasSubstr("net_embed"));
  // By name, or by signature.
  EXPECT_STREQ(load(all, nullptr, "net_embed").descriptor()->signature, "embed");
  EXPECT_STREQ(load(all, nullptr, "embed").descriptor()->signature, "embed");
  const LoadedModel neither = load(all, nullptr, "serving_default");
  EXPECT_FALSE(neither.ok());
  EXPECT_STREQ(neither.error().c_str(),
               "net: has no model named serving_default; it has net_class net_embed");
}

TEST(Signatures, SameInputSameBytes) {
  ModelBuilder builder;
  const std::string folder = heads(builder);
  const Compiled first = compiled(folder, "class,embed"), again = compiled(folder, "class,embed"),
                 swapped = compiled(folder, "embed,class");
  EXPECT_EQ(first.object, again.object);
  EXPECT_EQ(first.header, again.header);
  EXPECT_EQ(first.manifest, again.manifest);
  EXPECT_STRNE(load(first).descriptor()->hash, load(swapped).descriptor()->hash);
}

TEST(Signatures, WrongOnesAreRefused) {
  ModelBuilder builder;
  const std::string folder = heads(builder);
  const auto refusal = [&](const std::string& signature, const std::string& model,
                           std::vector<std::string> dims = {}) {
    Options options;
    options.signature = signature;
    options.dims = std::move(dims);
    const Result<Compiled> result = compile_file(model, options);
    EXPECT_FALSE(result.ok());
    return result.ok() ? std::string() : result.error().message;
  };
  EXPECT_EQ(refusal("embed,none", folder),
            "--signature none: " + folder +
                ": the model has no signature 'none', but 'class', 'embed', 'serving_default': "
                "choose with --signature class");
  EXPECT_EQ(refusal("embed,class,embed", folder), "--signature embed: given twice; leave one out");
  EXPECT_THAT(refusal("embed,class", folder, {"M=4"}), HasSubstr("--signature embed: "));
  EXPECT_THAT(refusal("a,b", INGOT_SOURCE_DIR "/examples/digits/digits.onnx"),
              HasSubstr("--tag and --signature are for SavedModels"));
}

}  // namespace
}  // namespace ingot::compiler
