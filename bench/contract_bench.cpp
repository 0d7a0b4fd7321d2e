// SPDX-License-Identifier: Apache-2.0
// Dense layers as compiled code, called through the C ABI, against what the machine can do: the
// share of the multiply-add peak of the ISA's registers, and of the bandwidth at which a plain loop
// reads a buffer as large as the packed weights. Both limits are measured in the same run; shares
// are printed with "/s", because they come from rates, and 1 is the limit.
//
//   contract/v4/m:64/k:128/n:128       throughput: calls back to back
//   chains/v4/k:128/n:16/S:8           latency of one row: a call waits for the one before
#include <benchmark/benchmark.h>
#include <dlfcn.h>
#include <ingot/abi.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <random>
#include <stdexcept>

#include "ops/contract.h"
#include "plan/pack.h"
#include "target/target.h"

namespace {

using ingot::DType;
using ingot::Tensor;

struct Layer {
  int level;
  std::int64_t m, k, n, chains;
};

std::int64_t chains_of(std::int64_t k, std::int64_t n) {
  const ingot::Dim rows = ingot::Dim::symbol("N");
  return ingot::ops::matmul_chains({DType::f32, {rows, ingot::Dim(k)}},
                                   {DType::f32, {ingot::Dim(k), ingot::Dim(n)}});
}

/// One dense layer with a bias and a free number of rows, compiled, linked and loaded.
class Compiled {
 public:
  explicit Compiled(const Layer& layer) {
    using ingot::plan::Step;
    using ingot::plan::View;
    std::mt19937 random(1);
    const auto fill = [&](Tensor tensor) {
      for (std::int64_t i = 0; i < tensor.elements(); ++i)
        tensor.set(i, static_cast<float>(random()) / 4294967296.0F - 0.5F);
      return tensor;
    };
    ingot::plan::Plan plan;
    plan.name = "layer";
    const ingot::Dim m = ingot::Dim::symbol("N");
    plan.symbols.push_back({"N", {0, 1 << 20}});
    const auto port = [&](ingot::plan::Buffer::Kind kind, std::int64_t columns) {
      ingot::plan::Buffer buffer;
      buffer.kind = kind;
      buffer.shape = {m, ingot::Dim(columns)};
      buffer.name = columns == layer.k ? "x" : "y";
      auto& ports = kind == ingot::plan::Buffer::Kind::input ? plan.inputs : plan.outputs;
      ports.push_back({buffer.name,
                       {DType::f32, buffer.shape},
                       static_cast<ingot::plan::BufferId>(plan.buffers.size())});
      plan.buffers.push_back(std::move(buffer));
    };
    port(ingot::plan::Buffer::Kind::input, layer.k);
    port(ingot::plan::Buffer::Kind::output, layer.n);
    const Tensor bias = fill(Tensor(DType::f32, {layer.n}));
    ingot::plan::Contract contract;
    contract.k = layer.k;
    contract.chains = layer.chains;
    contract.a = View{0, 0, {ingot::Dim(layer.k), 0, 1}};
    contract.b =
        ingot::plan::pack(fill(Tensor(DType::f32, {layer.k, layer.n})), &bias, plan.weights);
    Step product;
    product.kind = Step::Kind::product;
    contract.epilogue.steps.push_back(product);
    contract.stores.push_back({0, View{1, 0, {ingot::Dim(layer.n), 1}}});
    ingot::plan::Kernel kernel;
    kernel.name = "dense";
    kernel.space = {m, ingot::Dim(layer.n)};
    kernel.work = std::move(contract);
    plan.kernels.push_back(std::move(kernel));
    weight_bytes = plan.weights.size();

    ingot::ConstantBlob table{"table", 8, std::vector<std::byte>(8), {}};
    table.relocations.push_back({0, ingot::target::Names::run(plan, layer.level), 0});
    ingot::target::Options options;
    options.isa_levels = {layer.level};
    const auto object = ingot::target::generate(plan, table, options);
    if (!object) throw std::runtime_error(object.error().message);
    const std::span<const std::byte> objects[] = {object->elf};
    const std::string exports[] = {table.name};
    const auto library = ingot::target::link_shared(objects, exports);
    if (!library) throw std::runtime_error(library.error().message);
    std::string path = (std::filesystem::temp_directory_path() / "ingot-bench-XXXXXX").string();
    const int file = ::mkstemp(path.data());
    const auto written = ::write(file, library->data(), library->size());
    ::close(file);
    if (written == static_cast<ssize_t>(library->size()))
      library_.reset(::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL));
    std::filesystem::remove(path);
    if (!library_) throw std::runtime_error("the compiled layer cannot be loaded");
    run = *static_cast<ingot_run*>(::dlsym(library_.get(), "table"));
  }

  ingot_run run = nullptr;
  std::size_t weight_bytes = 0;

 private:
  struct Close {
    void operator()(void* library) const { ::dlclose(library); }
  };
  std::unique_ptr<void, Close> library_;
};

/// Floats at a multiple of 64 bytes.
class Floats {
 public:
  explicit Floats(std::int64_t count)
      : bytes_((static_cast<std::size_t>(count) * 4 + 63) / 64 * 64),
        data_(static_cast<float*>(std::aligned_alloc(64, bytes_ + 64))) {
    for (std::size_t i = 0; i < bytes_ / 4; ++i) data_.get()[i] = 0.25F;
  }
  float* data() const { return data_.get(); }

 private:
  std::size_t bytes_;
  struct Free {
    void operator()(float* data) const { std::free(data); }
  };
  std::unique_ptr<float, Free> data_;
};

template <class F>
double best_seconds(const F& work) {
  using Clock = std::chrono::steady_clock;
  double best = 1;
  for (int i = 0; i < 200; ++i) {
    const auto start = Clock::now();
    work();
    best = std::min(best, std::chrono::duration<double>(Clock::now() - start).count());
  }
  return best;
}

// Twelve independent chains of multiply-adds keep every unit busy; as assembly, because a compiler
// would see that nothing uses the sums.
#define INGOT_FMA(kind, number) "vfmadd231ps %%" kind "15, %%" kind "15, %%" kind #number "\n"
#define INGOT_FMAS(kind)                                                                         \
  asm volatile(INGOT_FMA(kind, 0) INGOT_FMA(kind, 1) INGOT_FMA(kind, 2) INGOT_FMA(kind, 3)       \
                   INGOT_FMA(kind, 4) INGOT_FMA(kind, 5) INGOT_FMA(kind, 6) INGOT_FMA(kind, 7)   \
                       INGOT_FMA(kind, 8) INGOT_FMA(kind, 9) INGOT_FMA(kind, 10)                 \
                           INGOT_FMA(kind, 11)::                                                 \
                               : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", \
                                 "xmm8", "xmm9", "xmm10", "xmm11")

/// Floating-point operations per second of one core, with the registers of a level.
double peak(int level) {
  constexpr int turns = 2000;
  const double seconds = best_seconds([&] {
    for (int i = 0; i < turns; ++i) {
      if (level == 4) {
        INGOT_FMAS("zmm");
      } else {
        INGOT_FMAS("ymm");
      }
    }
  });
  return turns * 12.0 * 2 * (level == 4 ? 16 : 8) / seconds;
}

/// Bytes per second at which a loop of vector loads reads a buffer again and again.
double read_bandwidth(std::size_t bytes, int level) {
  const Floats buffer(static_cast<std::int64_t>(bytes / 4));
  const auto* first = reinterpret_cast<const char*>(buffer.data());
  const int turns = static_cast<int>(1 + 1000000 / bytes);
  const double seconds = best_seconds([&] {
    for (int i = 0; i < turns; ++i) {
      // Four lines a turn, because the loop itself must not be the limit.
      std::size_t at = 0;
      for (; at + 256 <= bytes; at += 256) {
        if (level == 4) {
          asm volatile(
              "vmovups (%0), %%zmm0\nvmovups 64(%0), %%zmm1\n"
              "vmovups 128(%0), %%zmm2\nvmovups 192(%0), %%zmm3" ::"r"(first + at)
              : "xmm0", "xmm1", "xmm2", "xmm3");
        } else {
          asm volatile(
              "vmovups (%0), %%ymm0\nvmovups 32(%0), %%ymm1\n"
              "vmovups 64(%0), %%ymm2\nvmovups 96(%0), %%ymm3\n"
              "vmovups 128(%0), %%ymm4\nvmovups 160(%0), %%ymm5\n"
              "vmovups 192(%0), %%ymm6\nvmovups 224(%0), %%ymm7" ::"r"(first + at)
              : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7");
        }
      }
      for (; at < bytes; at += 32) {
        asm volatile("vmovups (%0), %%ymm0" ::"r"(first + at) : "xmm0");
      }
    }
  });
  return static_cast<double>(bytes) * turns / seconds;
}

bool runs_here(int level) {
  return level == 4 ? __builtin_cpu_supports("x86-64-v4") : __builtin_cpu_supports("x86-64-v3");
}

/// Calls the layer; with `waits`, every input depends on the last call's result.
void run_layer(benchmark::State& state, const Layer& layer, bool waits) {
  if (!runs_here(layer.level)) {
    state.SkipWithError("this CPU has no such level");
    return;
  }
  const Compiled compiled(layer);
  const std::int64_t inputs = layer.m * layer.k, outputs = layer.m * layer.n;
  const Floats x(inputs), y(outputs);
  ingot_tensor in{}, out{};
  in.data = x.data();
  in.bytes = static_cast<std::uint64_t>(inputs * 4);
  out.data = y.data();
  out.bytes = static_cast<std::uint64_t>(outputs * 4);
  in.dtype = out.dtype = INGOT_F32;
  in.rank = out.rank = 2;
  ingot_call call{};
  call.struct_bytes = sizeof call;
  call.tensor_bytes = sizeof(ingot_tensor);
  call.symbols = &layer.m;
  call.symbol_count = 1;
  call.inputs = &in;
  call.outputs = &out;
  call.input_count = call.output_count = 1;
  for (auto _ : state) {
    if (const int status = compiled.run(&call); status != INGOT_OK) {
      state.SkipWithError(("status " + std::to_string(status)).c_str());
      return;
    }
    if (waits) {
      const float nothing = y.data()[layer.n - 1] * 0.0F;
      for (std::int64_t i = 0; i < inputs; ++i) x.data()[i] = 0.25F + nothing;
    }
    benchmark::ClobberMemory();
  }
  // Columns beyond n in the last vector are work too, of which nobody has anything.
  const double columns = static_cast<double>(layer.n > 4 ? (layer.n + 7) / 8 * 8 : layer.n);
  const auto share = [](double amount, double limit) {
    return benchmark::Counter(amount / limit, benchmark::Counter::kIsIterationInvariantRate);
  };
  const auto bytes = static_cast<double>(compiled.weight_bytes);
  state.counters["peak_share"] =
      share(2.0 * static_cast<double>(inputs) * columns, peak(layer.level));
  state.counters["read_share"] = share(bytes, read_bandwidth(compiled.weight_bytes, layer.level));
}

void add(const std::string& name, const Layer& layer, bool waits) {
  benchmark::RegisterBenchmark(
      name.c_str(), [layer, waits](benchmark::State& state) { run_layer(state, layer, waits); });
}

int add_all() {
  for (const int level : {4, 3}) {
    for (const std::int64_t width : {32, 64, 128, 256})
      for (const std::int64_t m : {1, 16, 64, 1024})
        add("contract/v" + std::to_string(level) + "/m:" + std::to_string(m) +
                "/k:" + std::to_string(width) + "/n:" + std::to_string(width),
            {level, m, width, width, chains_of(width, width)}, false);
    for (const std::int64_t n : {1, 4, 8, 16, 32, 64, 100, 128})
      for (const std::int64_t chains : {1, 2, 4, 8, 16})
        add("chains/v" + std::to_string(level) + "/k:128/n:" + std::to_string(n) +
                "/S:" + std::to_string(chains),
            {level, 1, 128, n, chains}, true);
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  add_all();
  benchmark::RunSpecifiedBenchmarks();
}
