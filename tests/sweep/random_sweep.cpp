// SPDX-License-Identifier: Apache-2.0
// Random dense graphs: compiled against interpreter, bit for bit, with the same bits for a row in
// every batch; and passes against what they say of their numerics. A failure prints the seed, which
// is enough to have it again: random_sweep --seeds SEED:SEED
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <mutex>
#include <thread>

#include "ir/text.h"
#include "random_graph.h"
#include "rows.h"

namespace ingot::sweep {
namespace {

struct Arguments {
  std::uint64_t first = 0, last = 24;
  int threads = 1;
  bool print = false;  // the graphs, instead of checking them
};

thread_local char current[64];  // what this thread works on, for a crash in compiled code

void say_where(int signal) {
  const auto written = ::write(2, current, std::strlen(current));
  static_cast<void>(written);
  ::signal(signal, SIG_DFL);
  ::raise(signal);
}

std::vector<std::string> check(std::uint64_t seed) {
  const RandomGraph random = random_graph(seed);
  RowsOptions options;
  options.levels = levels_of(random.graph);
  options.rows = random.rows;
  options.seed = seed;
  // As models are planned, and with blocks and forks that graphs of this size would not have.
  if (seed % 3 == 1) options.plan.block_bytes = 4096;
  if (seed % 2 == 1) options.plan.part_work = 64;
  for (const Symbol& symbol : random.graph.symbols()) {
    if (symbol.name != "N") options.others[symbol.name] = static_cast<std::int64_t>(seed / 3 % 7);
  }
  // One without and one with threads to share its rows, and one of more rows than blocks have.
  if (seed % 4 == 2 && random.graph.find_symbol("N") != nullptr) {
    options.variants = {{{"N", 1}}, {{"N", 7}}, {{"N", 64}}};
    options.variants[1].insert(options.others.begin(), options.others.end());
  }
  // Where its weights are not the first of the object's.
  if (seed % 4 == 1) {
    Graph other = random_graph(seed + 1'000'000).graph;
    if (other.arithmetic == random.graph.arithmetic) options.beside.push_back(std::move(other));
  }
  std::vector<std::string> failures = check_rows(random.graph, options);
  for (std::string& failure : check_passes(random.graph, false, seed)) {
    failures.push_back(std::move(failure));
  }
  for (std::string& failure : check_passes(smooth_graph(seed).graph, true, seed)) {
    failures.push_back("smooth graph: " + failure);
  }
  return failures;
}

int sweep(const Arguments& arguments) {
  std::atomic<std::uint64_t> next{arguments.first}, failed{0};
  std::mutex output;
  const auto work = [&] {
    for (std::uint64_t seed; (seed = next++) <= arguments.last;) {
      std::snprintf(current, sizeof current, "\ncrash with seed %llu\n",
                    static_cast<unsigned long long>(seed));
      std::vector<std::string> failures;
      try {
        failures = check(seed);
      } catch (const std::exception& error) {
        failures = {error.what()};
      }
      if (failures.empty()) continue;
      ++failed;
      const std::lock_guard lock(output);
      fmt::print("seed {} failed:\n", seed);
      for (const std::string& failure : failures) fmt::print("  {}\n", failure);
      std::fflush(stdout);
    }
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < arguments.threads; ++i) threads.emplace_back(work);
  for (std::thread& thread : threads) thread.join();
  fmt::print("seeds {}:{}: {} graphs, {} failed\n", arguments.first, arguments.last,
             arguments.last - arguments.first + 1, failed.load());
  return failed == 0 ? 0 : 1;
}

int print_graphs(const Arguments& arguments) {
  for (std::uint64_t seed = arguments.first; seed <= arguments.last; ++seed) {
    fmt::print("; {}\n{}; smooth\n{}", random_graph(seed).rows ? "rows" : "rows are mixed",
               print(random_graph(seed).graph), print(smooth_graph(seed).graph));
  }
  return 0;
}

bool read(const char* begin, const char* end, auto& number) {
  const auto [stop, error] = std::from_chars(begin, end, number);
  return error == std::errc() && stop == end;
}

bool parse(int count, char** words, Arguments& arguments) {
  for (int i = 1; i < count; ++i) {
    const std::string_view word = words[i];
    const char* value = i + 1 < count ? words[i + 1] : "";
    const char* end = value + std::strlen(value);
    if (word == "--seeds") {
      const char* colon = std::strchr(value, ':');
      if (colon == nullptr || !read(value, colon, arguments.first) ||
          !read(colon + 1, end, arguments.last)) {
        return false;
      }
      ++i;
    } else if (word == "--threads") {
      if (!read(value, end, arguments.threads)) return false;
      ++i;
    } else if (word == "--print") {
      arguments.print = true;
    } else {
      return false;
    }
  }
  return arguments.first <= arguments.last && arguments.threads > 0;
}

}  // namespace
}  // namespace ingot::sweep

int main(int count, char** words) {
  using namespace ingot::sweep;
  Arguments arguments;
  if (!parse(count, words, arguments)) {
    std::fprintf(stderr, "usage: random_sweep [--seeds FIRST:LAST] [--threads T] [--print]\n");
    return 2;
  }
  for (const int crash : {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT}) ::signal(crash, say_where);
  return arguments.print ? print_graphs(arguments) : sweep(arguments);
}
