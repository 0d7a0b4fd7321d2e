// SPDX-License-Identifier: Apache-2.0
#include "rows.h"

#include <ingot/load.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <latch>
#include <optional>
#include <random>
#include <thread>

#include "base/file.h"
#include "compile.h"
#include "ops/interpret.h"
#include "passes/pass.h"
#include "plan/interpret.h"
#include "plan/parse.h"
#include "plan/print.h"

namespace ingot::sweep {
namespace {

constexpr std::size_t kGuard = 256;
constexpr std::byte kFiller{0xA5};
constexpr std::size_t kMostFailures = 6;
constexpr std::int64_t kMostPlanned = 7;  // rows; plans are interpreted byte by byte

/// Memory with guard bytes on both sides.
class Guarded {
 public:
  Guarded(std::size_t size, std::size_t misalignment)
      : size_(size), begin_(kGuard + misalignment), bytes_(begin_ + size + kGuard, kFiller) {}
  std::byte* data() { return bytes_.data() + begin_; }
  std::size_t size() const { return size_; }
  bool intact() const {
    for (std::size_t i = 0; i < bytes_.size(); ++i) {
      const bool inside = i >= begin_ && i < begin_ + size_;
      if (!inside && bytes_[i] != kFiller) return false;
    }
    return true;
  }

 private:
  std::size_t size_, begin_;
  std::vector<std::byte> bytes_;
};

/// A thread for each task; they begin together, so that none does all that there is to take.
std::int32_t in_threads(void*, std::uint32_t count, ingot_task task, void* context) {
  std::atomic<std::int32_t> status{0};
  std::latch all(count);
  std::vector<std::thread> threads;
  for (std::uint32_t i = count; i-- > 0;) {
    threads.emplace_back([&, i] {
      all.arrive_and_wait();
      if (const std::int32_t answer = task(context, i); answer != 0) status = answer;
    });
  }
  for (std::thread& thread : threads) thread.join();
  return status;
}

/// One variant of a compiled model.
class Variant {
 public:
  Variant(const std::string& path, const std::string& name, const Graph& graph)
      : graph_(graph), model_(LoadedModel::load(path.c_str(), "this", name.c_str())) {}

  std::string error() const { return model_.ok() ? std::string() : model_.error().c_str(); }

  /// `failure` says what went wrong, if something did.
  std::vector<Tensor> run(const std::vector<Tensor>& inputs, const SymbolValues& symbols,
                          std::uint32_t threads, std::string& failure) const {
    const ingot_model& model = *model_.descriptor();
    std::vector<std::int64_t> values;
    for (std::uint32_t i = 0; i < model.symbols.count; ++i) {
      values.push_back(
          symbols.at(static_cast<const ingot_symbol*>(ingot_item(&model.symbols, i))->name));
    }
    const auto describe = [](std::byte* data, const Tensor& tensor) {
      ingot_tensor entry{};
      entry.data = data;
      entry.bytes = tensor.bytes().size();
      entry.dtype = static_cast<std::int32_t>(tensor.dtype());
      entry.rank = static_cast<std::uint32_t>(tensor.rank());
      return entry;
    };
    std::vector<Tensor> dense, results;
    std::vector<ingot_tensor> tensors;
    for (const Tensor& input : inputs) dense.push_back(input.dense());
    for (Tensor& input : dense) tensors.push_back(describe(input.mutable_bytes().data(), input));
    std::vector<Guarded> memory;
    for (const Output& output : graph_.outputs()) {
      const TensorType& type = graph_.type(output.value);
      std::vector<std::int64_t> shape;
      for (const Dim& dim : type.shape) shape.push_back(*dim.evaluate(symbols));
      results.emplace_back(type.dtype, std::move(shape));
      memory.emplace_back(results.back().bytes().size(), 0);
    }
    for (std::size_t i = 0; i < results.size(); ++i) {
      tensors.push_back(describe(memory[i].data(), results[i]));
    }
    std::uint64_t bytes = 0;
    if (const Status status =
            model_.workspace_bytes({values.data(), values.size()}, threads, bytes);
        !status.ok()) {
      failure = status.message().c_str();
      return results;
    }
    Guarded workspace(bytes, 1);  // any alignment will do
    ingot_call call = make_call({values.data(), values.size()}, {tensors.data(), dense.size()},
                                {tensors.data() + dense.size(), results.size()},
                                {workspace.data(), workspace.size()});
    if (threads > 1) {
      ingot::Options shared;
      shared.threads = threads;
      shared.parallel_for = in_threads;
      add_options(call, shared);
    }
    if (const Status status = model_.run(call); !status.ok()) failure = status.message().c_str();
    if (!workspace.intact()) failure = "wrote beyond the workspace";
    for (std::size_t i = 0; i < results.size(); ++i) {
      if (!memory[i].intact()) failure = fmt::format("wrote beyond output {}", i);
      std::copy_n(memory[i].data(), memory[i].size(), results[i].mutable_bytes().data());
    }
    return results;
  }

 private:
  const Graph& graph_;
  LoadedModel model_;
};

/// The symbol that leads the first input.
std::string batch_of(const Graph& graph) {
  const Shape& shape = graph.type(graph.inputs().at(0)).shape;
  return shape.empty() ? "" : shape[0].symbol_name().value_or("");
}

bool leads(const std::string& batch, const TensorType& type) {
  return !type.shape.empty() && type.shape[0].symbol_name() == batch;
}

/// Rows begin to end of the leading axis.
Tensor take_rows(const Tensor& tensor, std::int64_t begin, std::int64_t end) {
  const Tensor dense = tensor.dense();
  std::vector<std::int64_t> shape = dense.shape();
  const std::size_t row =
      shape[0] == 0 ? 0 : dense.bytes().size() / static_cast<std::size_t>(shape[0]);
  shape[0] = end - begin;
  const auto* from = dense.bytes().data() + row * static_cast<std::size_t>(begin);
  return Tensor(dense.dtype(), std::move(shape),
                std::vector<std::byte>(from, from + row * static_cast<std::size_t>(end - begin)));
}

/// So many rows: those that there are, over and over.
Tensor repeat_rows(const Tensor& tensor, std::int64_t count) {
  const Tensor dense = tensor.dense();
  std::vector<std::int64_t> shape = dense.shape();
  const auto rows = static_cast<std::size_t>(shape[0]);
  const std::size_t row = dense.bytes().size() / rows;
  shape[0] = count;
  std::vector<std::byte> bytes;
  for (std::size_t r = 0; r < static_cast<std::size_t>(count); ++r) {
    const auto* from = dense.bytes().data() + r % rows * row;
    bytes.insert(bytes.end(), from, from + row);
  }
  return Tensor(dense.dtype(), std::move(shape), std::move(bytes));
}

/// For each input of a graph: the given ones with as many rows as `symbols` say, or random ones.
std::vector<Tensor> make_inputs(const Graph& graph, const SymbolValues& symbols, bool wild,
                                std::uint64_t seed, const std::vector<Tensor>& given) {
  const std::string batch = batch_of(graph);
  std::vector<Tensor> inputs;
  for (const ValueId id : graph.inputs()) {
    const TensorType& type = graph.type(id);
    const std::size_t i = inputs.size();
    if (given.empty()) {
      inputs.push_back(random_rows(type, symbols, wild, seed * 1000 + i));
    } else {
      inputs.push_back(leads(batch, type) ? repeat_rows(given.at(i), symbols.at(batch))
                                          : given.at(i));
    }
  }
  return inputs;
}

/// The plan as read back from its text.
Expected<plan::Plan> plan_of(const Graph& graph, const plan::PlanOptions& options) {
  INGOT_ASSIGN(const plan::Plan plan, plan::make_plan(graph, options));
  const std::string text = plan::print(plan).text;
  INGOT_ASSIGN(plan::Plan read, plan::parse_plan(text, plan.weights));
  if (plan::print(read).text != text) return fail(ErrorCode::internal, "its text differs");
  return read;
}

}  // namespace

std::vector<int> levels_of(const Graph& graph) {
  std::vector<int> levels;
  if (__builtin_cpu_supports("x86-64-v4") != 0) levels.push_back(4);
  if (__builtin_cpu_supports("x86-64-v3") != 0) levels.push_back(3);
  if (graph.arithmetic == Arithmetic::strict) levels.push_back(2);
  return levels;
}

std::vector<std::string> check_rows(const Graph& imported, const RowsOptions& options) {
  std::vector<std::string> failures;
  const auto complain = [&](std::string text) {
    if (failures.size() < kMostFailures) failures.push_back(std::move(text));
  };
  CompileOptions compile;
  compile.isa_levels = options.levels;
  compile.shared = true;
  compile.plan = options.plan;
  compile.variants = options.variants;
  std::vector<Source> sources;
  for (const Graph& other : options.beside)
    sources.push_back({"other", "other", [&] { return Imported{other, "sweep", ""}; }});
  sources.push_back(
      {sources.empty() ? "" : "this", "this", [&] { return Imported{imported, "sweep", "this"}; }});
  auto bundle = compile_sources("sweep", sources, compile);
  if (!bundle) return {"compile: " + bundle.error().message};
  auto folder = TemporaryFolder::make();
  if (!folder) return {folder.error().message};
  const std::string path = folder->path() + "/model.so";
  if (auto written = write_file(path, std::span<const std::byte>(bundle->shared)); !written) {
    return {written.error().message};
  }
  auto optimized = passes::optimize(imported);
  if (!optimized) return {"optimize: " + optimized.error().message};
  const Graph& graph = *optimized;

  const std::string batch = batch_of(graph);
  const std::vector<std::int64_t> sizes =
      batch.empty() ? std::vector<std::int64_t>{1} : options.sizes;
  const std::int64_t most = sizes.back();
  SymbolValues symbols(options.others.begin(), options.others.end());
  symbols[batch] = most;
  const std::vector<Tensor> all = make_inputs(graph, symbols, true, options.seed, options.inputs);
  // The inputs of rows begin to end.
  const auto inputs_of = [&](std::int64_t begin, std::int64_t end) {
    std::vector<Tensor> inputs;
    for (std::size_t i = 0; i < all.size(); ++i) {
      const bool by_row = leads(batch, graph.type(graph.inputs()[i]));
      inputs.push_back(by_row ? take_rows(all[i], begin, end) : all[i]);
    }
    return inputs;
  };
  std::map<std::int64_t, std::vector<Tensor>> meant;
  for (const std::int64_t n : sizes) {
    symbols[batch] = n;
    auto result = interpret(graph, inputs_of(0, n), symbols);
    if (!result) return {fmt::format("interpreter at N={}: {}", n, result.error().message)};
    meant[n] = std::move(*result);
  }
  const auto plan = plan_of(graph, options.plan);
  if (!plan) return {"plan: " + plan.error().message};
  for (const std::int64_t n : sizes) {
    if (n > kMostPlanned) break;
    symbols[batch] = n;
    const auto got = plan::interpret_plan(*plan, inputs_of(0, n), symbols);
    if (!got) complain(fmt::format("plan at N={}: {}", n, got.error().message));
    for (std::size_t i = 0; got && i < got->size(); ++i) {
      const std::string wrong = different_bits((*got)[i], meant[n][i]);
      if (!wrong.empty()) complain(fmt::format("plan N={} output {}: {} (graph)", n, i, wrong));
    }
  }
  for (const int level : options.levels) {
    const Variant variant(path, fmt::format("v{}", level), graph);
    if (!variant.error().empty()) {
      complain(variant.error());
      continue;
    }
    const auto call = [&](std::int64_t begin, std::int64_t end, std::uint32_t threads) {
      symbols[batch] = end - begin;
      std::string failure;
      auto results = variant.run(inputs_of(begin, end), symbols, threads, failure);
      if (!failure.empty()) {
        complain(fmt::format("v{} N={} threads {}: {}", level, end - begin, threads, failure));
      }
      return results;
    };
    for (const std::int64_t n : sizes) {
      for (const std::uint32_t threads : {1U, 2U, 3U}) {
        const std::vector<Tensor> got = call(0, n, threads);
        for (std::size_t i = 0; i < got.size(); ++i) {
          const std::string wrong = different_bits(got[i], meant[n][i]);
          if (!wrong.empty()) {
            complain(fmt::format("v{} N={} threads {} output {}: {} (interpreter)", level, n,
                                 threads, i, wrong));
          }
        }
      }
    }
    if (!options.rows || batch.empty()) continue;
    for (std::int64_t row = 0; row < most; ++row) {
      const std::vector<Tensor> alone = call(row, row + 1, 1);
      for (std::size_t i = 0; i < alone.size(); ++i) {
        if (!leads(batch, graph.type(graph.outputs()[i].value))) continue;
        for (const std::int64_t n : sizes) {
          if (row >= n) continue;
          const std::string wrong = different_bits(take_rows(meant[n][i], row, row + 1), alone[i]);
          if (!wrong.empty()) {
            complain(
                fmt::format("v{} output {}: row {} at N={} {} (alone)", level, i, row, n, wrong));
          }
        }
      }
    }
  }
  return failures;
}

std::vector<std::string> check_passes(const Graph& imported, bool smooth, std::uint64_t seed,
                                      const std::vector<Tensor>& given) {
  std::vector<passes::Applied> log;
  auto whole = passes::optimize(imported, {}, &log);
  if (!whole) return {"optimize: " + whole.error().message};
  SymbolValues symbols{{batch_of(imported), 5}};
  for (const Symbol& symbol : imported.symbols()) symbols.try_emplace(symbol.name, 3);
  const std::vector<Tensor> inputs = make_inputs(imported, symbols, !smooth, seed, given);
  Graph before = imported;
  auto expected = interpret(before, inputs, symbols);
  if (!expected) return {"interpreter: " + expected.error().message};
  std::vector<std::string> failures;
  for (const passes::Applied& applied : log) {
    const passes::PassInfo& pass = *passes::find_pass(applied.pass);
    passes::Report report;
    auto after = pass.run(before, report);
    if (!after) return {fmt::format("{}: {}", pass.name, after.error().message)};
    auto got = interpret(*after, inputs, symbols);
    if (!got) return {fmt::format("after {}: {}", pass.name, got.error().message)};
    for (std::size_t i = 0; i < got->size(); ++i) {
      const Tensor& x = (*expected)[i];
      const Tensor& y = (*got)[i];
      if (pass.numerics == passes::Numerics::exact) {
        const std::string wrong = different_bits(y, x);
        if (!wrong.empty()) {
          failures.push_back(fmt::format("{} is exact, but output {} {}", pass.name, i, wrong));
        }
      } else if (smooth) {
        double size = 1;
        for (std::int64_t e = 0; e < x.elements(); ++e)
          size = std::fmax(size, std::fabs(x.as_double(e)));
        for (std::int64_t e = 0; e < x.elements(); ++e) {
          if (std::fabs(x.as_double(e) - y.as_double(e)) <= 1e-6 * size) continue;
          if (std::isnan(x.as_double(e)) && std::isnan(y.as_double(e)))
            continue;  // 0 / 0 of nothing
          failures.push_back(fmt::format("{} makes output {} element {} {} of {}", pass.name, i, e,
                                         y.as_double(e), x.as_double(e)));
          break;
        }
      }
    }
    if (!failures.empty()) return failures;
    before = *std::move(after);
    expected = std::move(got);
  }
  return failures;
}

}  // namespace ingot::sweep
