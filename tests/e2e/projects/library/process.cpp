// SPDX-License-Identifier: Apache-2.0
// What a hundred compiles leave behind in a process: no memory, no descriptor, no thread, no signal
// handler, no file. Arguments: a model. Driven by tests/e2e/library.sh.
#include <ingot/compile.h>
#include <malloc.h>

#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace {

struct Process {
  double heap, resident;  // MB
  long descriptors, threads;
  bool handles_signals = false;
};

long entries(const char* folder) {
  return std::distance(std::filesystem::directory_iterator(folder), {});
}

Process measure() {
  malloc_trim(0);
  const struct mallinfo2 heap = mallinfo2();
  Process now{double(heap.uordblks + heap.hblkhd) / 1e6, 0, entries("/proc/self/fd"),
              entries("/proc/self/task")};
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.rfind("VmRSS:", 0) == 0) now.resident = std::stod(line.substr(6)) / 1e3;
  }
  for (const int signal : {SIGINT, SIGTERM, SIGSEGV, SIGABRT, SIGUSR1, SIGPIPE}) {
    struct sigaction action{};
    sigaction(signal, nullptr, &action);
    now.handles_signals |= action.sa_handler != SIG_DFL;
  }
  return now;
}

/// Compiles, loads and checks.
bool once(const std::string& path) {
  ingot::compiler::Options options;
  options.shared = true;
  const auto compiled = ingot::compiler::compile_file(path, options);
  if (!compiled) return std::puts(compiled.error().message.c_str()), false;
  const ingot::LoadedModel model = ingot::compiler::load(*compiled);
  if (!model.ok()) return std::puts(model.error().c_str()), false;
  options.dims = {"no_such=1"};
  return model.self_test().ok() && !ingot::compiler::compile_file(path, options).ok();
}

}  // namespace

int main(int, char** argv) {
  for (int i = 0; i < 20; ++i) {
    if (!once(argv[1])) return 1;
  }
  const Process before = measure();
  for (int i = 0; i < 100; ++i) {
    if (!once(argv[1])) return 1;
  }
  const Process after = measure();
  std::printf("after 20 and 120 compiles: heap %.2f and %.2f MB, resident %.1f and %.1f MB\n",
              before.heap, after.heap, before.resident, after.resident);
  std::printf("descriptors %ld and %ld, threads %ld and %ld\n", before.descriptors,
              after.descriptors, before.threads, after.threads);
  // What the heap holds is exact; the pages that it takes are not, because it is never full.
  const bool same = after.heap < before.heap + 0.05 && after.resident < before.resident + 3 &&
                    after.descriptors == before.descriptors && after.threads == before.threads;
  if (after.handles_signals) std::puts("a signal handler was left behind");
  return same && !after.handles_signals ? 0 : 1;
}
