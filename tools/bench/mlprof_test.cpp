// SPDX-License-Identifier: Apache-2.0
// MLProf's own files are read (these are as its examples have them), and what is written is read
// back.
#include "mlprof.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "ir/text.h"

namespace ingot::bench {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char* cnn = R"(model:
  name: simple_cnn_tf
  label: TF 32x1$\circledast$1$\rightarrow$10x128
  version: "1.0.0"
  inference_engine: tf
  file: ./frozen_graph_i32c1v1l10u128.pb
  inputs:
    - name: input
      shape: [1024]
    - name: other
      shape:
        - 2
        - 3
  outputs:
    - name: Identity
)";

TEST(MlprofYaml, ReadsATensorflowModel) {
  const auto model = mlprof_model_from_yaml(cnn, "examples/cnn/m.yaml");
  ASSERT_TRUE(model) << model.error().message;
  EXPECT_EQ(model->name, "simple_cnn_tf");
  EXPECT_EQ(model->label, "TF 32x1$\\circledast$1$\\rightarrow$10x128");
  EXPECT_EQ(model->version, "1.0.0");
  EXPECT_EQ(model->engine, "tf");
  EXPECT_EQ(model->file, "examples/cnn/frozen_graph_i32c1v1l10u128.pb");
  ASSERT_EQ(model->inputs.size(), 2u);
  EXPECT_THAT(model->inputs[1].shape, ElementsAre(2, 3));
  EXPECT_THAT(model->outputs, ElementsAre("Identity"));
  const ImportOptions options = import_options(*model);
  EXPECT_EQ(options.inputs[1].name, "other");
  EXPECT_EQ(str(*options.inputs[1].shape), "[N, 2, 3]");
  EXPECT_THAT(options.outputs, ElementsAre("Identity"));
}

TEST(MlprofYaml, ReadsASavedModel) {
  const auto model = mlprof_model_from_yaml(R"(model:
  name: simple_dnn_tfaot
  version: "1.0.0"
  inference_engine: tfaot
  saved_model: ./saved_model_l10u256
  serving_key: serving_default

compilation:
  batch_sizes: [1, 2, 256]
  tf_xla_flags: []
  xla_flags: []
)",
                                            "m.yaml");
  ASSERT_TRUE(model) << model.error().message;
  EXPECT_EQ(model->file, "saved_model_l10u256");
  EXPECT_EQ(model->serving_key, "serving_default");
  EXPECT_EQ(model->label, "");
  EXPECT_THAT(model->batch_sizes, ElementsAre(1, 2, 256));
  const auto back = mlprof_model_from_yaml(to_yaml(*model), "m.yaml");
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(to_yaml(*back), to_yaml(*model));
  EXPECT_THAT(back->batch_sizes, ElementsAre(1, 2, 256));
}

TEST(MlprofYaml, WhatIsWrittenIsReadBack) {
  auto model = mlprof_model_from_yaml(cnn, "m.yaml");
  ASSERT_TRUE(model);
  model->label = "odd: \"label\" # not a comment";
  model->inputs[0].name = "- input";
  const auto back = mlprof_model_from_yaml(to_yaml(*model), "m.yaml");
  ASSERT_TRUE(back) << back.error().message << "\n" << to_yaml(*model);
  EXPECT_EQ(back->label, model->label);
  EXPECT_EQ(back->inputs[0].name, "- input");
  EXPECT_EQ(back->version, "1.0.0");
  EXPECT_THAT(to_yaml(*model), HasSubstr("shape: [2, 3]"));
}

TEST(MlprofYaml, PathsHaveVariables) {
  setenv("INGOT_TEST_BASE", "/base", 1);
  const auto file_of = [](const std::string& file) {
    const auto model = mlprof_model_from_yaml(
        "model: {inference_engine: tfaot, saved_model: \"" + file + "\"}", "here/m.yaml");
    return model ? model->file : model.error().message;
  };
  EXPECT_EQ(file_of("$INGOT_TEST_BASE/m"), "/base/m");
  EXPECT_EQ(file_of("${INGOT_TEST_BASE}s/m"), "/bases/m");
  EXPECT_EQ(file_of("$INGOT_NO_SUCH/m"), "here/$INGOT_NO_SUCH/m");
  EXPECT_EQ(file_of("../m$"), "m$");
}

std::string refused(const std::string& yaml) {
  const auto model = mlprof_model_from_yaml(yaml, "m.yaml");
  return model ? "was read" : model.error().message;
}

TEST(MlprofYaml, DamageIsNamedWithItsLine) {
  const auto without = [](const std::string& what, const std::string& by) {
    std::string text = cnn;
    text.replace(text.find(what), what.size(), by);
    return refused(text);
  };
  EXPECT_EQ(refused(""), "m.yaml:1: no field 'model'");
  EXPECT_EQ(refused("model: 3"), "m.yaml:1: 'model' must have fields");
  EXPECT_THAT(refused("model:\n  name: [a\n"), HasSubstr("m.yaml:3: "));
  EXPECT_EQ(without("  file:", "  files:"), "m.yaml:2: no field 'file'");
  EXPECT_EQ(without("engine: tf", "engine: torch"),
            "m.yaml:5: 'inference_engine' must be tf, onnx or tfaot, not 'torch'");
  EXPECT_EQ(without("[1024]", "[10.5]"),
            "m.yaml:9: 'shape' must hold whole numbers above 0, not '10.5'");
  EXPECT_EQ(without("[1024]", "[-1]"),
            "m.yaml:9: 'shape' must hold whole numbers above 0, not '-1'");
  EXPECT_EQ(without("[1024]", "many"), "m.yaml:9: 'shape' must be a list of sizes");
  EXPECT_EQ(without("      shape: [1024]\n", ""), "m.yaml:8: an input has no 'shape'");
  EXPECT_EQ(without("    - name: Identity\n", "    []\n"),
            "m.yaml:15: 'outputs' must be a list of at least one");
  EXPECT_EQ(without("- name: Identity", "- Identity"), "m.yaml:15: no field 'name'");
  EXPECT_THAT(refused(std::string(100000, '[')), HasSubstr("m.yaml:1: "));
}

TEST(MlprofYaml, OfAnImportedModel) {
  const auto model_of = [](const char* inputs) {
    const auto graph = parse_graph(fmt::format(
        "graph \"g\" fused {{ symbol N in [0, 9] symbol k in [0, 9]\n {} return \"out\" = %0 }}",
        inputs));
    INGOT_CHECK(bool(graph), "{}", graph.error().message);
    return mlprof_model_of(*graph, "g.onnx", true);
  };
  const auto model = model_of("%0: f32[N, 4] = input \"x\" %1: f32[N, 2, 3] = input \"y\"");
  ASSERT_TRUE(model) << model.error().message;
  EXPECT_EQ(to_yaml(*model),
            "model:\n  name: g\n  label: g\n  inference_engine: onnx\n  file: g.onnx\n  inputs:\n"
            "    - name: x\n      shape: [4]\n    - name: y\n      shape: [2, 3]\n"
            "  outputs:\n    - name: out\n");
  const auto why = [&](const char* inputs) { return model_of(inputs).error().message; };
  EXPECT_THAT(why("%0: f32[4] = input \"x\""), HasSubstr("the batch size must lead"));
  EXPECT_THAT(why("%0: f32[N, k] = input \"x\""), HasSubstr("with --dim k=.."));
  EXPECT_THAT(why("%0: f32[N] = input \"x\" %1: f32[k] = input \"y\""), HasSubstr("has N events"));
}

Report measured() {
  Report report;
  Run run{.sizes = {{"N", 16}, {"n_pf", 50}}, .events = 16};
  Result result{.engine = "ingot v4"};
  result.hot = Figures{.median = 2, .times = {1, 2, 3.25}};
  run.results = {result, {.engine = "without times"}};
  report.models = {{.name = "a/b", .runs = {run}}};
  run.sizes["N"] = run.events = 1;
  report.models[0].runs.push_back(run);
  return report;
}

TEST(MlprofCsv, AFilePerModelAndEngine) {
  const std::vector<MlprofTimes> all = to_mlprof(measured());
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].model, "a_b");
  EXPECT_EQ(all[0].engine, "ingot_v4");
  EXPECT_EQ(all[0].file_name, "runtimes_bs1_16.csv");
  EXPECT_EQ(all[0].text, "1,0.001\n1,0.002\n1,0.00325\n16,0.001\n16,0.002\n16,0.00325\n");
}

TEST(MlprofCsv, StandsBesideOurs) {
  Report report = measured();
  const auto added = add_mlprof(report, "a/b", "MLProf tf",
                                "16,0.0125\n16,0.0135\n\n64,1e-1\r\n16,0.013", "t.csv");
  ASSERT_TRUE(added) << added.error().message;
  ASSERT_EQ(report.models.size(), 1u);
  ASSERT_EQ(report.models[0].runs.size(), 3u);
  const Result& result = report.models[0].runs[0].results.at(2);
  EXPECT_EQ(result.engine, "MLProf tf");
  EXPECT_NEAR(result.hot->median, 13, 1e-9);
  EXPECT_EQ(result.hot->samples, 3);
  EXPECT_EQ(report.models[0].runs[2].events, 64);
  EXPECT_NEAR(report.models[0].runs[2].results[0].hot->median, 100, 1e-9);
  EXPECT_EQ(report.engines.back().name, "MLProf tf");
  // What we write of it is what was read.
  EXPECT_THAT(to_mlprof(report)[0].text, HasSubstr("16,0.0125\n16,0.0135\n16,0.013\n64,0.1\n"));
}

TEST(MlprofCsv, DamageIsNamedWithItsLine) {
  Report report;
  const auto refused = [&](const std::string& text) {
    const auto added = add_mlprof(report, "m", "e", text, "t.csv");
    return added ? "was read" : added.error().message;
  };
  for (const char* line : {"16", "16,", "16;1", "16,1,2", "x,1", "0,1", "-1,1", "1.5,1", "16,nan",
                           "16,-1", "1e300,1", "batch_size,runtimes"})
    EXPECT_THAT(refused(fmt::format("1,1\n{}\n", line)), HasSubstr("t.csv:2: '")) << line;
  EXPECT_EQ(refused(""), "t.csv: there are no times in it");
  EXPECT_TRUE(report.models.empty());
}

}  // namespace
}  // namespace ingot::bench
