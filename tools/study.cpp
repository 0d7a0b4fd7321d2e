// SPDX-License-Identifier: Apache-2.0
// ingot study: the networks of CMS's study, to measure with.
#include "bench/study.h"

#include <cstdio>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "bench/mlprof.h"
#include "help.h"
#include "options.h"

namespace ingot::tools {
namespace {

namespace fs = std::filesystem;

struct Flags {
  std::string action, folder = "study";
  std::uint64_t seed = 1;
};

/// A frozen graph says nothing of its inputs and outputs.
std::string description() {
  using Json = nlohmann::ordered_json;
  const auto port = [](const char* name, std::int64_t width) {
    return Json{{"name", name}, {"dtype", "f32"}, {"shape", {"N", width}}};
  };
  return Json{{"format", "graphdef"},
              {"file", "graph.pb"},
              {"inputs", {port("x", bench::StudyNetwork::inputs)}},
              {"outputs", {port("y", bench::StudyNetwork::outputs)}},
              {"data_sets", Json::array()}}
             .dump(2) +
         "\n";
}

/// For MLProf, which the study was made with.
std::string mlprof(const bench::StudyNetwork& network, const char* engine, const char* file) {
  bench::MlprofModel model;
  model.name = model.label = network.name;
  model.version = "1.0.0";
  model.engine = engine;
  model.file = file;
  model.inputs = {{"x", {bench::StudyNetwork::inputs}}};
  model.outputs = {"y"};
  return bench::to_yaml(model);
}

Expected<int> make_study(const Flags& flags) {
  for (const bench::StudyNetwork& network : bench::study_networks(flags.seed)) {
    const fs::path onnx = fs::path(flags.folder) / (network.name + "-onnx");
    const fs::path tf = fs::path(flags.folder) / (network.name + "-tf");
    std::error_code status;
    fs::create_directories(onnx, status);
    fs::create_directories(tf, status);
    INGOT_TRY(write_file((onnx / "model.onnx").string(), bench::study_onnx(network)));
    INGOT_TRY(write_file((tf / "graph.pb").string(), bench::study_graphdef(network)));
    INGOT_TRY(write_file((tf / "model.json").string(), description()));
    INGOT_TRY(write_file((onnx / (network.name + ".yaml")).string(),
                         mlprof(network, "onnx", "model.onnx")));
    INGOT_TRY(
        write_file((tf / (network.name + ".yaml")).string(), mlprof(network, "tf", "graph.pb")));
    std::printf("%s\n%s\n", onnx.c_str(), tf.c_str());
  }
  return 0;
}

}  // namespace

void add_study(CLI::App& program, Run& run) {
  auto flags = std::make_shared<Flags>();
  CLI::App* app = program.add_subcommand("study", "write the networks of CMS's study to measure");
  app->add_option("ACTION", flags->action, "make")->required()->check(CLI::IsMember({"make"}));
  app->add_option("FOLDER", flags->folder, "where to (default: study)");
  app->add_option("--seed", flags->seed, "of the weights (default 1)")->type_name("NUMBER");
  explain(*app,
          "12 and 25 layers of 128 and 256 with batch norm and SELU, each as ONNX and as a frozen\n"
          "TensorFlow graph, with the same weights.",
          {{"ingot study make", "writes study/ff_12_128-onnx/model.onnx and seven others"},
           {"ingot study make toys --seed 7 && ingot inspect toys/ff_12_128-onnx/model.onnx",
            "other weights, elsewhere"}});
  app->callback([flags, &run] { run = [flags] { return make_study(*flags); }; });
}

}  // namespace ingot::tools
