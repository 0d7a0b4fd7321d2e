// SPDX-License-Identifier: Apache-2.0
// ingot run: a model, or a compiled NAME.so, on tensors from files or from a seed.
#include <ingot/self_test.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <map>
#include <memory>

#include "engine.h"
#include "help.h"
#include "npy.h"
#include "options.h"
#include "progress.h"

namespace ingot::tools {
namespace {

struct Flags {
  std::string model, engine = "compiled", save;
  std::vector<std::string> feeds;
  std::uint64_t seed = 1;
  ModelFlags shared;
  SizeFlags sizes;
};

Expected<std::unique_ptr<Engine>> open(const Flags& flags) {
  if (std::filesystem::path(flags.model).extension() == ".so") {
    return load_compiled(flags.model, flags.shared.isa, flags.shared.signature);
  }
  INGOT_ASSIGN(CompileOptions options, flags.shared.options());
  Progress progress;
  options.progress = [&](std::string_view what) { progress.now(what); };
  INGOT_ASSIGN(const Graph graph, import_for(flags.model, options));
  if (flags.engine == "interpreter") return make_interpreter(graph, options.passes);
  return compile_and_load(graph, options, "");
}

template <class Named>
std::string names(const std::vector<Named>& all) {
  std::string text;
  for (const Named& one : all) text += (text.empty() ? "" : ", ") + one.name;
  return text.empty() ? "none" : text;
}

/// The files that were given; a random tensor where the user said so.
Expected<std::vector<Tensor>> feed(const Flags& flags, const Engine& engine, SymbolValues sizes) {
  std::map<std::string, std::string> given;
  bool others = false;
  for (const std::string& text : flags.feeds) {
    if (text == "random") {
      others = true;
      continue;
    }
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos) {
      return fail(ErrorCode::invalid_argument,
                  "--feed {}: NAME=FILE.npy, NAME=random or random wanted", text);
    }
    if (!given.emplace(text.substr(0, equals), text.substr(equals + 1)).second) {
      return fail(ErrorCode::invalid_argument, "--feed {}: the input is fed twice",
                  text.substr(0, equals));
    }
  }
  std::vector<std::optional<Tensor>> files;
  for (const Port& port : engine.inputs()) {
    if (others) given.emplace(port.name, "random");
    const auto found = given.find(port.name);
    if (found == given.end()) {
      return fail(ErrorCode::invalid_argument,
                  "no --feed for input '{}' ({}); give --feed {}=FILE.npy or --feed {}=random",
                  port.name, str(port.type), port.name, port.name);
    }
    std::optional<Tensor> tensor;
    if (found->second != "random") {
      INGOT_ASSIGN(tensor, read_npy(found->second));
      for (std::size_t d = 0; d < port.type.rank() && d < tensor->rank(); ++d) {
        if (const auto name = port.type.shape[d].symbol_name())
          sizes.emplace(*name, tensor->shape()[d]);
      }
    }
    files.push_back(std::move(tensor));
    given.erase(found);
  }
  if (!given.empty()) {
    return fail(ErrorCode::invalid_argument, "--feed {}: the model has no such input; it has {}",
                given.begin()->first, names(engine.inputs()));
  }
  for (const auto& [name, size] : sizes) {
    if (std::none_of(engine.symbols().begin(), engine.symbols().end(),
                     [&](const Symbol& symbol) { return symbol.name == name; })) {
      return fail(ErrorCode::invalid_argument, "--size {}: the model has no such symbol; it has {}",
                  name, names(engine.symbols()));
    }
  }
  std::vector<Tensor> inputs;
  std::uint64_t first = 0;
  for (std::size_t i = 0; i < files.size(); ++i) {
    if (files[i]) {
      inputs.push_back(std::move(*files[i]));
      continue;
    }
    std::vector<std::int64_t> shape;
    for (const Dim& dim : engine.inputs()[i].type.shape) {
      const Expected<std::int64_t> size = dim.evaluate(sizes);
      if (!size) {
        return fail(ErrorCode::invalid_argument, "input '{}' ({}): {}; give it with --size",
                    engine.inputs()[i].name, str(engine.inputs()[i].type), size.error().message);
      }
      shape.push_back(*size);
    }
    INGOT_TRY(element_count(shape));
    Tensor tensor(engine.inputs()[i].type.dtype, std::move(shape));
    const auto count = static_cast<std::size_t>(tensor.elements());
    self_test_fill(static_cast<std::int32_t>(tensor.dtype()), flags.seed, first,
                   tensor.mutable_bytes().data(), count);
    first += count;
    inputs.push_back(std::move(tensor));
  }
  return inputs;
}

/// Rows of the last axis, at most 16 of at most 16 elements.
void print(const std::string& name, const Tensor& tensor) {
  std::printf("%s: %s\n", name.c_str(), str(tensor.type()).c_str());
  const std::int64_t width = tensor.rank() == 0 ? 1 : tensor.shape().back();
  const std::int64_t rows = width == 0 ? 0 : tensor.elements() / width;
  for (std::int64_t r = 0; r < rows && r < 16; ++r) {
    std::string line = " ";
    for (std::int64_t i = 0; i < width && i < 16; ++i) {
      const std::int64_t at = r * width + i;
      if (tensor.dtype() == DType::f32)
        line += fmt::format(" {}", tensor.at<float>(at));
      else if (is_float(tensor.dtype()))
        line += fmt::format(" {}", tensor.as_double(at));
      else
        line += fmt::format(" {}", tensor.as_int64(at));
    }
    std::printf("%s%s\n", line.c_str(), width > 16 ? " ..." : "");
  }
  if (rows > 16)
    std::printf("  ... %lld rows in all; --save DIR writes them to files\n",
                static_cast<long long>(rows));
}

Expected<int> run_model(const Flags& flags) {
  INGOT_ASSIGN(const std::unique_ptr<Engine> engine, open(flags));
  INGOT_ASSIGN(const SymbolValues sizes, flags.sizes.values());
  INGOT_ASSIGN(const std::vector<Tensor> inputs, feed(flags, *engine, sizes));
  INGOT_ASSIGN(const std::vector<Tensor> outputs, engine->run(inputs, sizes));
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const std::string& name = engine->outputs()[i].name;
    if (flags.save.empty()) {
      print(name, outputs[i]);
      continue;
    }
    std::error_code status;
    std::filesystem::create_directories(flags.save, status);
    std::string file = name;
    for (char& c : file) c = c == '/' || c == ':' ? '_' : c;
    const std::string path = (std::filesystem::path(flags.save) / (file + ".npy")).string();
    INGOT_TRY(write_npy(path, outputs[i]));
    std::printf("%s: %s in %s\n", name.c_str(), str(outputs[i].type()).c_str(), path.c_str());
  }
  return 0;
}

}  // namespace

void add_run(CLI::App& program, Run& run) {
  auto flags = std::make_shared<Flags>();
  CLI::App* app = program.add_subcommand("run", "run a model or a compiled NAME.so on tensors");
  app->add_option("MODEL", flags->model, "a model file, or a compiled NAME.so")->required();
  app->add_option("--feed", flags->feeds,
                  "an input: numpy's file, or made up from the seed; `random` alone for all others")
      ->type_name("NAME=FILE.npy|random")
      ->take_all();
  app->add_option("--seed", flags->seed, "of random inputs (default 1)")->type_name("NUMBER");
  app->add_option("--save", flags->save,
                  "write outputs to FOLDER/NAME.npy instead of printing them")
      ->type_name("FOLDER");
  app->add_option("--engine", flags->engine, "what computes (default: compiled)")
      ->check(CLI::IsMember({"compiled", "interpreter"}));
  flags->shared.add_import(*app);
  flags->shared.add_compile(*app);
  flags->sizes.add(*app);
  explain(*app,
          "A model file is compiled in a folder of its own and loaded, or interpreted, which is "
          "slow and\n"
          "the meaning of the model: both give the same bits.",
          {{"ingot run digits.onnx --feed pixels=random --size N=2", "prints the outputs"},
           {"ingot run out/digits.so --feed pixels=pixels.npy --save results",
            "calls a compiled model, writes results/probabilities.npy"}});
  app->callback([flags, &run] { run = [flags] { return run_model(*flags); }; });
}

}  // namespace ingot::tools
