// SPDX-License-Identifier: Apache-2.0
// Plans of real models change on purpose only: their text is kept in tests/golden/plan.
// INGOT_BLESS=1 rewrites it.
#include <gtest/gtest.h>

#include <cstdlib>

#include "base/file.h"
#include "compile.h"

namespace ingot {
namespace {

struct Golden {
  const char* name;
  const char* model;
  std::map<std::string, Interval> sizes;
};

std::string text_of(const std::string& path) {
  const auto bytes = read_file(path);
  if (!bytes) return {};
  return {reinterpret_cast<const char*>(bytes->data()), bytes->size()};
}

class GoldenPlan : public testing::TestWithParam<Golden> {};

TEST_P(GoldenPlan, IsAsItWas) {
  const std::string root = INGOT_SOURCE_DIR;
  CompileOptions options;
  options.import.name = "digits";
  options.import.symbol_ranges = GetParam().sizes;
  const auto plan = compile_until(root + "/" + GetParam().model, options, Stage::plan);
  ASSERT_TRUE(plan) << plan.error().message;
  const std::string path = root + "/tests/golden/plan/" + GetParam().name + ".plan";
  if (std::getenv("INGOT_BLESS") != nullptr) {
    ASSERT_TRUE(write_file(path, std::string_view(*plan)));
  }
  EXPECT_EQ(*plan, text_of(path)) << "if this is meant, run ./dev bless and look at git diff";
}

INSTANTIATE_TEST_SUITE_P(
    Models, GoldenPlan,
    testing::Values(Golden{"digits", "examples/digits/digits.onnx", {}},
                    Golden{"digits_pinned", "examples/digits/digits.onnx", {{"N", {1, 1}}}}),
    [](const auto& parameter) { return std::string(parameter.param.name); });

}  // namespace
}  // namespace ingot
