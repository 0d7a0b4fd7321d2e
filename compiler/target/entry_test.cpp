// SPDX-License-Identifier: Apache-2.0
// What a compiled model answers to right and wrong calls, long and short call structs, probes, and
// what its object file contains.
#include <elf.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "target/against_interpreter.h"

namespace ingot::target {
namespace {

/// y[N, 3] = tanh(x[N, 3] * factor[3]), z[3] = sum over N; with N + M >= 4 and M in 1 to 100.
plan::Plan small_plan() {
  Graph graph;
  graph.name = "small";
  graph.declare_symbol("N", {0, 50});
  graph.declare_symbol("M", {1, 100});
  const Dim n = Dim::symbol("N"), m = Dim::symbol("M");
  const ValueId x = graph.add_input("x", {DType::f32, {n, 3}});
  graph.add_input("unused", {DType::i64, {m}});
  const Tensor factor(
      DType::f32, {3},
      std::vector<std::byte>{std::byte{0}, std::byte{0}, std::byte{128}, std::byte{63},
                             std::byte{0}, std::byte{0}, std::byte{0}, std::byte{64}, std::byte{0},
                             std::byte{0}, std::byte{64}, std::byte{64}});
  const ValueId product = *graph.add("mul", {x, graph.add_constant(factor)});
  graph.add_output("y", *graph.add("tanh", {product}));
  graph.add_output("z", *graph.add("reduce_sum", {product},
                                   {{"axes", std::vector<std::int64_t>{0}},
                                    {"keep_dims", false},
                                    {"order", std::string("index")}}));
  if (!graph.require({n + m, Constraint::Relation::greater_equal, 4, "test"}))
    throw std::runtime_error("constraint");
  auto plan = plan::make_plan(graph);
  if (!plan) throw std::runtime_error(plan.error().message);
  return *std::move(plan);
}

/// A right call for N = 2, M = 5, to be spoilt.
class Entry : public testing::Test {
 protected:
  static constexpr int level = 3;
  Entry() : plan(small_plan()), code(plan, Options{.isa_levels = {level}}) {
    std::uint64_t needed = 0;
    EXPECT_EQ(code.workspace_bytes(symbols, 2, 1, &needed), INGOT_OK);
    workspace.resize(needed + 64);
    inputs[0] = CompiledCode::tensor(std::as_writable_bytes(std::span(x)), DType::f32, 2);
    inputs[1] = CompiledCode::tensor(std::as_writable_bytes(std::span(unused)), DType::i64, 1);
    outputs[0] = CompiledCode::tensor(std::as_writable_bytes(std::span(y)), DType::f32, 2);
    outputs[1] = CompiledCode::tensor(std::as_writable_bytes(std::span(z)), DType::f32, 1);
    call.struct_bytes = sizeof call;
    call.symbol_count = 2;
    call.tensor_bytes = sizeof(ingot_tensor);
    call.symbols = symbols;
    call.inputs = inputs;
    call.outputs = outputs;
    call.input_count = call.output_count = 2;
    call.workspace = workspace.data();
    call.workspace_bytes = needed;
    call.error = &error;
    error.struct_bytes = sizeof error;
    error.position = 77;
  }

  void expect_refused(std::int32_t status, std::int32_t where, std::uint32_t index,
                      std::int64_t position, std::int64_t value, std::int64_t limit) {
    EXPECT_EQ(code.entry(level)(&call), status);
    EXPECT_EQ(error.status, status);
    EXPECT_EQ(error.where, where);
    EXPECT_EQ(error.index, index);
    EXPECT_EQ(error.position, position);
    EXPECT_EQ(error.value, value);
    EXPECT_EQ(error.limit, limit);
    EXPECT_EQ(code.entry(level, true)(&call), status);
    EXPECT_EQ(y[0], -9.0F);
  }

  plan::Plan plan;
  CompiledCode code;
  std::int64_t symbols[2] = {2, 5};
  float x[6] = {1, 2, 3, -1, -2, -3};
  std::int64_t unused[5] = {};
  float y[6] = {-9, -9, -9, -9, -9, -9};
  float z[3] = {-9, -9, -9};
  std::vector<std::byte> workspace;
  ingot_tensor inputs[2], outputs[2];
  ingot_error error{};
  ingot_call call{};
};

TEST_F(Entry, ARightCallComputes) {
  ASSERT_EQ(code.entry(level)(&call), INGOT_OK);
  EXPECT_FLOAT_EQ(y[1], std::tanh(4.0F));
  EXPECT_FLOAT_EQ(y[3], std::tanh(-1.0F));
  EXPECT_EQ(z[2], 0.0F);
  EXPECT_EQ(error.position, 77);  // written only on failure
}

TEST_F(Entry, CallsOfOtherVersions) {
  call.struct_bytes = INGOT_CALL_REQUIRED_BYTES;
  call.true_symbols = reinterpret_cast<std::int64_t*>(8);  // not covered, so never touched
  call.probe = reinterpret_cast<ingot_probe>(8);
  EXPECT_EQ(code.entry(level)(&call), INGOT_OK);
  EXPECT_EQ(code.entry(level, true)(&call), INGOT_OK);
  call.struct_bytes = INGOT_CALL_REQUIRED_BYTES - 8;
  EXPECT_EQ(code.entry(level)(&call), INGOT_BAD_CALL);
  EXPECT_EQ(error.position, 77);

  // A longer struct with longer tensors, as a later version would give.
  struct LongTensor {
    ingot_tensor tensor;
    std::uint64_t later[3];
  };
  struct LongCall {
    ingot_call call;
    std::uint64_t later[9];
  };
  LongTensor in[2] = {{inputs[0], {1, 2, 3}}, {inputs[1], {1, 2, 3}}};
  LongTensor out[2] = {{outputs[0], {1, 2, 3}}, {outputs[1], {1, 2, 3}}};
  LongCall longer{call, {~0U, ~0U, ~0U}};
  longer.call.struct_bytes = sizeof longer;
  longer.call.tensor_bytes = sizeof(LongTensor);
  longer.call.inputs = &in[0].tensor;
  longer.call.outputs = &out[0].tensor;
  std::int64_t truth[2] = {0, 0};
  longer.call.true_symbols = truth;
  longer.call.probe = nullptr;
  EXPECT_EQ(code.entry(level)(&longer.call), INGOT_OK);
  EXPECT_EQ(truth[0], 2);
  EXPECT_EQ(truth[1], 5);
  EXPECT_FLOAT_EQ(y[1], std::tanh(4.0F));
}

TEST_F(Entry, AnErrorStructIsOptionalAndMayBeShort) {
  call.symbol_count = 1;
  call.error = nullptr;
  EXPECT_EQ(code.entry(level)(&call), INGOT_WRONG_COUNT);
  error.struct_bytes = 8;
  call.error = &error;
  EXPECT_EQ(code.entry(level)(&call), INGOT_WRONG_COUNT);
  EXPECT_EQ(error.position, 77);
}

TEST_F(Entry, WrongCounts) {
  call.symbol_count = 3;
  expect_refused(INGOT_WRONG_COUNT, INGOT_AT_SYMBOL, 0, -1, 3, 2);
  call.symbol_count = 2;
  call.input_count = 1;
  expect_refused(INGOT_WRONG_COUNT, INGOT_AT_INPUT, 0, -1, 1, 2);
  call.input_count = 2;
  call.output_count = 0;
  expect_refused(INGOT_WRONG_COUNT, INGOT_AT_OUTPUT, 0, -1, 0, 2);
  call.output_count = 2;
  call.tensor_bytes = 32;
  expect_refused(INGOT_BAD_CALL, INGOT_AT_CALL, 0, -1, 32, 40);
}

TEST_F(Entry, WrongSymbols) {
  symbols[0] = 51;
  expect_refused(INGOT_SYMBOL_OUT_OF_RANGE, INGOT_AT_SYMBOL, 0, -1, 51, 50);
  symbols[0] = INT64_MIN;
  expect_refused(INGOT_SYMBOL_OUT_OF_RANGE, INGOT_AT_SYMBOL, 0, -1, INT64_MIN, 0);
  symbols[0] = 2;
  symbols[1] = 0;
  expect_refused(INGOT_SYMBOL_OUT_OF_RANGE, INGOT_AT_SYMBOL, 1, -1, 0, 1);
  symbols[1] = 1;
  EXPECT_EQ(code.entry(level)(&call), INGOT_CONSTRAINT_VIOLATED);
  EXPECT_EQ(error.where, INGOT_AT_CONSTRAINT);
  std::uint64_t bytes = 0;
  EXPECT_EQ(code.workspace_bytes(symbols, 2, 1, &bytes), INGOT_CONSTRAINT_VIOLATED);
  EXPECT_EQ(code.workspace_bytes(symbols, 1, 1, &bytes), INGOT_WRONG_COUNT);
}

TEST_F(Entry, WrongTensors) {
  inputs[0].dtype = INGOT_F64;
  expect_refused(INGOT_WRONG_DTYPE, INGOT_AT_INPUT, 0, -1, INGOT_F64, INGOT_F32);
  inputs[0].dtype = INGOT_F32;
  inputs[1].rank = 2;
  expect_refused(INGOT_WRONG_RANK, INGOT_AT_INPUT, 1, -1, 2, 1);
  inputs[1].rank = 1;
  outputs[1].device = INGOT_CUDA;
  expect_refused(INGOT_WRONG_DEVICE, INGOT_AT_OUTPUT, 1, -1, INGOT_CUDA, INGOT_CPU);
  outputs[1].device = INGOT_CPU;
  outputs[0].bytes = 20;
  expect_refused(INGOT_WRONG_BYTES, INGOT_AT_OUTPUT, 0, -1, 20, 24);
  outputs[0].bytes = 24;
  inputs[0].data = nullptr;
  expect_refused(INGOT_NULL_DATA, INGOT_AT_INPUT, 0, -1, 0, 24);
}

TEST_F(Entry, StridesMayOnlySayWhatIsSo) {
  std::int64_t strides[2] = {3, 1};
  inputs[0].strides = strides;
  EXPECT_EQ(code.entry(level)(&call), INGOT_OK);
  y[0] = -9;
  strides[0] = 4;
  expect_refused(INGOT_WRONG_STRIDES, INGOT_AT_INPUT, 0, 0, 4, 3);
}

TEST_F(Entry, WrongWorkspace) {
  if (call.workspace_bytes == 0) GTEST_SKIP() << "the plan needs none";
  const auto needed = static_cast<std::int64_t>(call.workspace_bytes);
  call.workspace_bytes -= 1;
  expect_refused(INGOT_WORKSPACE_TOO_SMALL, INGOT_AT_WORKSPACE, 0, -1, needed - 1, needed);
  call.workspace_bytes += 1;
  call.workspace = nullptr;
  expect_refused(INGOT_NULL_DATA, INGOT_AT_WORKSPACE, 0, -1, 0, needed);
}

TEST_F(Entry, NoRowsIsARightCall) {
  symbols[0] = 0;
  inputs[0].bytes = outputs[0].bytes = 0;
  inputs[0].data = outputs[0].data = nullptr;
  ASSERT_EQ(code.entry(level)(&call), INGOT_OK);
  EXPECT_EQ(z[0], 0.0F);
}

TEST_F(Entry, ShapesOfAllTensors) {
  std::int64_t dims[6] = {};
  ASSERT_EQ(code.shapes(symbols, 2, dims), INGOT_OK);
  const std::int64_t wanted[6] = {2, 3, 5, 2, 3, 3};
  EXPECT_TRUE(std::equal(dims, dims + 6, wanted));
}

struct Seen {
  std::vector<std::pair<std::uint32_t, std::int32_t>> events;
  std::vector<float> last;
  std::int32_t answer = 0;
};

std::int32_t watch(void* user, const ingot_probe_event* event) {
  auto& seen = *static_cast<Seen*>(user);
  seen.events.emplace_back(event->kernel, event->phase);
  EXPECT_EQ(event->struct_bytes, sizeof(ingot_probe_event));
  EXPECT_EQ(event->symbols[1], 5);
  if (event->phase == INGOT_END && event->value_count > 0) {
    const auto* values = static_cast<const float*>(event->values[0].data);
    seen.last.assign(values, values + event->values[0].bytes / sizeof(float));
  }
  return seen.answer;
}

TEST_F(Entry, ProbesSeeEachKernelAndItsValues) {
  Seen seen;
  call.probe = watch;
  call.probe_user = &seen;
  ASSERT_EQ(code.entry(level, true)(&call), INGOT_OK);
  ASSERT_EQ(seen.events.size(), 2 * plan.kernels.size());
  for (std::uint32_t k = 0; k < plan.kernels.size(); ++k) {
    EXPECT_EQ(seen.events[2 * k], std::pair(k, std::int32_t{INGOT_BEGIN}));
    EXPECT_EQ(seen.events[2 * k + 1], std::pair(k, std::int32_t{INGOT_END}));
  }
  EXPECT_FALSE(seen.last.empty());

  seen = {.events = {}, .last = {}, .answer = 42};
  EXPECT_EQ(code.entry(level, true)(&call), INGOT_CANCELLED);
  EXPECT_EQ(error.where, INGOT_AT_KERNEL);
  EXPECT_EQ(error.value, 42);
  EXPECT_EQ(seen.events.size(), 1U);

  seen = {};
  ASSERT_EQ(code.entry(level)(&call), INGOT_OK);
  EXPECT_TRUE(seen.events.empty());
}

TEST(EntrySizes, OverflowIsAnAnswer) {
  Graph graph;
  graph.name = "huge";
  for (const char* symbol : {"A", "B", "C"}) graph.declare_symbol(symbol, {0, INT32_MAX});
  const Dim size = Dim::symbol("A") * Dim::symbol("B") * Dim::symbol("C");
  const ValueId x =
      graph.add_input("x", {DType::f64, {Dim::symbol("A"), Dim::symbol("B"), Dim::symbol("C")}});
  graph.add_output("y", *graph.add("neg", {x}));
  auto plan = plan::make_plan(graph);
  ASSERT_TRUE(plan) << plan.error().message;
  const CompiledCode code(*plan, Options{.isa_levels = {3}});
  const std::int64_t symbols[] = {INT32_MAX, INT32_MAX, INT32_MAX};
  ingot_tensor tensors[2] = {};
  for (ingot_tensor& tensor : tensors) tensor = CompiledCode::tensor({}, DType::f64, 3);
  ingot_call call{};
  call.struct_bytes = sizeof call;
  call.symbol_count = 3;
  call.tensor_bytes = sizeof(ingot_tensor);
  call.symbols = symbols;
  call.inputs = &tensors[0];
  call.outputs = &tensors[1];
  call.input_count = call.output_count = 1;
  EXPECT_EQ(code.entry(3)(&call), INGOT_SIZE_OVERFLOW);
}

// ---- the object file ---------------------------------------------------------------------------

struct Symbols {
  std::set<std::string> undefined, global;
};

Symbols symbols_of(const std::vector<std::byte>& elf) {
  auto at = [&]<class T>(std::uint64_t offset, T value) {
    std::memcpy(&value, elf.data() + offset, sizeof value);
    return value;
  };
  const auto header = at(0, Elf64_Ehdr{});
  Symbols symbols;
  for (int s = 0; s < header.e_shnum; ++s) {
    const auto section =
        at(header.e_shoff + static_cast<std::uint64_t>(s) * sizeof(Elf64_Shdr), Elf64_Shdr{});
    if (section.sh_type != SHT_SYMTAB) continue;
    const auto names = at(header.e_shoff + section.sh_link * sizeof(Elf64_Shdr), Elf64_Shdr{});
    for (std::uint64_t i = 1; i < section.sh_size / sizeof(Elf64_Sym); ++i) {
      const auto symbol = at(section.sh_offset + i * sizeof(Elf64_Sym), Elf64_Sym{});
      const std::string name(
          reinterpret_cast<const char*>(elf.data() + names.sh_offset + symbol.st_name));
      if (symbol.st_shndx == SHN_UNDEF) {
        symbols.undefined.insert(name);
      } else if (ELF64_ST_BIND(symbol.st_info) != STB_LOCAL) {
        symbols.global.insert(name);
      }
    }
  }
  return symbols;
}

TEST(ObjectFile, OneGlobalSymbolNoLibraryAndTheSameBytesEachTime) {
  const plan::Plan plan = small_plan();
  ConstantBlob descriptor{
      "descriptor", 8, std::vector<std::byte>(16), {{8, Names::run(plan, 4), 0}}};
  const auto first = generate(plan, descriptor);
  const auto second = generate(plan, descriptor);
  ASSERT_TRUE(first && second);
  EXPECT_EQ(first->elf, second->elf);
  const Symbols symbols = symbols_of(first->elf);
  EXPECT_EQ(symbols.global, std::set<std::string>{"descriptor"});
  for (const std::string& name : symbols.undefined) {
    EXPECT_TRUE(name == "memcpy" || name == "memmove" || name == "memset") << name;
  }
  const std::string text(reinterpret_cast<const char*>(first->elf.data()), first->elf.size());
  EXPECT_NE(text.find("small.plan"), std::string::npos);
  for (const std::string& folder : {std::filesystem::current_path().string(),
                                    std::filesystem::temp_directory_path().string()}) {
    EXPECT_EQ(text.find(folder + "/"), std::string::npos) << folder;
  }
}

TEST(ObjectFile, InstrumentedCodeCallsTheSanitizers) {
  const plan::Plan plan = small_plan();
  const ConstantBlob descriptor{
      "descriptor", 8, std::vector<std::byte>(8), {{0, Names::run(plan, 3), 0}}};
  for (const auto& [instrument, prefix] :
       {std::pair{Instrument::thread, "__tsan_"}, {Instrument::address, "__asan_"}}) {
    const auto object = generate(plan, descriptor, {.isa_levels = {3}, .instrument = instrument});
    ASSERT_TRUE(object) << object.error().message;
    const auto undefined = symbols_of(object->elf).undefined;
    EXPECT_TRUE(std::any_of(undefined.begin(), undefined.end(),
                            [&](const std::string& name) { return name.starts_with(prefix); }));
  }
}

TEST(ObjectFile, WrongOptionsAreErrors) {
  const plan::Plan plan = small_plan();
  const ConstantBlob descriptor{"descriptor", 8, std::vector<std::byte>(8), {}};
  EXPECT_FALSE(generate(plan, descriptor, {.isa_levels = {5}}));
  EXPECT_FALSE(generate(plan, descriptor, {.isa_levels = {}}));
  const auto fused_without_fma = generate(plan, descriptor, {.isa_levels = {3, 2}});
  ASSERT_FALSE(fused_without_fma);
  EXPECT_NE(fused_without_fma.error().message.find("strict"), std::string::npos);
}

}  // namespace
}  // namespace ingot::target
