// SPDX-License-Identifier: Apache-2.0
// All targets without a fuzzer, for any compiler: runs one on the inputs in the files and folders
// given, and, with --random COUNT, on inputs that are always the same random bytes.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <random>
#include <string_view>
#include <vector>

#include "target.h"

namespace ingot::fuzz {
namespace {

namespace fs = std::filesystem;

std::map<std::string, Target, std::less<>>& targets() {
  static std::map<std::string, Target, std::less<>> all;
  return all;
}

/// From memory of its own, so that a sanitizer sees what is read behind the last byte.
void run(Target target, const std::vector<char>& bytes) {
  const std::vector<std::uint8_t> exact(bytes.begin(), bytes.end());
  target(exact);
}

bool run_file(Target target, const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return false;
  std::printf("%s\n", path.c_str());  // the last line before a crash
  std::fflush(stdout);
  run(target, {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()});
  return true;
}

int run_all(Target target, int count, char** words) {
  std::vector<fs::path> files;
  long random = 0;
  for (int i = 0; i < count; ++i) {
    if (std::string_view(words[i]) == "--random" && i + 1 < count) {
      random = std::atol(words[++i]);
    } else if (fs::is_directory(words[i])) {
      for (const fs::directory_entry& entry : fs::recursive_directory_iterator(words[i])) {
        if (entry.is_regular_file()) files.push_back(entry.path());
      }
    } else {
      files.emplace_back(words[i]);
    }
  }
  std::sort(files.begin(), files.end());
  for (const fs::path& path : files) {
    if (run_file(target, path)) continue;
    std::fprintf(stderr, "cannot read %s\n", path.c_str());
    return 2;
  }
  for (long i = 0; i < random; ++i) {
    std::mt19937_64 numbers(static_cast<std::uint64_t>(i));
    std::vector<char> bytes(numbers() % 256);
    for (char& byte : bytes) byte = static_cast<char>(numbers());
    run(target, bytes);
  }
  std::printf("%zu files and %ld random inputs\n", files.size(), random);
  return files.empty() && random == 0 ? 2 : 0;
}

}  // namespace

bool add_target(const char* name, Target target) { return targets().emplace(name, target).second; }

}  // namespace ingot::fuzz

int main(int count, char** words) {
  using namespace ingot::fuzz;
  const auto found = count > 1 ? targets().find(std::string_view(words[1])) : targets().end();
  if (found != targets().end()) return run_all(found->second, count - 2, words + 2);
  std::fprintf(stderr, "usage: fuzz_inputs TARGET [--random COUNT] [FILE or FOLDER...]\ntargets:");
  for (const auto& [name, target] : targets()) std::fprintf(stderr, " %s", name.c_str());
  std::fputs("\n", stderr);
  return 2;
}
