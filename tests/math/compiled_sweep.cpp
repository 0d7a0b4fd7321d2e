// SPDX-License-Identifier: Apache-2.0
// usage: compiled_sweep [--stride K] [--threads T] all|NAME...
// Proves that compiled float32 functions have the bits of the formula that the interpreter computes
// with: each function as a model of one op, on every CPU level that this machine has, over all 2^32
// inputs (or every K-th). NaN equals NaN. Exit status 1 where a bit differs.
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

struct Function {
  std::string_view name;
  void (*compute)(const float* x, float* y, std::size_t count);
};

template <Pointwise op>
void compute(const float* x, float* y, std::size_t count) {
  ops::NativeScalars<float> f{};
  for (std::size_t i = 0; i < count; ++i) y[i] = ops::Formula<op>::apply(f, x[i]);
}

#define ROW(op) {#op, compute<Pointwise::op##_>}
constexpr Function functions[] = {ROW(exp),     ROW(expm1), ROW(log),  ROW(log1p), ROW(tanh),
                                  ROW(sigmoid), ROW(erf),   ROW(sin),  ROW(cos),   ROW(tan),
                                  ROW(asin),    ROW(acos),  ROW(atan), ROW(sinh),  ROW(cosh),
                                  ROW(asinh),   ROW(acosh), ROW(atanh)};
#undef ROW

Expected<std::string> compile_function(std::string_view name, const TemporaryFolder& folder) {
  Graph graph;
  graph.name = fmt::format("function_{}", name);
  graph.declare_symbol("N", {0, 2147483647});
  const ValueId x = graph.add_input("x", {DType::f32, {Dim::symbol("N")}});
  INGOT_ASSIGN(const ValueId y, graph.add(name, {x}));
  graph.add_output("y", y);
  CompileOptions options;
  options.shared = true;
  INGOT_ASSIGN(const Bundle bundle, compile_graph(graph, options, graph.name));
  std::string path = folder.file(graph.name + ".so");
  INGOT_TRY(write_file(path, bundle.shared));
  return path;
}

bool same(float a, float b) {
  return std::bit_cast<std::uint32_t>(a) == std::bit_cast<std::uint32_t>(b) || (a != a && b != b);
}

/// Inputs number `first`, `first + threads`, .. of blocks of 2^16; the first difference, if any.
std::string sweep(const Function& function, const LoadedModel& model, std::uint64_t stride,
                  std::uint64_t thread, std::uint64_t threads) {
  constexpr std::size_t block = std::size_t{1} << 16;
  std::vector<float> x(block), expected(block), got(block);
  const std::int64_t symbols[] = {block};
  ingot_tensor tensors[2] = {};
  for (ingot_tensor& tensor : tensors) {
    tensor.bytes = block * sizeof(float);
    tensor.dtype = INGOT_F32;
    tensor.rank = 1;
  }
  tensors[0].data = x.data();
  tensors[1].data = got.data();
  std::vector<std::byte> workspace(4096);
  for (std::uint64_t at = thread * block * stride; at < (std::uint64_t{1} << 32);
       at += threads * block * stride) {
    for (std::size_t i = 0; i < block; ++i)
      x[i] = std::bit_cast<float>(static_cast<std::uint32_t>(at + i * stride));
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

int run(const std::vector<std::string_view>& names, std::uint64_t stride, unsigned threads) {
  const Expected<TemporaryFolder> folder = TemporaryFolder::make();
  if (!folder) return std::printf("%s\n", folder.error().message.c_str()), 1;
  int status = 0;
  for (const Function& function : functions) {
    const bool wanted = std::any_of(names.begin(), names.end(), [&](std::string_view name) {
      return name == "all" || name == function.name;
    });
    if (!wanted) continue;
    const Expected<std::string> path = compile_function(function.name, *folder);
    if (!path) return std::printf("%s\n", path.error().message.c_str()), 1;
    for (const char* variant : {"v3", "v4"}) {
      const LoadedModel model = LoadedModel::load(path->c_str(), nullptr, variant);
      if (!model.ok()) {
        std::printf("%-8.*s %s  not run: %s\n", int(function.name.size()), function.name.data(),
                    variant, model.error().c_str());
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
      std::printf("%-8.*s %s  %s\n", int(function.name.size()), function.name.data(), variant,
                  wrong == found.end() ? "same bits" : wrong->c_str());
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
  return ingot::run(names, stride, threads);
}
