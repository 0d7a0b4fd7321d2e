// SPDX-License-Identifier: Apache-2.0
// usage: compiled_sweep [--stride K] [--threads T] all|NAME...
// Proves that compiled functions have the bits of the formula that the interpreter computes with:
// each function as a model of one op, on every CPU level that this machine has, over all 2^32
// inputs of float32 (or every K-th), and over 2^26 of float64 with all exponents (or 2^26 / K). NaN
// equals NaN. Exit status 1 where a bit differs.
#include <ingot/load.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/file.h"
#include "compile.h"
#include "ops/native_scalars.h"
#include "ops/pointwise.h"

namespace ingot {
namespace {

using ops::Pointwise;

template <class T>
struct Function {
  std::string_view name;
  void (*compute)(const T* x, T* y, std::size_t count);
};

template <Pointwise op, class T>
void compute(const T* x, T* y, std::size_t count) {
  ops::NativeScalars<T> f{};
  for (std::size_t i = 0; i < count; ++i) y[i] = ops::Formula<op>::apply(f, x[i]);
}

#define ROW(op) {#op, compute<Pointwise::op##_, T>}
template <class T>
constexpr Function<T> functions[] = {ROW(exp),     ROW(expm1), ROW(log),  ROW(log1p), ROW(tanh),
                                     ROW(sigmoid), ROW(erf),   ROW(sin),  ROW(cos),   ROW(tan),
                                     ROW(asin),    ROW(acos),  ROW(atan), ROW(sinh),  ROW(cosh),
                                     ROW(asinh),   ROW(acosh), ROW(atanh)};
#undef ROW

/// Of each the first is spread over all inputs, one a bit pattern of float32. Those of float64
/// begin with that pattern, and go on with bits that look random.
float input(std::uint64_t pattern, float) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(pattern));
}
double input(std::uint64_t pattern, double) {
  const std::uint64_t low = pattern * 0x9e3779b97f4a7c15 >> 32;
  return std::bit_cast<double>(pattern << 32 | low);
}

Expected<std::string> compile_function(std::string_view name, DType dtype,
                                       const TemporaryFolder& folder) {
  Graph graph;
  graph.name = fmt::format("function_{}_{}", name, ingot::name(dtype));
  graph.declare_symbol("N", {0, 2147483647});
  const ValueId x = graph.add_input("x", {dtype, {Dim::symbol("N")}});
  INGOT_ASSIGN(const ValueId y, graph.add(name, {x}));
  graph.add_output("y", y);
  CompileOptions options;
  options.shared = true;
  INGOT_ASSIGN(const Bundle bundle, compile_graph(graph, options, graph.name));
  std::string path = folder.file(graph.name + ".so");
  INGOT_TRY(write_file(path, bundle.shared));
  return path;
}

template <class T>
bool same(T a, T b) {
  return std::memcmp(&a, &b, sizeof a) == 0 || (a != a && b != b);
}

/// Inputs number `first`, `first + threads`, .. of blocks of 2^16; the first difference, if any.
template <class T>
std::string sweep(const Function<T>& function, const LoadedModel& model, std::uint64_t stride,
                  std::uint64_t thread, std::uint64_t threads) {
  constexpr std::size_t block = std::size_t{1} << 16;
  std::vector<T> x(block), expected(block), got(block);
  const std::int64_t symbols[] = {block};
  ingot_tensor tensors[2] = {};
  for (ingot_tensor& tensor : tensors) {
    tensor.bytes = block * sizeof(T);
    tensor.dtype = sizeof(T) == 4 ? INGOT_F32 : INGOT_F64;
    tensor.rank = 1;
  }
  tensors[0].data = x.data();
  tensors[1].data = got.data();
  std::vector<std::byte> workspace(4096);
  for (std::uint64_t at = thread * block * stride; at < (std::uint64_t{1} << 32);
       at += threads * block * stride) {
    for (std::size_t i = 0; i < block; ++i) x[i] = input(at + i * stride, T{});
    ingot_call call = make_call({symbols, 1}, {tensors, 1}, {tensors + 1, 1},
                                {workspace.data(), workspace.size()});
    if (const Status status = model.run(call); !status.ok()) return status.message().c_str();
    function.compute(x.data(), expected.data(), block);
    for (std::size_t i = 0; i < block; ++i) {
      if (!same(got[i], expected[i]))
        return fmt::format("{:a}: {:a} instead of {:a}", x[i], got[i], expected[i]);
    }
  }
  return {};
}

template <class T>
int run(const std::vector<std::string_view>& names, std::uint64_t stride, unsigned threads) {
  constexpr DType dtype = sizeof(T) == 4 ? DType::f32 : DType::f64;
  if (dtype == DType::f64) stride *= 64;
  const Expected<TemporaryFolder> folder = TemporaryFolder::make();
  if (!folder) return std::printf("%s\n", folder.error().message.c_str()), 1;
  int status = 0;
  for (const Function<T>& function : functions<T>) {
    const bool wanted = std::any_of(names.begin(), names.end(), [&](std::string_view name) {
      return name == "all" || name == function.name;
    });
    if (!wanted) continue;
    const Expected<std::string> path = compile_function(function.name, dtype, *folder);
    if (!path) return std::printf("%s\n", path.error().message.c_str()), 1;
    for (const char* variant : {"v3", "v4"}) {
      const std::string title = fmt::format("{:8} {} {}", function.name, name(dtype), variant);
      const LoadedModel model = LoadedModel::load(path->c_str(), nullptr, variant);
      if (!model.ok()) {
        std::printf("%s  not run: %s\n", title.c_str(), model.error().c_str());
        continue;
      }
      std::vector<std::string> found(threads);
      std::vector<std::thread> pool;
      for (unsigned t = 0; t < threads; ++t) {
        pool.emplace_back([&, t] { found[t] = sweep(function, model, stride, t, threads); });
      }
      for (std::thread& thread : pool) thread.join();
      const auto wrong =
          std::find_if(found.begin(), found.end(), [](const auto& text) { return !text.empty(); });
      std::printf("%s  %s\n", title.c_str(), wrong == found.end() ? "same bits" : wrong->c_str());
      std::fflush(stdout);
      if (wrong != found.end()) status = 1;
    }
  }
  return status;
}

}  // namespace
}  // namespace ingot

int main(int argc, char** argv) {
  std::vector<std::string_view> names;
  std::uint64_t stride = 1;
  unsigned threads = 1;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument == "--stride" && i + 1 < argc)
      stride = std::strtoull(argv[++i], nullptr, 10);
    else if (argument == "--threads" && i + 1 < argc)
      threads = static_cast<unsigned>(std::atoi(argv[++i]));
    else
      names.push_back(argument);
  }
  if (names.empty() || stride == 0 || threads == 0) {
    std::printf("usage: compiled_sweep [--stride K] [--threads T] all|NAME...\n");
    return 2;
  }
  const int narrow = ingot::run<float>(names, stride, threads);
  return std::max(narrow, ingot::run<double>(names, stride, threads));
}
