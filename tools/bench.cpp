// SPDX-License-Identifier: Apache-2.0
// ingot bench: what calls of a model take, beside what they take in other engines.
#include <ingot/cpu.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>

#include "base/file.h"
#include "bench/clock.h"
#include "bench/compare.h"
#include "bench/compiled.h"
#include "bench/contest.h"
#include "bench/mlprof.h"
#include "bench/notes.h"
#include "bench/peers.h"
#include "help.h"
#include "options.h"
#include "progress.h"
#include "read_options.h"
#include "subject.h"
#include "version.h"

namespace ingot::tools {
namespace {

namespace fs = std::filesystem;

struct Flags {
  std::vector<std::string> models, sizes, engines, feeds;
  std::string inputs, peers, json, csv, html;
  std::uint32_t threads = 1;
  std::uint64_t seed = 1;
  double seconds = 1;
  bool no_cold = false, profile = false;
  ModelFlags shared;
};

/// What MLProf is told of a model, with the name of that file: names inside are often those of
/// many.
Expected<Case> mlprof_case(const std::string& path) {
  INGOT_ASSIGN(const std::vector<std::byte> bytes, read_file(path));
  INGOT_ASSIGN(const bench::MlprofModel model,
               bench::mlprof_model_from_yaml(
                   {reinterpret_cast<const char*>(bytes.data()), bytes.size()}, path));
  Case result;
  result.name = fs::path(path).stem().string();
  result.model = model.file;
  result.import = bench::import_options(model);
  return result;
}

/// A model file that lies in a folder with a description of it is that folder's case.
Expected<std::vector<Case>> models_of(const Flags& flags) {
  std::vector<Case> models;
  for (const std::string& given : flags.models) {
    std::error_code status;
    const fs::path path(given);
    if (fs::is_directory(path, status)) {
      INGOT_ASSIGN(std::vector<Case> found, find_cases(given));
      std::move(found.begin(), found.end(), std::back_inserter(models));
      continue;
    }
    if (path.extension() == ".yaml" || path.extension() == ".yml") {
      INGOT_ASSIGN(Case model, mlprof_case(given));
      models.push_back(std::move(model));
      continue;
    }
    const fs::path folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
    if (fs::exists(folder / "model.json", status)) {
      INGOT_ASSIGN(std::vector<Case> found, find_cases(folder.string()));
      if (fs::path(found[0].model).filename() == path.filename()) {
        models.push_back(std::move(found[0]));
        continue;
      }
    }
    Case model;
    model.name = path.stem().string();
    model.model = given;
    models.push_back(std::move(model));
  }
  return models;
}

bool is_ours(std::string_view name) { return name == "ingot" || name.starts_with("ingot-"); }

/// "v4" and "v3", as far as this CPU has them, unless the user says which.
Expected<std::vector<std::string>> variants_of(const Flags& flags) {
  std::vector<std::string> variants;
  if (!flags.shared.isa.empty()) {
    for (std::string& level : split(flags.shared.isa)) variants.push_back(std::move(level));
  }
  const unsigned level = flags.shared.isa.empty() ? detect_cpu().level : 0;
  for (unsigned has = 4; has >= 3; --has)
    if (level >= has) variants.push_back(fmt::format("v{}", has));
  if (variants.empty())
    return fail(ErrorCode::unsupported, "this CPU has no x86-64-v3; give --isa v2");
  std::erase_if(variants, [&](const std::string& variant) {
    return !flags.engines.empty() &&
           std::none_of(flags.engines.begin(), flags.engines.end(), [&](const std::string& name) {
             return name == "ingot" || name == "ingot-" + variant;
           });
  });
  return variants;
}

/// Those that are asked for, or all that are there.
Expected<std::vector<std::unique_ptr<bench::Engine>>> peers_of(const Flags& flags) {
  std::vector<std::string> names;
  for (const std::string& name : flags.engines)
    if (!is_ours(name)) names.push_back(name);
  const std::string folder = bench::peers_folder(flags.peers);
  if (folder.empty() && !names.empty()) {
    return fail(ErrorCode::invalid_argument,
                "--engines {}: there are no engines of others here; ./dev peers-setup makes them, "
                "--peers says where they are",
                names[0]);
  }
  if (folder.empty() || (names.empty() && !flags.engines.empty()))
    return std::vector<std::unique_ptr<bench::Engine>>();
  return bench::find_peers(folder, names);
}

/// Measures models one after the other.
class Bench {
 public:
  Bench(const Flags& flags, std::vector<std::string> variants, std::string folder,
        bench::Evictor* evictor, std::vector<std::unique_ptr<bench::Engine>> peers)
      : flags_(flags),
        variants_(std::move(variants)),
        folder_(std::move(folder)),
        peers_(std::move(peers)) {
    report.date = bench::date_now();
    report.ingot_version = project_version;
    report.threads = static_cast<int>(flags.threads);
    report.machine = bench::this_machine();
    rules_.pace.seconds = flags.seconds;
    rules_.evictor = evictor;
    rules_.clock_us = report.machine.clock_ns * 1e-3;
    for (const auto& peer : peers_) know(*peer);
  }

  bench::Report report;

  /// What cannot be compiled is in the report; an error is one of the user's.
  Expected<void> measure(const Case& model) {
    bench::ModelReport& result = report.models.emplace_back();
    result.name = model.name;
    result.file = fs::path(model.model).filename().string();
    progress_.now("compiling " + model.name);
    INGOT_ASSIGN(CompileOptions options, flags_.shared.options());
    if (!model.data_sets.empty() || !model.import.inputs.empty()) options.import = model.import;
    Expected<Subject> subject = make_subject(model, options, folder_);
    if (!subject) {
      result.error = subject.error().message;
      return {};
    }
    if (!flags_.feeds.empty()) INGOT_TRY(feed_files(*subject, flags_.feeds));
    INGOT_ASSIGN(const SizeLists lists, read_size_lists(flags_.sizes));
    INGOT_ASSIGN(const std::vector<SymbolValues> all, sizes_of(*subject, lists));
    for (const SymbolValues& sizes : all) INGOT_TRY(measure(*subject, sizes, result));
    return {};
  }

 private:
  Expected<void> measure(const Subject& subject, const SymbolValues& sizes,
                         bench::ModelReport& model) {
    bench::Run& run = model.runs.emplace_back();
    run.sizes = sizes;
    if (const auto batch = sizes.find(subject.batch); batch != sizes.end())
      run.events = std::max<std::int64_t>(1, batch->second);
    run.inputs = flags_.feeds.empty() ? flags_.inputs : "files";
    INGOT_ASSIGN(const bench::Question question,
                 make_question(subject, sizes, run.inputs, flags_.seed));
    std::vector<std::unique_ptr<bench::Engine>> compiled;
    std::vector<bench::Engine*> engines;
    for (const std::string& variant : variants_) {
      compiled.push_back(bench::compiled_engine(subject.so, variant, flags_.threads));
      engines.push_back(compiled.back().get());
      know(*compiled.back());
    }
    if (!subject.model.empty())
      for (const auto& peer : peers_) engines.push_back(peer.get());
    std::string place = subject.name;
    for (const auto& [name, value] : sizes) place += fmt::format(" {}={}", name, value);
    rules_.progress = [&](std::string_view what) {
      progress_.now(fmt::format("{}: {}", place, what));
    };
    run.results = bench::contest(question, engines, rules_);
    doubt(model, run);
    rules_.progress("kernel by kernel");
    return look_inside(subject, question, model, run);
  }

  /// Marks peers that do worse against each other than where somebody measured with care.
  void doubt(const bench::ModelReport& model, bench::Run& run) const {
    double peak = 0;
    for (const auto& [level, gflops] : report.machine.peak_gflops) peak = std::max(peak, gflops);
    bench::mark_doubts(notes_, model.name, peak, run);
  }

  /// Weights, multiply-adds, and what kernels take if that was asked for.
  Expected<void> look_inside(const Subject& subject, const bench::Question& question,
                             bench::ModelReport& model, bench::Run& run) {
    if (variants_.empty() || !run.results[0].error.empty()) return {};
    INGOT_ASSIGN(const auto one,
                 bench::CompiledContender::open(subject.so, variants_[0], question, 1));
    model.weights_bytes = one->model().weights_bytes;
    INGOT_ASSIGN(bench::Profile profile,
                 one->profile(report.machine, flags_.profile ? flags_.seconds : 0));
    std::uint64_t operations = 0;
    for (const bench::KernelFigures& kernel : profile.kernels)
      if (kernel.kind == "contract") operations += kernel.operations;
    model.multiply_adds = operations / 2 / static_cast<std::uint64_t>(run.events);
    if (flags_.profile) run.profile = std::move(profile);
    return {};
  }

  void know(const bench::Engine& engine) {
    const auto same = [&](const bench::EngineReport& known) { return known.name == engine.name; };
    if (std::none_of(report.engines.begin(), report.engines.end(), same))
      report.engines.push_back({engine.name, engine.version, engine.settings});
  }

  const Flags& flags_;
  std::vector<std::string> variants_;
  std::string folder_;
  std::vector<std::unique_ptr<bench::Engine>> peers_;
  bench::Rules rules_;
  const bench::Notes notes_ = bench::find_notes();
  Progress progress_;
};

Expected<int> run_bench(const Flags& flags) {
  INGOT_ASSIGN(const std::vector<Case> models, models_of(flags));
  INGOT_ASSIGN(std::vector<std::string> variants, variants_of(flags));
  INGOT_ASSIGN(const TemporaryFolder folder, TemporaryFolder::make());
  std::optional<bench::Evictor> evictor;
  if (!flags.no_cold) {
    INGOT_ASSIGN(evictor, bench::Evictor::make());
  }
  INGOT_ASSIGN(auto peers, peers_of(flags));
  Bench bench(flags, std::move(variants), folder.path(), evictor ? &*evictor : nullptr,
              std::move(peers));
  for (const Case& model : models) {
    INGOT_TRY(bench.measure(model));
    // What was measured so far is there if the rest goes wrong.
    if (!flags.json.empty()) INGOT_TRY(write_file(flags.json, bench::to_json(bench.report)));
  }
  std::fputs(bench::to_table(bench.report).c_str(), stdout);
  if (!flags.json.empty()) INGOT_TRY(write_file(flags.json, bench::to_json(bench.report)));
  if (!flags.csv.empty()) INGOT_TRY(write_file(flags.csv, bench::to_csv(bench.report)));
  if (!flags.html.empty()) INGOT_TRY(write_file(flags.html, bench::to_html(bench.report)));
  return 0;
}

}  // namespace

void add_bench(CLI::App& program, Run& run) {
  auto flags = std::make_shared<Flags>();
  CLI::App* app = program.add_subcommand("bench", "measure what calls of a model take");
  app->add_option(
         "MODEL", flags->models,
         "model files, compiled NAME.so, MLProf's NAME.yaml, or folders of models with data "
         "sets")
      ->required();
  app->add_option("--size", flags->sizes,
                  "values of a size to measure (default: 1,16,64 of the batch)")
      ->type_name("N=1,16,64")
      ->take_all();
  app->add_option("--threads", flags->threads, "threads of a call (default 1)")
      ->check(CLI::Range(1, 1024));
  app->add_option("--engines", flags->engines,
                  "only these: ingot, ingot-v3, and those of --peers (default: all)")
      ->delimiter(',')
      ->take_all();
  app->add_option("--peers", flags->peers,
                  "where ./dev peers-setup put the engines of others (default: INGOT_PEERS, else "
                  "build/peers)")
      ->type_name("FOLDER");
  app->add_option("--inputs", flags->inputs,
                  "the model's first data set, its rows again and again, or random numbers "
                  "(default: cases where there are some)")
      ->check(CLI::IsMember({"cases", "random"}));
  app->add_option("--feed", flags->feeds,
                  "numpy's file for an input, its rows again and again; once per input")
      ->type_name("NAME=FILE.npy")
      ->take_all()
      ->excludes("--inputs");
  app->add_option("--seed", flags->seed, "of random inputs (default 1)")->type_name("NUMBER");
  app->add_option("--seconds", flags->seconds,
                  "the longest to go on for each engine until its median is known to 1 % "
                  "(default 1)")
      ->check(CLI::PositiveNumber);
  app->add_flag("--no-cold", flags->no_cold, "leave out calls with empty caches");
  app->add_flag("--profile", flags->profile, "also what each kernel takes, beside its limit");
  app->add_option("--json", flags->json, "write all that was measured")->type_name("FILE");
  app->add_option("--csv", flags->csv, "write a line for each figure")->type_name("FILE");
  app->add_option("--html", flags->html, "write a page with plots")->type_name("FILE");
  flags->shared.add_import(*app);
  flags->shared.add_compile(*app);
  explain(*app,
          "Engines take turns call by call, so that a noisy machine hurts all alike, and their "
          "outputs\n"
          "are compared. Hot: the same model again and again. Cold: caches emptied before each "
          "call.\n"
          "Figures are medians with the band from 16 to 84 %.",
          {{"ingot bench digits.onnx --size N=1,16 --seconds 0.1", "one model, two batch sizes"},
           {"ingot bench models --seconds 0.1 --profile --json bench.json",
            "a folder of models, and what their kernels take"}});
  app->callback([flags, &run] { run = [flags] { return run_bench(*flags); }; });
}

}  // namespace ingot::tools
