// SPDX-License-Identifier: Apache-2.0
// IREE by the programs of its package, which has no library: iree-run-module once for the outputs,
// iree-benchmark-module for the times. Inputs and outputs go through numpy files.
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "plugin.h"

extern char** environ;

namespace {

namespace fs = std::filesystem;

constexpr const char* time_limit = "300";  // seconds, of each program
// Of each measurement; the mean of every one counts as a sample.
// The time is that of the processor: there is one thread and nothing to wait for, and a mean of the
// clock's would count all else that runs on a busy machine.
constexpr int repetitions = 15;

/// Of an .npy file, by the number in <ingot/abi.h>; null where numpy has none.
constexpr std::array<const char*, INGOT_BOOL + 1> npy_types = {
    nullptr, "<f4", "<f8", "<f2", nullptr, "|i1", "<i2",
    "<i4",   "<i8", "|u1", "<u2", "<u4",   "<u8", "|b1"};

void write_npy(const fs::path& path, const ingot_peer_tensor& tensor) {
  std::string shape;
  for (std::uint32_t d = 0; d < tensor.rank; ++d)
    shape += (d > 0 ? ", " : "") + std::to_string(tensor.shape[d]);
  if (tensor.rank == 1) shape += ',';
  std::string header = std::string("{'descr': '") + peer::element_type(npy_types, tensor.dtype) +
                       "', 'fortran_order': False, 'shape': (" + shape + "), }";
  constexpr std::size_t before = 10, alignment = 64;
  header.resize((before + header.size() + alignment) / alignment * alignment - before - 1, ' ');
  header += '\n';
  std::ofstream file(path, std::ios::binary);
  file << "\x93NUMPY\x01" << '\0' << static_cast<char>(header.size() & 255)
       << static_cast<char>(header.size() >> 8) << header;
  file.write(static_cast<const char*>(tensor.data), static_cast<std::streamsize>(tensor.bytes));
  if (!file.flush()) throw std::runtime_error("cannot write " + path.string());
}

std::string read(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// The last line of what a program wrote that is not empty.
std::string last_line(std::string text) {
  while (!text.empty() && std::strchr(" \n", text.back()) != nullptr) text.pop_back();
  const std::size_t begin = text.rfind('\n');
  return begin == text.npos ? text : text.substr(begin + 1);
}

class Session {
 public:
  Session(const ingot_peer_model& model, const nlohmann::json& settings)
      : programs_(settings.at("programs").get<std::string>()) {
    std::string pattern = (fs::temp_directory_path() / "ingot-iree-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr)
      throw std::runtime_error("cannot make a temporary folder");
    folder_ = pattern;
    arguments_ = {std::string("--module=") + model.path, "--function=net"};
    for (const nlohmann::json& flag : settings.at("run")) arguments_.push_back(flag);
    for (std::uint32_t i = 0; i < model.input_count; ++i) {
      const fs::path file = folder_ / ("x" + std::to_string(i) + ".npy");
      write_npy(file, model.inputs[i]);
      arguments_.push_back("--input=@" + file.string());
    }
    outputs_.assign(model.outputs, model.outputs + model.output_count);
    try {
      compute();
    } catch (...) {
      remove();
      throw;
    }
  }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session() { remove(); }

  // What it would compute is there already: inputs do not change.
  void run() {}

  ingot_peer_tensor output(std::uint32_t i) {
    ingot_peer_tensor tensor = outputs_.at(i);
    std::string& file = results_.at(i);
    const std::uint64_t bytes = peer::bytes_of(tensor);
    constexpr std::size_t length_at = 8, header_at = 10;
    if (file.size() < header_at) throw std::runtime_error("no such result");
    const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(file[at]); };
    const std::size_t data_at = header_at + byte(length_at) + 256U * byte(length_at + 1);
    if (file.size() != data_at + bytes) throw std::runtime_error("a result of another size");
    tensor.data = file.data() + data_at;
    tensor.bytes = bytes;
    return tensor;
  }

  std::int64_t measure(double seconds, double* microseconds, std::size_t capacity) {
    const double each = std::max(seconds / repetitions, 1e-3);
    const std::string text =
        call("iree-benchmark-module",
             {"--benchmark_format=json", "--benchmark_repetitions=" + std::to_string(repetitions),
              "--benchmark_min_time=" + std::to_string(each) + "s"});
    const nlohmann::json report =
        nlohmann::json::parse(text.substr(std::min(text.find('{'), text.size())));
    std::size_t count = 0;
    for (const nlohmann::json& entry : report.at("benchmarks")) {
      if (entry.at("run_type") != "iteration" || count == capacity) continue;
      const std::string unit = entry.at("time_unit");
      const double scale = unit == "ns" ? 1e-3 : unit == "us" ? 1 : unit == "ms" ? 1e3 : 1e6;
      microseconds[count++] = entry.at("cpu_time").get<double>() * scale;
    }
    if (count == 0) throw std::runtime_error("iree-benchmark-module reported no times");
    return static_cast<std::int64_t>(count);
  }

 private:
  void remove() {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }

  void compute() {
    std::vector<std::string> wanted;
    for (std::size_t i = 0; i < outputs_.size(); ++i)
      wanted.push_back("--output=@" + (folder_ / ("y" + std::to_string(i) + ".npy")).string());
    call("iree-run-module", wanted);
    for (std::size_t i = 0; i < outputs_.size(); ++i)
      results_.push_back(read(folder_ / ("y" + std::to_string(i) + ".npy")));
  }

  /// What the program wrote to stdout.
  std::string call(const std::string& program, const std::vector<std::string>& more) {
    std::vector<std::string> command = {"timeout", "--signal=KILL", time_limit,
                                        (programs_ / program).string()};
    command.insert(command.end(), arguments_.begin(), arguments_.end());
    command.insert(command.end(), more.begin(), more.end());
    std::vector<char*> words;
    for (std::string& word : command) words.push_back(word.data());
    words.push_back(nullptr);
    const fs::path said = folder_ / "stdout", log = folder_ / "stderr";
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    constexpr int fresh = O_WRONLY | O_CREAT | O_TRUNC;
    ::posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_addopen(&actions, 1, said.c_str(), fresh, 0600);
    ::posix_spawn_file_actions_addopen(&actions, 2, log.c_str(), fresh, 0600);
    pid_t child = 0;
    const int failed = ::posix_spawnp(&child, words[0], &actions, nullptr, words.data(), environ);
    ::posix_spawn_file_actions_destroy(&actions);
    if (failed != 0) throw std::runtime_error(program + ": " + std::strerror(failed));
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
      throw std::runtime_error(program + ": " + last_line(read(log)));
    return read(said);
  }

  fs::path programs_, folder_;
  std::vector<std::string> arguments_, results_;
  std::vector<ingot_peer_tensor> outputs_;
};

std::int64_t measure(void* session, double seconds, double* microseconds, std::size_t capacity,
                     char* error, std::size_t error_bytes) {
  try {
    return static_cast<Session*>(session)->measure(seconds, microseconds, capacity);
  } catch (const std::exception& failure) {
    peer::explain(failure, error, error_bytes);
    return -1;
  }
}

constexpr ingot_peer make() {
  ingot_peer made = peer::plugin<Session>("IREE");
  made.measure = measure;
  return made;
}

}  // namespace

extern "C" const ingot_peer ingot_peer_plugin = make();
