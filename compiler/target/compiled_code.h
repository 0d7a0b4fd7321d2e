// SPDX-License-Identifier: Apache-2.0
// For tests only: a plan compiled, linked, loaded into this process and called through the C ABI,
// with guard bytes around everything that it may write.
#pragma once

#include <dlfcn.h>
#include <gtest/gtest.h>
#include <ingot/abi.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <filesystem>
#include <latch>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "target/target.h"

namespace ingot::target {

class CompiledCode {
 public:
  /// A failure of the compiler is a failure of the test.
  explicit CompiledCode(const plan::Plan& plan, const Options& options = {}) : plan_(plan) {
    // Instead of a descriptor, a table of the functions.
    ConstantBlob table{"table", 8, {}, {}};
    auto add = [&](const std::string& symbol) {
      table.relocations.push_back({table.bytes.size(), symbol, 0});
      table.bytes.resize(table.bytes.size() + 8);
    };
    add(Names::workspace_bytes(plan));
    add(Names::shapes(plan));
    for (const int level : options.isa_levels) {
      add(Names::run(plan, level));
      add(Names::run_probed(plan, level));
    }
    auto generated = generate(plan, table, options);
    if (!generated) throw std::runtime_error(generated.error().message);
    object = *std::move(generated);
    const std::span<const std::byte> objects[] = {object.elf};
    const std::string exports[] = {table.name};
    auto linked = link_shared(objects, exports);
    if (!linked) throw std::runtime_error(linked.error().message);
    std::string path = (std::filesystem::temp_directory_path() / "ingot-test-XXXXXX").string();
    const int file = ::mkstemp(path.data());
    const auto written = ::write(file, linked->data(), linked->size());
    ::close(file);
    if (written == static_cast<ssize_t>(linked->size())) {
      library_ = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    }
    std::remove(path.c_str());
    if (library_ == nullptr) throw std::runtime_error(::dlerror());
    auto* functions = static_cast<void**>(::dlsym(library_, table.name.c_str()));
    workspace_bytes = reinterpret_cast<ingot_workspace_bytes>(functions[0]);
    shapes = reinterpret_cast<ingot_shapes>(functions[1]);
    for (std::size_t i = 0; i < options.isa_levels.size(); ++i) {
      runs_[options.isa_levels[i]] = reinterpret_cast<ingot_run>(functions[2 + 2 * i]);
      probed_[options.isa_levels[i]] = reinterpret_cast<ingot_run>(functions[3 + 2 * i]);
    }
  }
  CompiledCode(const CompiledCode&) = delete;
  CompiledCode& operator=(const CompiledCode&) = delete;
  ~CompiledCode() {
    if (library_ != nullptr) ::dlclose(library_);
  }

  ingot_run entry(int level, bool probed = false) const {
    return probed ? probed_.at(level) : runs_.at(level);
  }

  /// A call with everything right, with a thread for each task. Fails the test if the call does, or
  /// writes beyond its buffers.
  std::vector<Tensor> run(int level, const std::vector<std::int64_t>& symbols,
                          const std::vector<Tensor>& inputs, bool probed = false,
                          std::uint32_t threads = 1) const {
    ingot_error error{};
    std::vector<Tensor> outputs = attempt(level, symbols, inputs, error, probed, threads);
    EXPECT_EQ(error.status, INGOT_OK) << "where " << error.where << " index " << error.index
                                      << " value " << error.value << " limit " << error.limit;
    return outputs;
  }

  /// A call that may fail while it computes: then `error` says so. `given` are the symbols that a
  /// caller gives; outputs whose sizes are measured have their true ones.
  std::vector<Tensor> attempt(int level, const std::vector<std::int64_t>& given,
                              const std::vector<Tensor>& inputs, ingot_error& error,
                              bool probed = false, std::uint32_t threads = 1) const {
    std::vector<std::int64_t> symbols;
    SymbolValues values;
    for (const Symbol& symbol : plan_.symbols) {
      if (symbol.measured()) continue;
      const std::size_t next = values.size();
      values[symbol.name] = given.at(next);
    }
    for (const Symbol& symbol : plan_.symbols) {
      symbols.push_back(symbol.measured() ? -1 : values[symbol.name]);
      if (symbol.measured()) values[symbol.name] = *symbol.bound->evaluate(values);
    }
    std::uint64_t needed = 0;
    EXPECT_EQ(workspace_bytes(symbols.data(), static_cast<std::uint32_t>(symbols.size()), threads,
                              &needed),
              INGOT_OK);
    std::vector<Tensor> dense;
    std::vector<ingot_tensor> in, out;
    for (const Tensor& input : inputs) dense.push_back(input.dense());
    for (Tensor& input : dense)
      in.push_back(tensor(input.mutable_bytes(), input.dtype(), input.rank()));
    std::vector<Tensor> outputs;
    std::vector<std::vector<std::byte>> guarded;
    for (const plan::Plan::Port& port : plan_.outputs) {
      std::vector<std::int64_t> shape;
      for (const Dim& dim : port.type.shape) shape.push_back(*dim.evaluate(values));
      outputs.emplace_back(port.type.dtype, shape);
      guarded.emplace_back(outputs.back().bytes().size() + 2 * guard, filler);
      out.push_back(tensor(std::span(guarded.back()).subspan(guard, outputs.back().bytes().size()),
                           port.type.dtype, shape.size()));
    }
    // An odd start, because any alignment will do.
    std::vector<std::byte> workspace(needed + 2 * guard + 1, filler);

    error = {};
    error.struct_bytes = sizeof error;
    ingot_call call{};
    call.struct_bytes = sizeof call;
    call.symbol_count = static_cast<std::uint32_t>(symbols.size());
    call.tensor_bytes = sizeof(ingot_tensor);
    call.symbols = symbols.data();
    call.inputs = in.data();
    call.outputs = out.data();
    call.input_count = static_cast<std::uint32_t>(in.size());
    call.output_count = static_cast<std::uint32_t>(out.size());
    call.workspace = workspace.data() + guard + 1;
    call.workspace_bytes = needed;
    call.error = &error;
    std::vector<std::int64_t> truth(symbols.size());
    call.true_symbols = truth.data();
    if (threads > 1) {
      call.threads = threads;
      call.parallel_for = in_threads;
      call.parallel_user = &threads;
    }
    const std::int32_t status = entry(level, probed)(&call);
    EXPECT_EQ(status, error.status);
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      const std::size_t size = outputs[i].bytes().size();
      std::copy_n(guarded[i].data() + guard, size, outputs[i].mutable_bytes().data());
      EXPECT_TRUE(untouched(std::span(guarded[i]).first(guard)));
      EXPECT_TRUE(untouched(std::span(guarded[i]).subspan(guard + size)));
    }
    EXPECT_TRUE(untouched(std::span(workspace).first(guard + 1)));
    EXPECT_TRUE(untouched(std::span(workspace).subspan(guard + 1 + needed)));
    if (status != INGOT_OK || !plan_.measures()) return outputs;
    for (std::size_t i = 0; i < symbols.size(); ++i) values[plan_.symbols[i].name] = truth[i];
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      std::vector<std::int64_t> shape;
      for (const Dim& dim : plan_.outputs[i].type.shape) shape.push_back(*dim.evaluate(values));
      Tensor part(outputs[i].dtype(), std::move(shape));
      EXPECT_LE(part.bytes().size(), outputs[i].bytes().size());
      std::copy_n(outputs[i].bytes().begin(), part.bytes().size(), part.mutable_bytes().begin());
      outputs[i] = std::move(part);
    }
    return outputs;
  }

  static std::int32_t in_threads(void* user, std::uint32_t count, ingot_task task, void* context) {
    EXPECT_LE(count, *static_cast<std::uint32_t*>(user));
    std::atomic<std::int32_t> status{0};
    std::latch all(count);  // else the first thread might do all that there is to take
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

  static ingot_tensor tensor(std::span<std::byte> bytes, DType dtype, std::size_t rank) {
    ingot_tensor tensor{};
    tensor.data = bytes.data();
    tensor.bytes = bytes.size();
    tensor.dtype = static_cast<std::int32_t>(dtype);
    tensor.rank = static_cast<std::uint32_t>(rank);
    return tensor;
  }

  Object object;
  ingot_workspace_bytes workspace_bytes = nullptr;
  ingot_shapes shapes = nullptr;

 private:
  static constexpr std::size_t guard = 256;
  static constexpr std::byte filler{0xA5};
  static bool untouched(std::span<const std::byte> bytes) {
    for (const std::byte byte : bytes) {
      if (byte != filler) return false;
    }
    return true;
  }

  const plan::Plan& plan_;
  void* library_ = nullptr;
  std::map<int, ingot_run> runs_, probed_;
};

}  // namespace ingot::target
