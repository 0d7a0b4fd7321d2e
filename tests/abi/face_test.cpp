// SPDX-License-Identifier: Apache-2.0
// The class of a generated header, driving a model that is written by hand to docs/abi.md. The
// header comes from write/ when the tests are built (write_fake.cpp).
#include <gtest/gtest.h>

#include <array>
#include <cfenv>
#include <cmath>
#include <cstddef>
#include <cstdlib>
#include <limits>
#include <string>
#include <vector>

#include "fake.h"

// In face_unit.cpp, which includes the same header: one program, two translation units.
const fake::Model& model_of_the_other_unit();

namespace {

constexpr std::size_t rows = 4;

/// A call that is right; tests break one thing of it.
struct Fixture {
  fake::Model model;
  std::vector<float> pixels = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
  std::array<bool, rows> mask = {true, false, true, false};
  std::vector<float> sums = std::vector<float>(2 * rows, -1);
  std::int32_t classes[rows] = {-1, -1, -1, -1};
  std::vector<std::byte> workspace = std::vector<std::byte>(8 * rows + 64);

  fake::Status run(const fake::Options& options = {}) {
    return model.run({rows, 2}, {pixels, mask}, {sums, classes}, workspace, options);
  }
};

TEST(Face, CallsTheModelWithItsOwnNames) {
  Fixture f;
  const auto status = f.model.run({rows, 2}, {f.pixels, f.mask}, {f.sums, f.classes}, f.workspace);
  EXPECT_TRUE(status.ok()) << status.message().c_str();
  EXPECT_STREQ(status.message().c_str(), "ok");
  EXPECT_EQ(f.sums, (std::vector<float>{1, 2, 5, 2, 7, 2, 11, 2}));
  EXPECT_EQ(f.classes[3], 3);
}

TEST(Face, KnowsSizesBeforeTheFirstCall) {
  const fake::Model model;
  EXPECT_EQ(model.workspace_bytes({rows, 2}), 8 * rows + 64);
  EXPECT_EQ(model.workspace_bytes({rows, 2}, 3), 3 * (8 * rows + 64));
  EXPECT_EQ(model.workspace_bytes({1001, 2}), 0U);
  const fake::Counts counts = fake::Model::counts({rows, 2});
  EXPECT_EQ(counts.pixels, 3 * rows);
  EXPECT_EQ(counts.mask, rows);
  EXPECT_EQ(counts.dense_BiasAdd, 2 * rows);
  EXPECT_EQ(counts.class_, rows);
  EXPECT_EQ(fake::Model::counts({-1, 2}).pixels, 0U);
}

TEST(Face, NoRowsAreACallLikeAnyOther) {
  const fake::Model model;
  std::vector<std::byte> workspace(model.workspace_bytes({0, 2}));
  const auto status = model.run({0, 2}, {}, {}, workspace);
  EXPECT_TRUE(status.ok()) << status.message().c_str();
}

TEST(Face, SaysWhatIsWrongWithACall) {
  const auto message = [](auto change) {
    Fixture f;
    change(f);
    const auto status = f.run();
    EXPECT_FALSE(status.ok());
    EXPECT_EQ(f.sums[0], -1) << "an output was written by a call that failed";
    return std::string(status.message().c_str());
  };
  EXPECT_EQ(message([](Fixture& f) { f.pixels.pop_back(); }),
            "fake: input 'pixels:0' has 44 bytes, needs 48");
  EXPECT_EQ(message([](Fixture& f) { f.pixels.push_back(0); }),
            "fake: input 'pixels:0' has 52 bytes, needs 48");
  EXPECT_EQ(message([](Fixture& f) { f.sums.push_back(0); }),
            "fake: output 'dense/BiasAdd' has 36 bytes, needs 32");
  EXPECT_EQ(message([](Fixture& f) { f.workspace.pop_back(); }),
            "fake: workspace has 95 bytes, needs 96");
}

TEST(Face, SaysWhichSymbolIsOutOfRange) {
  Fixture f;
  const auto message = [&](fake::Sizes sizes) {
    return std::string(
        f.model.run(sizes, {f.pixels, f.mask}, {f.sums, f.classes}, f.workspace).message().c_str());
  };
  EXPECT_EQ(message({1001, 2}), "fake: symbol 'N' is 1001, must be at most 1000");
  EXPECT_EQ(message({-3, 2}), "fake: symbol 'N' is -3, must be at least 0");
  EXPECT_EQ(message({4}), "fake: symbol 'k' is -1, must be at least 0");
  EXPECT_EQ(message({2, 63}), "fake: constraint 'N + 60 >= k' does not hold: 62 against 63");
  EXPECT_EQ(message({std::numeric_limits<std::size_t>::max(), 2}),
            "fake: symbol 'N' is 9223372036854775807, must be at most 1000");
}

TEST(Face, ChoosesTheFirstVariantForTheMachine) {
  unsetenv("INGOT_ISA");
  EXPECT_STREQ(fake::Model().variant(), "plain") << "not one that is beyond it, pinned or loose";
  EXPECT_STREQ(fake::Model("second").variant(), "second");
  EXPECT_STREQ(fake::Model("loose").variant(), "loose");
  setenv("INGOT_ISA", "second", 1);
  EXPECT_STREQ(fake::Model().variant(), "second");
  EXPECT_STREQ(fake::Model("plain").variant(), "plain") << "the program's word counts for more";
  setenv("INGOT_ISA", "", 1);
  EXPECT_STREQ(fake::Model().variant(), "plain");
  unsetenv("INGOT_ISA");
}

TEST(Face, RefusesAVariantThatTheMachineLacks) {
  Fixture f;
  for (const char* name : {"never", "v9"}) {
    f.model = fake::Model(name);
    EXPECT_FALSE(f.model.ok());
    EXPECT_STREQ(f.model.variant(), "");
    EXPECT_EQ(f.model.workspace_bytes({rows, 2}), 0U);
    EXPECT_EQ(f.run().code(), ::INGOT_NO_VARIANT);
    EXPECT_EQ(f.model.self_test().code(), ::INGOT_NO_VARIANT);
  }
}

TEST(Face, IsTheSameInEveryTranslationUnit) {
  EXPECT_EQ(&model_of_the_other_unit().descriptor(), &fake::Model::descriptor());
  EXPECT_STREQ(model_of_the_other_unit().variant(), "plain");
}

TEST(Face, SelfTestComparesBits) {
  const auto status = fake::Model().self_test();
  EXPECT_TRUE(status.ok()) << status.message().c_str();
}

TEST(Face, SelfTestNoticesAnotherBit) {
  ingot_model other = fake::Model::descriptor();
  auto test = ingot::item<ingot_self_test>(other.self_tests, 0);
  other.self_tests.items = &test;
  const ingot_variant* variant = ingot::choose_variant(other, "plain");
  EXPECT_TRUE(ingot::self_test(other, variant).ok());
  test.hash ^= 1;
  EXPECT_EQ(ingot::self_test(other, variant).code(), ::INGOT_SELF_TEST_FAILED);
  test.hash ^= 1;
  test.seed ^= 1;
  EXPECT_EQ(ingot::self_test(other, variant).code(), ::INGOT_SELF_TEST_FAILED);
}

struct Seen {
  std::vector<std::int32_t> phases;
  std::uint32_t values = 0;
  std::int32_t answer = 0;
};

std::int32_t note(void* user, const ingot_probe_event* event) {
  auto* seen = static_cast<Seen*>(user);
  seen->phases.push_back(event->phase);
  seen->values += event->value_count;
  return seen->answer;
}

TEST(Face, ProbesSeeEachKernelAndCanCancel) {
  Fixture f;
  Seen seen;
  fake::Options options;
  options.probe = note;
  options.probe_user = &seen;
  EXPECT_TRUE(f.run(options).ok());
  EXPECT_EQ(seen.phases, (std::vector<std::int32_t>{::INGOT_BEGIN, ::INGOT_END}));
  EXPECT_EQ(seen.values, 2U);
  seen.answer = 17;
  const auto status = f.run(options);
  EXPECT_STREQ(status.message().c_str(),
               "fake: op 'choose' was cancelled by the caller's callback with 17");
  f.model = fake::Model("second");
  EXPECT_EQ(f.run(options).code(), ::INGOT_UNSUPPORTED_OPTION);
}

std::int32_t backwards(void* user, std::uint32_t count, ingot_task task, void* context) {
  *static_cast<std::uint32_t*>(user) += count;
  for (std::uint32_t i = count; i-- > 0;) {
    if (const std::int32_t status = task(context, i)) return status;
  }
  return 0;
}

TEST(Face, TasksOfAParallelCallMayRunInAnyOrder) {
  Fixture f;
  std::uint32_t tasks = 0;
  fake::Options options;
  options.threads = 3;
  options.parallel_for = backwards;
  options.parallel_user = &tasks;
  EXPECT_EQ(f.run(options).code(), ::INGOT_WORKSPACE_TOO_SMALL);
  f.workspace.resize(f.model.workspace_bytes({rows, 2}, 3));
  EXPECT_TRUE(f.run(options).ok());
  EXPECT_EQ(tasks, 3U);
  EXPECT_EQ(f.sums, (std::vector<float>{1, 2, 5, 2, 7, 2, 11, 2}));
}

/// a / b, computed where it is called: compilers do not move accesses of volatile objects.
float divide(float a, float b) {
  const volatile float top = a;
  const volatile float bottom = b;
  const volatile float quotient = top / bottom;
  return quotient;
}

TEST(Face, GuardSetsRoundingAndPutsItBack) {
  const float nearest = divide(1, 3);  // above 1/3
  std::fesetround(FE_DOWNWARD);
  const float before = divide(1, 3);
  float inside = 0;
  {
    const fake::FloatGuard guard;
    inside = divide(1, 3);
  }
  const float after = divide(1, 3);
  std::fesetround(FE_TONEAREST);
  EXPECT_LT(before, nearest);
  EXPECT_EQ(inside, nearest);
  EXPECT_EQ(after, before);
}

#if defined(__x86_64__)
TEST(Face, GuardKeepsSubnormalNumbers) {
  const float tiny = std::numeric_limits<float>::denorm_min();
  const unsigned saved = __builtin_ia32_stmxcsr();
  __builtin_ia32_ldmxcsr(saved | 0x8040U);  // FTZ and DAZ
  const float before = divide(tiny, 1);
  float inside = 0;
  {
    const fake::FloatGuard guard;
    inside = divide(tiny, 1);
  }
  const float after = divide(tiny, 1);
  __builtin_ia32_ldmxcsr(saved);
  EXPECT_EQ(std::fpclassify(before), FP_ZERO);
  EXPECT_EQ(std::fpclassify(inside), FP_SUBNORMAL);
  EXPECT_EQ(std::fpclassify(after), FP_ZERO);
}
#endif

}  // namespace
