// SPDX-License-Identifier: Apache-2.0
// ingot reduce: the smallest graph for which a script still succeeds.
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <unordered_set>

#include "base/file.h"
#include "help.h"
#include "ir/text.h"
#include "options.h"
#include "shrink.h"

extern char** environ;

namespace ingot::tools {
namespace {

struct Flags {
  std::string model, script, output;
  int seconds = 60;
  ModelFlags shared;
};

/// The user's script, asked about one graph after the other.
class Script {
 public:
  Script(std::string path, int seconds, std::string file)
      : path_(std::move(path)), seconds_(std::to_string(seconds)), file_(std::move(file)) {}

  int runs() const { return runs_; }

  /// Its exit status; 124 where it takes too long.
  Expected<int> ask(const Graph& graph) {
    INGOT_TRY(write_file(file_, print(graph, {.constants_in_full = true})));
    ++runs_;
    const char* words[] = {"timeout",     "--kill-after=1", seconds_.c_str(),
                           path_.c_str(), file_.c_str(),    nullptr};
    pid_t process = 0;
    // What it prints would drown what we say; it may keep logs of its own.
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
    const int failed = ::posix_spawnp(&process, words[0], &actions, nullptr,
                                      const_cast<char* const*>(words), environ);
    posix_spawn_file_actions_destroy(&actions);
    if (failed != 0)
      return fail(ErrorCode::io, "cannot run {}: {}", words[0], std::strerror(failed));
    int status = 0;
    while (::waitpid(process, &status, 0) < 0) {
      if (errno != EINTR) return fail(ErrorCode::io, "{} is lost", path_);
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

 private:
  std::string path_, seconds_, file_;
  int runs_ = 0;
};

std::string size_of(const Graph& graph) {
  std::size_t numbers = 0;
  for (const Tensor& constant : graph.constants())
    numbers += constant.bytes().size() / bytes_of(constant.dtype());
  return fmt::format("nodes {}, inputs {}, outputs {}, symbols {}, numbers in constants {}",
                     graph.nodes().size(), graph.inputs().size(), graph.outputs().size(),
                     graph.symbols().size(), numbers);
}

Expected<int> reduce(const Flags& flags) {
  INGOT_ASSIGN(const CompileOptions options, flags.shared.options());
  INGOT_ASSIGN(Graph graph, import_for(flags.model, options));
  std::error_code unknown;
  const std::string path = std::filesystem::absolute(flags.script, unknown).string();
  if (::access(path.c_str(), X_OK) != 0) {
    return fail(ErrorCode::io, "--script {}: not a program; write one and chmod +x it",
                flags.script);
  }
  INGOT_ASSIGN(const TemporaryFolder folder, TemporaryFolder::make());
  Script script(path, flags.seconds, folder.file(graph.name + ".ir"));
  INGOT_ASSIGN(const int status, script.ask(graph));
  if (status != 0) {
    return fail(ErrorCode::invalid_argument,
                "{} gives exit status {} for the whole model; it must be 0 for a graph that shows "
                "what you look for, and another one for all others",
                flags.script, status);
  }
  std::fprintf(stderr, "%s\n", size_of(graph).c_str());

  std::optional<Error> broken;
  std::unordered_set<std::string> asked;  // the same graph comes about in many ways
  ShrinkOptions shrinking;
  shrinking.interesting = [&](const Graph& smaller) {
    if (broken || !asked.insert(print(smaller, {.constants_in_full = true})).second) return false;
    const Expected<int> answer = script.ask(smaller);
    if (!answer) broken = answer.error();
    return answer && *answer == 0;
  };
  shrinking.progress = [&](const Graph& smaller, std::string_view what) {
    std::fprintf(stderr, "%s: %.*s\n", size_of(smaller).c_str(), static_cast<int>(what.size()),
                 what.data());
  };
  const Graph result = shrink(std::move(graph), shrinking);
  if (broken) return *broken;
  std::fprintf(stderr, "after %d runs of %s nothing more goes\n", script.runs(),
               flags.script.c_str());
  const std::string text = print(result, {.constants_in_full = true});
  if (!flags.output.empty()) {
    INGOT_TRY(write_file(flags.output, text));
  } else {
    std::fwrite(text.data(), 1, text.size(), stdout);
  }
  return 0;
}

}  // namespace

void add_reduce(CLI::App& program, Run& run) {
  auto flags = std::make_shared<Flags>();
  CLI::App* app =
      program.add_subcommand("reduce", "shrink a model while a script says that it still fails");
  app->add_option("MODEL", flags->model, "a model file")->required();
  app->add_option("--script", flags->script,
                  "called with a graph in text form: exit status 0 if it still shows the fault")
      ->type_name("FILE")
      ->required();
  app->add_option("-o,--output", flags->output, "the reduced graph (default: standard output)")
      ->type_name("FILE");
  app->add_option("--timeout", flags->seconds,
                  "seconds for one call of the script; longer means no (default 60)")
      ->type_name("S")
      ->check(CLI::PositiveNumber);
  flags->shared.add_import(*app);
  explain(*app,
          "The script gets one argument, a file with a graph in text form, and exits with 0 if the "
          "graph\n"
          "still shows the fault, with anything else if not. It should look for the one fault that "
          "you\n"
          "are after: one that takes any failure for it ends with another. For example:\n"
          "  #!/bin/sh\n"
          "  ingot compile \"$1\" -o /tmp/out 2>&1 | grep -q 'kernel 7 reads beyond'",
          {{"ingot reduce model.onnx --script ./still_wrong.sh -o reduced.ingot",
            "the smallest part of model.onnx for which still_wrong.sh exits with 0"},
           {"ingot reduce reduced.ingot --script ./still_wrong.sh --timeout 5",
            "goes on from there, and prints; a call of more than 5 seconds means no"}});
  app->callback([flags, &run] { run = [flags] { return reduce(*flags); }; });
}

}  // namespace ingot::tools
