// SPDX-License-Identifier: Apache-2.0
// Hostile calls of compiled models: NaN, infinities, denormals, extreme integers and huge indices,
// in memory of exact sizes, into code that the address sanitizer watches. A call must end with a
// status or with the interpreter's bits. The models: tests/fuzz/models, the digits example, and
// what INGOT_FUZZ_MODELS names, with blanks between: files, and folders of a model and its data
// sets.
#include <algorithm>
#include <filesystem>
#include <limits>
#include <sstream>

#include "input_bytes.h"
#include "subject.h"
#include "target.h"
#include "tests/sweep/rows.h"
#include "tests/sweep/tensors.h"
#include "tools/cases.h"

namespace ingot::fuzz {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> model_paths() {
  std::vector<std::string> paths;
  const std::string root = INGOT_SOURCE_DIR;
  for (const fs::directory_entry& entry : fs::directory_iterator(root + "/tests/fuzz/models"))
    paths.push_back(entry.path().string());
  std::sort(paths.begin(), paths.end());
  paths.push_back(root + "/examples/digits/digits.onnx");
  if (const char* more = std::getenv("INGOT_FUZZ_MODELS")) {
    std::istringstream words(more);
    for (std::string path; words >> path;) paths.push_back(path);
  }
  return paths;
}

/// For all CPU levels, or for number `alone` of them.
Expected<Subject> load(const std::string& path, int alone) {
  CompileOptions options;
  std::string file = path;
  if (fs::is_directory(path)) {
    INGOT_ASSIGN(const std::vector<tools::Case> cases, tools::find_cases(path));
    options.import = cases[0].import;
    file = cases[0].model;
  }
  INGOT_ASSIGN(const Graph graph, import_for(file, options));
  std::vector<int> levels = sweep::levels_of(graph);
  if (alone >= 0) levels = {levels[static_cast<std::size_t>(alone) % levels.size()]};
  return Subject::make(graph, levels);
}

const std::vector<Subject>& subjects() {
  static const std::vector<Subject> all = [] {
    std::vector<Subject> loaded;
    const bool one_level = std::getenv("INGOT_FUZZ_ONE_LEVEL") != nullptr;
    for (const std::string& path : model_paths()) {
      Expected<Subject> subject = load(path, one_level ? static_cast<int>(loaded.size()) : -1);
      if (!subject) stop(fmt::format("{}: {}", path, subject.error().message));
      loaded.push_back(*std::move(subject));
    }
    return loaded;
  }();
  return all;
}

/// One number out of those that code gets wrong.
void set_special(Tensor& tensor, std::int64_t i, InputBytes& bytes) {
  static constexpr double reals[] = {0.0,
                                     -0.0,
                                     1e-45,
                                     -1e-40,
                                     1.17549435e-38,
                                     0.5,
                                     -1.5,
                                     2.5,
                                     65504,
                                     65520,
                                     3.4028235e38,
                                     -3.4028235e38,
                                     1e300,
                                     2147483648.0,
                                     -2147483649.0,
                                     9.2233720368547758e18,
                                     1.8446744073709552e19,
                                     std::numeric_limits<double>::infinity(),
                                     -std::numeric_limits<double>::infinity(),
                                     std::numeric_limits<double>::quiet_NaN()};
  const std::size_t width = bytes_of(tensor.dtype());
  const std::uint8_t choice = bytes.byte();
  if (sweep::set_real(tensor, i, reals[choice % std::size(reals)])) return;
  // Integers: a power of two up to the width, give or take a little, and its negative.
  std::uint64_t word = std::uint64_t{1} << (choice % (8 * width));
  const std::uint8_t way = bytes.byte();
  word += static_cast<std::uint64_t>(static_cast<std::int64_t>(way % 5) - 2);
  if ((way & 64) != 0) word = 0 - word;
  std::memcpy(tensor.mutable_bytes().data() + static_cast<std::size_t>(i) * width, &word, width);
}

/// One that most models do something with: an index of a small table, a number around zero.
void set_usual(Tensor& tensor, std::int64_t i, std::uint64_t random) {
  const double real = static_cast<double>(static_cast<std::int64_t>(random)) * 0x1p-62;
  const std::size_t width = bytes_of(tensor.dtype());
  if (sweep::set_real(tensor, i, real)) return;
  const std::uint64_t word = random % 3;
  std::memcpy(tensor.mutable_bytes().data() + static_cast<std::size_t>(i) * width, &word, width);
}

void fill(Tensor& tensor, InputBytes& bytes) {
  const std::int64_t count = tensor.elements();
  const std::uint8_t way = bytes.byte() % 8;
  if (way == 0) {  // the input's own bytes
    for (std::byte& byte : tensor.mutable_bytes()) byte = static_cast<std::byte>(bytes.byte());
    return;
  }
  std::mt19937_64 random(way);
  for (std::int64_t i = 0; i < count; ++i) {
    if (way == 1) {
      set_special(tensor, i, bytes);
    } else {
      set_usual(tensor, i, random());
    }
  }
  if (way < 3 || count == 0) return;
  // One or some wild ones among the others, so that a call is not over at its first element.
  for (int wild = way - 2; wild > 0; --wild)
    set_special(tensor, static_cast<std::int64_t>(bytes.below(static_cast<std::uint64_t>(count))),
                bytes);
}

void check(Bytes data) {
  InputBytes bytes(data.data(), data.size());
  const Subject& subject = subjects()[bytes.below(subjects().size())];
  const Graph& graph = subject.graph();
  Subject::Call call;
  call.variant = bytes.below(subject.variants());
  call.threads = bytes.below(4) == 0 ? 3 : 1;
  for (const Symbol& symbol : graph.symbols()) {
    static constexpr std::int64_t sizes[] = {0, 1, 2, 3, 5, 7, 8, 15, 16, 17, 31, 33, 40};
    const std::int64_t size = sizes[bytes.below(std::size(sizes))];
    call.symbols[symbol.name] = std::clamp(size, symbol.range.lo, symbol.range.hi);
  }
  for (const ValueId id : graph.inputs()) {
    std::vector<std::int64_t> shape;
    for (const Dim& dim : graph.type(id).shape) shape.push_back(*dim.evaluate(call.symbols));
    // Sizes that no caller can have.
    if (std::any_of(shape.begin(), shape.end(), [](std::int64_t size) { return size < 0; })) return;
    Tensor tensor(graph.type(id).dtype, std::move(shape));
    fill(tensor, bytes);
    call.inputs.push_back(std::move(tensor));
  }
  const std::string wrong = subject.check(call);
  if (wrong.empty()) return;
  std::string sizes;
  for (const auto& [name, size] : call.symbols) sizes += fmt::format(" {}={}", name, size);
  stop(fmt::format("{} variant {} threads {}{} {}", graph.name, call.variant, call.threads, sizes,
                   wrong));
}

}  // namespace
}  // namespace ingot::fuzz

INGOT_FUZZ_TARGET(run, ingot::fuzz::check)

#ifdef INGOT_LIBFUZZER
/// Compiles the models before the clock of the first input runs.
extern "C" int LLVMFuzzerInitialize(int*, char***) {
  (void)ingot::fuzz::subjects();
  return 0;
}
#endif
