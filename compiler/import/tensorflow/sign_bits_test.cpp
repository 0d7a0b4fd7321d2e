// SPDX-License-Identifier: Apache-2.0
// Sign bits of all kinds of numbers, and what is none.
#include "import/tensorflow/sign_bits.h"

#include <cmath>
#include <limits>

#include "import/tensorflow/graph_builder.h"

namespace ingot::tensorflow {
namespace {

GraphBuilder sign_bits(int mask, bool mask_first) {
  GraphBuilder b;
  b.placeholder("x", tf_float, {-1});
  NodeDef& cast = b.node("Bitcast", "bits", {"x"});
  (*cast.mutable_attr())["T"].set_type(tf_float);
  (*cast.mutable_attr())["type"].set_type(tf_int32);
  b.ints("mask", {}, {mask});
  b.ints("zero", {}, {0});
  const std::vector<std::string> sides{mask_first ? "mask" : "bits", mask_first ? "bits" : "mask"};
  b.node("BitwiseAnd", "first", sides);
  b.node("Less", "y", {"first", "zero"});
  return b;
}

TEST(SignBits, OfAllNumbers) {
  constexpr float inf = std::numeric_limits<float>::infinity();
  constexpr float least = std::numeric_limits<float>::denorm_min();
  const std::vector<float> values{0.0F, -0.0F, 1, -1, least, -least, inf, -inf};
  for (const bool mask_first : {false, true}) {
    const auto outputs =
        run(sign_bits(std::numeric_limits<int>::min(), mask_first), {float_tensor({8}, values)});
    ASSERT_EQ(outputs.size(), 1U);
    for (std::size_t i = 0; i < values.size(); ++i) {
      EXPECT_EQ(outputs[0].as_int64(static_cast<std::int64_t>(i)) != 0, std::signbit(values[i]))
          << values[i];
    }
  }
}

TEST(SignBits, OtherBitsAreRefused) {
  EXPECT_NE(sign_bits(1 << 30, false).import().error().message.find("Bitcast"), std::string::npos);
}

}  // namespace
}  // namespace ingot::tensorflow
