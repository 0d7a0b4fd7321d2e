// SPDX-License-Identifier: Apache-2.0
// Variants for pinned sizes: beside the general code, with its weights and its bits, chosen by the
// sizes of a call.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <ingot/compile.h>

#include <cstring>
#include <optional>
#include <set>

#include "base/file.h"

namespace ingot::compiler {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

const std::string digits = INGOT_SOURCE_DIR "/examples/digits/digits.onnx";

/// Of each of n entries, those of the entry that `near` names beside its own, through two layers;
/// of an event the sum. Sizes, indices and a softmax of width n.
constexpr std::string_view gathering = R"(graph "near" fused {
  symbol N in [0, 1000]
  symbol n in [1, 64]
  %x: f32[N, n, 3] = input "x"
  %near: i64[n] = input "near"
  %w: f32[3, 40] = constant WIDE
  %v: f32[40, 5] = constant SMALL
  %other = gather(%x, %near) {axis = 1}
  %both = add(%x, %other)
  %a = matmul(%both, %w) {chains = 1}
  %h = tanh(%a)
  %y = matmul(%h, %v) {chains = 2}
  %score = reduce_sum(%y) {axes = [2], keep_dims = false, order = "lanes"}
  %most = reduce_max(%score) {axes = [1], keep_dims = true, order = "lanes"}
  %less = sub(%score, %most)
  %e = exp(%less)
  %z = reduce_sum(%e) {axes = [1], keep_dims = true, order = "lanes"}
  %p = div(%e, %z)
  return "y" = %y
  return "p" = %p
})";

/// The entries of N that a mask takes, through a layer; and halved until none is above a limit.
constexpr std::string_view measuring = R"(graph "some" fused {
  symbol N in [0, 1000]
  symbol n in [1, 8]
  symbol K in [0, 1000] up to [N]
  symbol T in [0, 40] up to [40]
  require K + 2 >= n "a reason"
  %x: f32[N, 5] = input "x"
  %mask: bool[N] = input "mask"
  %more: f32[n, 40] = input "more"
  %w: f32[5, 40] = constant WIDE
  %p, %c = places_of_true(%mask)
  %k = measure(%c) {size = [K]}
  %q = slice(%p) {size = [K], start = [0], step = [1]}
  %chosen = gather(%x, %q) {axis = 0}
  %y = matmul(%chosen, %w) {chains = 1}
  %all = concat(%y, %more) {axis = 0}
  %sum = reduce_sum(%all) {axes = [0], keep_dims = false, order = "index"}
  %limit: f32[] = constant {0.25}
  %zero: f32[] = constant {0}
  %most = reduce_max(%sum) {axes = [0], keep_dims = false, order = "index"}
  %any = gt(%most, %zero)
  %small, %sums, %t = scan(%sum, %limit, %any) {
    axes = [0], carried = 1, reversed = [0], trips = [40], turns = [T],
    body = graph "step" fused {
      %i: i64[] = input "i"
      %h: f32[40] = input "h"
      %limit: f32[] = input "limit"
      %first: bool[] = input "first"
      %half: f32[] = constant {0.5}
      %next = mul(%h, %half)
      %top = reduce_max(%next) {axes = [0], keep_dims = false, order = "index"}
      %again = gt(%top, %limit)
      return "h" = %next
      return "top" = %top
      return "again" = %again
    }}
  return "all" = %all
  return "small" = %small
  return "sums" = %sums
  return "t" = %t
})";

std::string numbers(int count) {
  std::string text = "{";
  for (int i = 0; i < count; ++i)
    text += fmt::format("{}{}", i == 0 ? "" : ", ", ((i * 37) % 101 - 50) / 64.0);
  return text + "}";
}

std::string gathering_text() {
  std::string text(gathering);
  text.replace(text.find("WIDE"), 4, numbers(120));
  text.replace(text.find("SMALL"), 5, numbers(200));
  return text;
}

std::string measuring_text() {
  std::string text(measuring);
  return text.replace(text.find("WIDE"), 4, numbers(200));
}

Compiled compiled(const std::string& model, std::vector<std::string> variants,
                  std::string isa = "v3") {
  Options options;
  options.isa = std::move(isa);
  options.shared = true;
  options.variants = std::move(variants);
  Result<Compiled> result =
      model.ends_with(".onnx")
          ? compile_file(model, options)
          : compile_bytes({reinterpret_cast<const std::byte*>(model.data()), model.size()},
                          "near.ingot", options);
  EXPECT_TRUE(result.ok()) << (result.ok() ? "" : result.error().message);
  return result.ok() ? *std::move(result) : Compiled{};
}

std::string refusal(std::vector<std::string> variants, std::vector<std::string> dims = {}) {
  Options options;
  options.variants = std::move(variants);
  options.dims = std::move(dims);
  const Result<Compiled> result = compile_file(digits, options);
  EXPECT_FALSE(result.ok());
  if (result.ok()) return "";
  EXPECT_EQ(result.error().code, Code::invalid_argument);
  return result.error().message;
}

struct Answer {
  Status status;
  std::vector<std::byte> bits;    // of all outputs, none of a call that failed
  std::set<std::string> kernels;  // that ran
};

struct Watch {
  const ingot_model* model;
  std::set<std::string> kernels;
};

std::int32_t note(void* user, const ingot_probe_event* event) {
  auto& watch = *static_cast<Watch*>(user);
  watch.kernels.insert(item<ingot_kernel>(watch.model->kernels, event->kernel).name);
  return 0;
}

std::int32_t one_by_one(void*, std::uint32_t count, ingot_task task, void* context) {
  for (std::uint32_t i = 0; i < count; ++i) {
    if (const std::int32_t status = task(context, i); status != 0) return status;
  }
  return 0;
}

/// A call of numbers that depend on the sizes alone, in a workspace of the size that is asked for,
/// or of `memory`.
Answer call(const LoadedModel& model, std::vector<std::int64_t> symbols, bool probed = false,
            std::uint32_t threads = 1, std::optional<std::uint64_t> memory = {}) {
  const ingot_model& about = *model.descriptor();
  std::vector<std::int64_t> dims(total_rank(about));
  const std::size_t tensors = about.inputs.count + about.outputs.count;
  std::vector<std::uint64_t> counts(tensors);
  EXPECT_TRUE(element_counts(about, symbols, dims.data(), counts.data()).ok());
  std::vector<std::vector<std::byte>> data(tensors);
  std::vector<ingot_tensor> table(tensors);
  for (std::uint32_t i = 0; i < tensors; ++i) {
    const auto& info = i < about.inputs.count
                           ? item<ingot_tensor_info>(about.inputs, i)
                           : item<ingot_tensor_info>(about.outputs, i - about.inputs.count);
    data[i].resize(counts[i] * element_bytes(info.dtype));
    table[i].data = data[i].data();
    table[i].bytes = data[i].size();
    table[i].dtype = info.dtype;
    table[i].rank = info.dims.count;
    for (std::uint64_t e = 0; i < about.inputs.count && e < counts[i]; ++e) {
      if (info.dtype == INGOT_BOOL) {
        data[i][e] = static_cast<std::byte>(e % 3 != 1);
      } else if (info.dtype == INGOT_I64) {
        reinterpret_cast<std::int64_t*>(data[i].data())[e] =
            static_cast<std::int64_t>((e * 7 + 3) % counts[i]);
      } else {
        reinterpret_cast<float*>(data[i].data())[e] =
            static_cast<float>((e * 29 + 11) % 97) / 31.0F - 1.5F;
      }
    }
  }
  std::uint64_t bytes = 0;
  EXPECT_TRUE(model.workspace_bytes(symbols, threads, bytes).ok());
  std::vector<std::byte> workspace(memory.value_or(bytes));
  ingot_call arguments = make_call(symbols, {table.data(), about.inputs.count},
                                   {table.data() + about.inputs.count, about.outputs.count},
                                   {workspace.data(), workspace.size()});
  Watch watch{&about, {}};
  ingot::Options options;
  options.threads = threads;
  if (threads > 1) options.parallel_for = one_by_one;
  if (probed) {
    options.probe = note;
    options.probe_user = &watch;
  }
  std::vector<std::int64_t> truth(symbols);
  options.true_symbols = truth.data();
  add_options(arguments, options);
  Answer answer;
  answer.status = model.run(arguments);
  if (!answer.status.ok()) return answer;
  // Of an output as large as data say, what was found.
  EXPECT_TRUE(element_counts(about, truth, dims.data(), counts.data()).ok());
  for (std::size_t i = about.inputs.count; i < tensors; ++i) {
    const auto& info = item<ingot_tensor_info>(about.outputs, i - about.inputs.count);
    answer.bits.insert(
        answer.bits.end(), data[i].begin(),
        data[i].begin() + static_cast<std::ptrdiff_t>(counts[i] * element_bytes(info.dtype)));
  }
  answer.kernels = std::move(watch.kernels);
  return answer;
}

std::uint64_t workspace(const LoadedModel& model, std::vector<std::int64_t> symbols,
                        std::uint32_t threads = 1) {
  std::uint64_t bytes = 0;
  EXPECT_TRUE(model.workspace_bytes(symbols, threads, bytes).ok());
  return bytes;
}

bool this_machine_runs(const char* variant) {
  return (std::string_view(variant).starts_with("v4") ? __builtin_cpu_supports("x86-64-v4")
                                                      : __builtin_cpu_supports("x86-64-v3")) != 0;
}

TEST(Variants, GiveTheBitsOfTheGeneralCode) {
  const Compiled general = compiled(gathering_text(), {}, "v3,v4");
  const Compiled pinned =
      compiled(gathering_text(), {"N=1", "N=4,n=20", "n=7", "N=1,n=20", "N=900"}, "v3,v4");
  for (const char* level : {"v4", "v3"}) {
    if (!this_machine_runs(level)) continue;
    const LoadedModel before = load(general, level), after = load(pinned, level);
    ASSERT_TRUE(before.ok() && after.ok());
    for (const std::int64_t rows : {0, 1, 2, 4, 9, 900}) {
      for (const std::int64_t n : {1, 7, 20, 64}) {
        for (const std::uint32_t threads : {1, 3}) {
          const Answer meant = call(before, {rows, n}),
                       got = call(after, {rows, n}, false, threads);
          ASSERT_TRUE(meant.status.ok());
          ASSERT_TRUE(got.status.ok()) << got.status.message().c_str();
          EXPECT_TRUE(meant.bits == got.bits) << level << " N=" << rows << " n=" << n;
          const Answer probed = call(after, {rows, n}, true, threads);
          EXPECT_TRUE(meant.bits == probed.bits) << level << " N=" << rows << " n=" << n;
        }
      }
    }
  }
}

/// Sizes that data give are measured in variants, too, up to their bounds at the pinned sizes.
TEST(Variants, MeasureSizes) {
  const Compiled general = compiled(measuring_text(), {}, "v3,v4");
  const Compiled pinned = compiled(measuring_text(), {"N=1", "N=6,n=2", "n=7", "N=0"}, "v3,v4");
  for (const char* level : {"v4", "v3"}) {
    if (!this_machine_runs(level)) continue;
    const LoadedModel before = load(general, level), after = load(pinned, level);
    ASSERT_TRUE(before.ok() && after.ok());
    int failed = 0;
    for (const std::int64_t rows : {0, 1, 2, 6, 900}) {
      for (const std::int64_t n : {1, 2, 7}) {
        for (const bool probed : {false, true}) {
          const Answer meant = call(before, {rows, n, -1, -1}, probed),
                       got = call(after, {rows, n, -1, -1}, probed);
          EXPECT_EQ(got.status.code(), meant.status.code());
          EXPECT_TRUE(meant.bits == got.bits) << level << " N=" << rows << " n=" << n;
          if (!meant.status.ok()) ++failed;
        }
      }
    }
    EXPECT_EQ(failed, 2 * 4) << "K + 2 is less than 7 where N is 0, 1, 2 or 6";
    EXPECT_TRUE(after.self_test().ok());
  }
}

/// What fails in a variant is said to be where it is.
TEST(Variants, NameTheirOwnKernels) {
  std::string text = measuring_text();
  text.replace(text.find("symbol T in [0, 40]"), 19, "symbol T in [0, 1] ");
  const LoadedModel model = load(compiled(text, {"N=900"}));
  ASSERT_TRUE(model.ok());
  for (const std::int64_t rows : {899, 900}) {
    const Status status = call(model, {rows, 1, -1, -1}).status;
    ASSERT_EQ(status.code(), INGOT_LIMIT_EXCEEDED) << status.message().c_str();
    const std::string_view message = status.message().c_str();
    EXPECT_EQ(message.find(":N=900") != std::string_view::npos, rows == 900) << message;
  }
}

TEST(Variants, WeightsAreThereOnce) {
  for (const std::string& model : {digits, gathering_text(), measuring_text()}) {
    const LoadedModel general = load(compiled(model, {}));
    const Compiled variants = compiled(model, {"N=1", "N=900"});
    const LoadedModel pinned = load(variants);
    ASSERT_TRUE(general.ok() && pinned.ok());
    ASSERT_EQ(pinned.descriptor()->weights_bytes, general.descriptor()->weights_bytes);
    EXPECT_EQ(std::memcmp(pinned.descriptor()->weights, general.descriptor()->weights,
                          pinned.descriptor()->weights_bytes),
              0);
    // And nowhere else in the object.
    const std::string_view object(reinterpret_cast<const char*>(variants.object.data()),
                                  variants.object.size());
    const std::string_view piece(static_cast<const char*>(general.descriptor()->weights), 256);
    const std::size_t first = object.find(piece);
    ASSERT_NE(first, std::string_view::npos);
    EXPECT_EQ(object.find(piece, first + 1), std::string_view::npos);
  }
}

TEST(Variants, SizesChoose) {
  const Compiled model = compiled(gathering_text(), {"N=1", "n=7", "N=1,n=20"});
  const LoadedModel loaded = load(model);
  ASSERT_TRUE(loaded.ok());
  EXPECT_EQ(loaded.variant()->pins.count, 0U);
  const auto ran = [&](std::int64_t rows, std::int64_t n, std::uint32_t threads = 1) {
    std::set<std::string> pins;
    for (const std::string& kernel : call(loaded, {rows, n}, true, threads).kernels)
      pins.insert(kernel.find(':') == std::string::npos ? "" : kernel.substr(kernel.find(':')));
    return pins;
  };
  EXPECT_THAT(ran(1, 20), ElementsAre(":N=1,n=20")) << "the most pins";
  EXPECT_THAT(ran(1, 19), ElementsAre(":N=1"));
  EXPECT_THAT(ran(1, 7), ElementsAre(":N=1")) << "the first given of as many pins";
  EXPECT_THAT(ran(2, 7), ElementsAre(":n=7"));
  EXPECT_THAT(ran(2, 20), ElementsAre(""));
  EXPECT_THAT(ran(2, 7, 3), ElementsAre(":n=7")) << "whose rows threads share";
}

TEST(Variants, ThreadsShareRowsOfTheGeneralCode) {
  const LoadedModel model = load(compiled(digits, {"N=1", "N=4"}));
  ASSERT_TRUE(model.ok());
  EXPECT_THAT(call(model, {4}, true).kernels, Each(HasSubstr(":N=4")));
  EXPECT_THAT(call(model, {4}, true, 2).kernels, Each(Not(HasSubstr(":"))));
  EXPECT_THAT(call(model, {1}, true, 2).kernels, Each(HasSubstr(":N=1")));
  EXPECT_EQ(call(model, {4}).bits, call(model, {4}, false, 2).bits);
}

TEST(Variants, AreTakenByName) {
  const Compiled model = compiled(digits, {"N=4"}, "v3,v4");
  for (const char* name : {"v4:N=4", "v3:N=4"}) {
    if (!this_machine_runs(name)) continue;
    const LoadedModel loaded = load(model, name);
    ASSERT_TRUE(loaded.ok()) << loaded.error().c_str();
    EXPECT_STREQ(loaded.variant()->name, name);
    EXPECT_TRUE(loaded.self_test().ok());
    EXPECT_TRUE(call(loaded, {4}).status.ok());
    std::uint64_t bytes = 0;
    EXPECT_EQ(loaded.workspace_bytes(std::vector<std::int64_t>{5}, 1, bytes).code(),
              INGOT_SYMBOL_OUT_OF_RANGE);
    const LoadedModel general = load(model);
    EXPECT_LE(workspace(loaded, {4}), workspace(general, {4}));
    // What it needs itself is enough for calls that turn to it.
    EXPECT_TRUE(call(general, {4}, false, 1, workspace(loaded, {4})).status.ok());
    EXPECT_EQ(call(general, {4}, false, 1, workspace(loaded, {4}) - 1).status.code(),
              INGOT_WORKSPACE_TOO_SMALL);
  }
}

TEST(Variants, HaveSelfTests) {
  const LoadedModel model = load(compiled(digits, {"N=1", "N=20"}));
  ASSERT_TRUE(model.ok());
  EXPECT_EQ(model.descriptor()->self_tests.count, 3U);
  EXPECT_EQ(item<ingot_self_test>(model.descriptor()->self_tests, 1).symbols[0], 1);
  EXPECT_EQ(item<ingot_self_test>(model.descriptor()->self_tests, 2).symbols[0], 20);
  EXPECT_TRUE(model.self_test().ok());
}

TEST(Variants, WorkspaceNeverFalls) {
  const LoadedModel model = load(compiled(gathering_text(), {"N=4", "N=2,n=20", "N=900"}));
  ASSERT_TRUE(model.ok());
  for (const std::uint32_t threads : {1, 3}) {
    for (std::int64_t rows = 0; rows < 12; ++rows) {
      for (std::int64_t n = 1; n < 30; ++n) {
        EXPECT_LE(workspace(model, {rows, n}, threads), workspace(model, {rows + 1, n}, threads));
        EXPECT_LE(workspace(model, {rows, n}, threads), workspace(model, {rows, n + 1}, threads));
      }
    }
  }
  EXPECT_LT(workspace(model, {900, 20}), 64 * workspace(model, {9, 20}))
      << "a pinned number of rows has blocks, too";
}

TEST(Variants, SameInputSameBytes) {
  const Compiled first = compiled(digits, {"N=4"}), second = compiled(digits, {"N=4"});
  EXPECT_EQ(first.object, second.object);
  EXPECT_EQ(first.plan, second.plan);
  const Compiled others = compiled(digits, {"N=5"});
  EXPECT_NE(first.header, others.header);
}

TEST(Variants, WrongOnesAreRefused) {
  EXPECT_EQ(refusal({"N"}), "--variant N: NAME=VALUE wanted");
  EXPECT_EQ(refusal({""}), "--variant : sizes wanted, as N=1 or N=1,n_pf=50");
  EXPECT_EQ(refusal({"N=x"}), "--variant N=x: 'x' is not a size");
  EXPECT_EQ(refusal({"N=1,N=2"}),
            "--variant N=1,N=2: N has two values; give --variant twice for two variants");
  EXPECT_EQ(refusal({"N=1", "N=4", "N=1"}), "--variant N=1: given twice; leave one out");
  EXPECT_EQ(refusal({"M=1"}), "--variant M=1: no such symbol; the model's are N");
  EXPECT_EQ(refusal({"N=65"}, {"N=1:64"}),
            "--variant N=65: N is from 1 to 64; --dim N=LO:HI sets its range");
  EXPECT_EQ(refusal({"N=4"}, {"N=4"}),
            "--variant N=4: the model has no size to choose; leave it out");
}

}  // namespace
}  // namespace ingot::compiler
