// SPDX-License-Identifier: Apache-2.0
// <ingot/compile.h>: the digits model and small ones, through buffers, files and memory; failures;
// several threads at once.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <ingot/compile.h>

#include <array>
#include <filesystem>
#include <thread>

#include "base/file.h"
#include "compile.h"

namespace ingot::compiler {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const std::string digits = INGOT_SOURCE_DIR "/examples/digits/digits.onnx";

Span<const std::byte> bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

/// y = x * factor, or x + factor.
std::string small_model(std::string_view op, int factor) {
  return fmt::format(R"(graph "small" fused {{
  symbol N in [0, 1000]
  %x: f32[N, 3] = input "x"
  %factor: f32[] = constant {{{}}}
  %y = {}(%x, %factor)
  return "y" = %y
}})",
                     factor, op);
}

float call_small(const LoadedModel& model, float x) {
  const std::int64_t sizes[] = {1};
  const std::array<float, 3> in{x, x, x};
  std::array<float, 3> out{};
  const ingot_tensor inputs[] = {input_tensor(Span<const float>(in), 2)};
  const ingot_tensor outputs[] = {output_tensor(Span<float>(out), 2)};
  std::uint64_t bytes = 0;
  EXPECT_TRUE(model.workspace_bytes(sizes, 1, bytes).ok());
  std::vector<std::byte> workspace(bytes);
  ingot_call call = make_call(sizes, inputs, outputs, workspace);
  EXPECT_TRUE(model.run(call).ok());
  return out[2];
}

Error error_of(const Options& options, std::string_view model) {
  const Result<Compiled> result = compile_bytes(bytes_of(model), "small.ingot", options);
  EXPECT_FALSE(result.ok());
  return result ? Error{} : result.error();
}

TEST(Library, FilesAndBytesGiveWhatTheCompilerGives) {
  Options options;
  options.shared = true;
  options.dims = {"N=1:64"};
  const Result<Compiled> from_file = compile_file(digits, options);
  ASSERT_TRUE(from_file.ok()) << from_file.error().message;
  EXPECT_EQ(from_file->name, "digits");
  EXPECT_THAT(from_file->files, ElementsAre(digits));
  EXPECT_THAT(from_file->header, HasSubstr("N              1 to 64"));

  const auto contents = read_file(digits);
  ASSERT_TRUE(contents);
  const Result<Compiled> from_bytes = compile_bytes(*contents, "elsewhere/digits.onnx", options);
  ASSERT_TRUE(from_bytes.ok()) << from_bytes.error().message;
  EXPECT_TRUE(from_bytes->files.empty());

  CompileOptions inner;
  inner.shared = true;
  inner.import.symbol_ranges["N"] = {1, 64};
  const auto expected = ingot::compile(digits, inner);
  ASSERT_TRUE(expected);
  for (const Compiled* got : {&*from_file, &*from_bytes}) {
    EXPECT_EQ(got->object, expected->object);
    EXPECT_EQ(got->header, expected->header);
    EXPECT_EQ(got->manifest, expected->manifest);
    EXPECT_EQ(got->plan, expected->plan);
    EXPECT_EQ(got->shared, expected->shared);
  }
}

TEST(Library, EveryOptionArrives) {
  Options options;
  options.name = "reader";
  options.inputs = {"pixels=f32[rows,64]"};
  options.outputs = {"probabilities"};
  options.dims = {"rows=2"};
  options.isa = "v2";
  options.instrument = "thread";
  options.disabled_passes = {"fold-scales"};
  options.pass_limit = 3;
  const Result<Compiled> got = compile_file(digits, options);
  ASSERT_TRUE(got.ok()) << got.error().message;
  CompileOptions inner;
  inner.import.name = "reader";
  inner.import.inputs.push_back(*parse_input_spec("pixels=f32[rows,64]"));
  inner.import.outputs = {"probabilities"};
  inner.import.symbol_ranges["rows"] = {2, 2};
  inner.isa_levels = {2};
  inner.instrument = target::Instrument::thread;
  inner.passes.disabled = {"fold-scales"};
  inner.passes.limit = 3;
  const auto expected = ingot::compile(digits, inner);
  ASSERT_TRUE(expected);
  EXPECT_EQ(got->header, expected->header);
  EXPECT_EQ(got->object, expected->object);
  EXPECT_TRUE(got->shared.empty());

  options.constants = {"pixels=1"};
  EXPECT_EQ(compile_file(digits, options).error().code, Code::invalid_argument)
      << "a constant for what is an input as well";
}

TEST(Library, LoadsWithoutAFile) {
  Options options;
  options.shared = true;
  const Result<Compiled> twice =
      compile_bytes(bytes_of(small_model("mul", 2)), "small.ingot", options);
  const Result<Compiled> plus =
      compile_bytes(bytes_of(small_model("add", 7)), "small.ingot", options);
  ASSERT_TRUE(twice.ok() && plus.ok());
  const LoadedModel first = load(*twice);
  ASSERT_TRUE(first.ok()) << first.error().c_str();
  EXPECT_TRUE(first.self_test().ok());
  {
    const LoadedModel again = load(*twice);
    EXPECT_EQ(call_small(again, 5), 10);
  }
  // Takes the descriptor that the last one gave back.
  const LoadedModel second = load(*plus);
  EXPECT_EQ(call_small(second, 5), 12);
  EXPECT_EQ(call_small(first, 5), 10);

  options.shared = false;
  const Result<Compiled> alone = compile_bytes(bytes_of(small_model("mul", 2)), "a.ingot", options);
  ASSERT_TRUE(alone.ok());
  EXPECT_THAT(load(*alone).error().c_str(), HasSubstr("a: is empty"));
  EXPECT_THAT(load(*twice, "v9").error().c_str(), HasSubstr("no variant"));
}

TEST(Library, WritesFiles) {
  const auto temporary = TemporaryFolder::make();
  ASSERT_TRUE(temporary);
  const std::string folder = temporary->file("new/one");
  const Result<Compiled> model = compile_file(digits);
  ASSERT_TRUE(model.ok());
  Emit emit;
  emit.plan = true;
  const auto paths = write_files(*model, folder, emit);
  ASSERT_TRUE(paths.ok()) << paths.error().message;
  EXPECT_THAT(*paths, ElementsAre(folder + "/digits.o", folder + "/digits.h",
                                  folder + "/digits.json", folder + "/digits.plan"));
  EXPECT_EQ(*read_file(folder + "/digits.o"), model->object);
  EXPECT_EQ(*make_rule({"out dir/a.o"}, *model), "out\\ dir/a.o: \\\n  " + digits + "\n");

  emit.shared = true;
  EXPECT_EQ(write_files(*model, folder, emit).error().code, Code::invalid_argument);
  EXPECT_EQ(write_files(*model, digits).error().code, Code::io) << "the folder is a file";
}

TEST(Library, FailuresAreValues) {
  const std::string model = small_model("mul", 2);
  const auto code = [&](auto set) {
    Options options;
    set(options);
    return error_of(options, model);
  };
  const Error dim = code([](Options& o) { o.dims = {"N=4:2"}; });
  EXPECT_EQ(dim.code, Code::invalid_argument);
  EXPECT_EQ(dim.exit_status(), 2);
  EXPECT_EQ(dim.message, "--dim N=4:2: 2 is less than 4");
  EXPECT_EQ(code([](Options& o) { o.isa = "v5"; }).code, Code::invalid_argument);
  EXPECT_EQ(code([](Options& o) { o.name = "class"; }).code, Code::invalid_argument);
  EXPECT_EQ(code([](Options& o) { o.disabled_passes = {"no-such"}; }).code, Code::invalid_argument);
  EXPECT_EQ(code([](Options& o) { o.instrument = "memory"; }).message,
            "--instrument memory: thread or address wanted");
  EXPECT_EQ(code([](Options& o) { o.pass_limit = -1; }).code, Code::invalid_argument);
  EXPECT_EQ(error_of({}, "").code, Code::invalid_model);
  EXPECT_EQ(error_of({}, "graph {").code, Code::invalid_model);
  EXPECT_EQ(compile_file("/no/such/model.onnx").error().exit_status(), 5);
  EXPECT_STREQ(version(), INGOT_VERSION);
}

TEST(Library, ThreadsCompileAtTheSameTime) {
  struct Work {
    std::string model;
    float at_five;
    Compiled expected = {};
  };
  std::vector<Work> works{{small_model("mul", 2), 10},
                          {small_model("mul", 3), 15},
                          {small_model("add", 2), 7},
                          {small_model("sub", 1), 4}};
  Options options;
  options.shared = true;
  const auto compile_one = [&](const Work& work) {
    return compile_bytes(bytes_of(work.model), "small.ingot", options);
  };
  for (Work& work : works) {
    Result<Compiled> alone = compile_one(work);
    ASSERT_TRUE(alone.ok()) << alone.error().message;
    work.expected = *std::move(alone);
  }
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < works.size(); ++t) {
    threads.emplace_back([&, t] {
      for (std::size_t i = 0; i < 3; ++i) {
        const Work& work = works[(t + i) % works.size()];
        const Result<Compiled> got = compile_one(work);
        ASSERT_TRUE(got.ok()) << got.error().message;
        EXPECT_EQ(got->object, work.expected.object);
        EXPECT_EQ(got->shared, work.expected.shared);
        const LoadedModel model = load(*got);
        ASSERT_TRUE(model.ok()) << model.error().c_str();
        EXPECT_EQ(call_small(model, 5), work.at_five);
        // A failure beside successes.
        EXPECT_EQ(compile_bytes(bytes_of("graph {"), "x").error().code, Code::invalid_model);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace ingot::compiler
