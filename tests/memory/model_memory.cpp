// SPDX-License-Identifier: Apache-2.0
// usage: model_memory INGOT FOLDER. Writes a SavedModel whose variables are 512 MB into the folder,
// and says how much memory `ingot inspect` and `ingot compile` take for it at most: 1.2 and 2.5
// times as much as the variables. The status is 1 if one takes more.
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <random>

#include "import/saved_model/model_builder.h"

namespace {

namespace fs = std::filesystem;
using namespace ingot;
using namespace ingot::tensorflow;

constexpr int layers = 8;
constexpr std::int64_t width = 4096;
constexpr double bytes = 4.0 * layers * width * width;

/// x [N, 2] times [2, width], and layers of that width.
void write_model(const fs::path& folder) {
  ModelBuilder b;
  std::mt19937 random(1);
  std::uniform_real_distribution<float> numbers(-0.01F, 0.01F);
  std::vector<float> values(2 * width);
  std::vector<std::string> operands{"serving_default_x"}, names{"x"};
  FunctionBuilder f = b.function("f", {"x"}, {{"y", "y:output:0"}});
  std::string last = "x";
  for (int i = 0; i <= layers; ++i) {
    const std::string name = "w" + std::to_string(i);
    values.resize(static_cast<std::size_t>(i == 0 ? 2 * width : width * width));
    for (float& value : values) value = numbers(random);
    b.variable(name, name + "/value", {i == 0 ? 2 : width, width}, values, "f");
    operands.push_back(name);
    f.def.mutable_signature()->add_input_arg()->set_name(name);
    f.node("ReadVariableOp", "read_" + name, {name});
    f.node("MatMul", "product_" + name, {last, "read_" + name + ":value:0"});
    f.node("Relu", "relu_" + name, {"product_" + name + ":product:0"});
    last = "relu_" + name + ":activations:0";
  }
  f.node("Identity", "y", {last});
  b.define("MatMul", "a b", "product");
  b.define("Relu", "features", "activations");
  calls(b.node("StatefulPartitionedCall", "call", operands), "f");
  b.port(false, "y", "call:0");
  fs::remove_all(folder);
  fs::copy(b.write(), folder, fs::copy_options::recursive);
}

/// Of a command that succeeds, the most memory that it had; 0: it failed.
double peak(const std::vector<std::string>& command) {
  std::vector<char*> words;
  for (const std::string& word : command) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  const pid_t child = fork();
  if (child == 0) {
    // What it prints is of no interest; its errors are.
    if (std::freopen("/dev/null", "w", stdout) == nullptr) _exit(127);
    execv(words[0], words.data());
    _exit(127);
  }
  int status = 0;
  rusage usage{};
  if (child < 0 || wait4(child, &status, 0, &usage) != child || status != 0) return 0;
  return static_cast<double>(usage.ru_maxrss) * 1024;
}

bool keeps(const char* what, double most, const std::vector<std::string>& command) {
  const double used = peak(command);
  if (used == 0) {
    std::printf("%s: it failed\n", what);
    return false;
  }
  std::printf("%s: %.0f MB, %.2f times the variables' %.0f MB; %.1f times is allowed\n", what,
              used / 1e6, used / bytes, bytes / 1e6, most);
  return used <= most * bytes;
}

}  // namespace

int main(int count, char** words) {
  if (count != 3) return std::fputs("usage: model_memory INGOT FOLDER\n", stderr), 2;
  const std::string ingot = words[1];
  const fs::path folder = words[2];
  fs::create_directories(folder);
  const std::string model = (folder / "model").string();
  write_model(model);
  const bool inspects = keeps("ingot inspect", 1.2, {ingot, "inspect", model});
  const bool compiles =
      keeps("ingot compile", 2.5, {ingot, "compile", model, "-o", (folder / "out").string()});
  fs::remove_all(folder);
  return inspects && compiles ? 0 : 1;
}
