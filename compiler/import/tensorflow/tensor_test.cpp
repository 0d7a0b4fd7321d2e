// SPDX-License-Identifier: Apache-2.0
// TensorProto in its encodings.
#include "import/tensorflow/tensor.h"

#include "import/tensorflow/graph_builder.h"

namespace ingot::tensorflow {
namespace {

using Doubles = std::vector<double>;

TensorProto proto(int dtype, const Sizes& shape) {
  TensorProto tensor;
  tensor.set_dtype(dtype);
  GraphBuilder::set_shape(*tensor.mutable_tensor_shape(), shape);
  return tensor;
}

Expected<Tensor> decode(const TensorProto& tensor) {
  std::int64_t budget = 1 << 20;
  return decode_tensor(tensor, budget);
}

Doubles decoded(const TensorProto& tensor) {
  const Expected<Tensor> result = decode(tensor);
  if (!result) ADD_FAILURE() << result.error().message;
  return result ? numbers(*result) : Doubles{};
}

TEST(TensorflowTensor, RawBytes) {
  TensorProto tensor = proto(tf_int32, {2});
  tensor.set_tensor_content(std::string("\x01\x00\x00\x00\xff\xff\xff\xff", 8));
  EXPECT_EQ(decoded(tensor), (Doubles{1, -1}));
  tensor.set_tensor_content(std::string(7, '\0'));
  EXPECT_FALSE(decode(tensor));
  tensor.set_tensor_content(std::string(12, '\0'));
  EXPECT_FALSE(decode(tensor));
}

TEST(TensorflowTensor, TypedLists) {
  TensorProto floats = proto(tf_float, {2});
  floats.add_float_val(1.5F);
  floats.add_float_val(-2);
  EXPECT_EQ(decoded(floats), (Doubles{1.5, -2}));

  TensorProto halves = proto(19, {2});
  halves.add_half_val(0x3e00);
  halves.add_half_val(0xc000);
  EXPECT_EQ(decoded(halves), (Doubles{1.5, -2}));

  TensorProto brains = proto(14, {1});
  brains.add_half_val(0x3fc0);
  EXPECT_EQ(decoded(brains), Doubles{1.5});

  TensorProto bytes = proto(6, {2});
  bytes.add_int_val(-128);
  bytes.add_int_val(127);
  EXPECT_EQ(decoded(bytes), (Doubles{-128, 127}));

  TensorProto longs = proto(tf_int64, {});
  longs.add_int64_val(-5);
  EXPECT_EQ(decoded(longs), Doubles{-5});

  TensorProto truths = proto(tf_bool, {2});
  truths.add_bool_val(true);
  truths.add_bool_val(false);
  EXPECT_EQ(decoded(truths), (Doubles{1, 0}));

  TensorProto unsigneds = proto(23, {1});
  unsigneds.add_uint64_val(7);
  EXPECT_EQ(decoded(unsigneds), Doubles{7});
}

TEST(TensorflowTensor, ShortListsRepeatTheirLastValue) {
  TensorProto tensor = proto(tf_float, {2, 3});
  EXPECT_EQ(decoded(tensor), Doubles(6, 0));
  tensor.add_float_val(4);
  EXPECT_EQ(decoded(tensor), Doubles(6, 4));
  tensor.add_float_val(5);
  EXPECT_EQ(decoded(tensor), (Doubles{4, 5, 5, 5, 5, 5}));
  for (int i = 0; i < 6; ++i) tensor.add_float_val(6);
  EXPECT_EQ(decoded(tensor), (Doubles{4, 5, 6, 6, 6, 6}));
}

TEST(TensorflowTensor, HugeShapesOfFewBytesTakeNoMemory) {
  TensorProto tensor = proto(tf_float, {1 << 20, 1 << 20});
  tensor.add_float_val(1);
  const auto splat = decode(tensor);
  ASSERT_TRUE(splat) << splat.error().message;
  EXPECT_TRUE(splat->is_splat());
  tensor.add_float_val(2);
  const auto refused = decode(tensor);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::limit);
  EXPECT_FALSE(decode(proto(tf_float, {INT64_MAX, INT64_MAX})));
  EXPECT_FALSE(decode(proto(tf_float, {-1})));
}

TEST(TensorflowTensor, StringsAreUnsupported) {
  const auto refused = decode(proto(7, {}));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::unsupported);
  EXPECT_EQ(refused.error().message, "a constant of element type string");
}

TEST(TensorflowTensor, EmptyTensors) {
  const auto empty = decode(proto(tf_float, {0, 3}));
  ASSERT_TRUE(empty) << empty.error().message;
  EXPECT_EQ(empty->elements(), 0);
}

}  // namespace
}  // namespace ingot::tensorflow
