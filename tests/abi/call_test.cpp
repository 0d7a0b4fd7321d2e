// SPDX-License-Identifier: Apache-2.0
// The call struct itself: what docs/abi.md promises to callers that are older or newer than a
// model, shown on the model that is written by hand.
#include <gtest/gtest.h>
#include <ingot/face.h>

#include <cstddef>
#include <cstring>

extern "C" const ingot_model fake_header_and_object_are_from_one_ingot_compile_3f9a70b1c2d4e5f6;

namespace {

// Sizes and offsets are the format: docs/abi.md repeats them.
static_assert(sizeof(ingot_tensor) == 40 && offsetof(ingot_tensor, device_index) == 36);
static_assert(sizeof(ingot_error) == 48 && offsetof(ingot_error, limit) == 40);
static_assert(sizeof(ingot_probe_event) == 64 && offsetof(ingot_probe_event, symbols) == 56);
static_assert(sizeof(ingot_call) == 136 && offsetof(ingot_call, error) == 64);
static_assert(offsetof(ingot_call, true_symbols) == INGOT_CALL_REQUIRED_BYTES);
static_assert(offsetof(ingot_call, instance) == 128);
static_assert(sizeof(ingot_array) == 16 && sizeof(ingot_dim) == 24);
static_assert(sizeof(ingot_tensor_info) == 40 && sizeof(ingot_symbol) == 40);
static_assert(sizeof(ingot_constraint) == 16 && sizeof(ingot_kernel) == 40);
static_assert(sizeof(ingot_pin) == 24 && sizeof(ingot_variant) == 112);
static_assert(offsetof(ingot_variant, run) == 56 && offsetof(ingot_variant, instance_bytes) == 80);
static_assert(sizeof(ingot_self_test) == 32 && sizeof(ingot_model_list) == 24);
static_assert(sizeof(ingot_model) == 248 && offsetof(ingot_model, symbols) == 72);
static_assert(offsetof(ingot_model, weights) == 184 && offsetof(ingot_model, manifest) == 240);

/// A caller of a later minor version: its structs have grown at their ends.
struct LaterTensor {
  ingot_tensor now;
  std::uint64_t more[3];
};
struct LaterCall {
  ingot_call now;
  std::uint64_t more[5];
};

class Call : public testing::Test {
 protected:
  Call() {
    std::memset(&call_, 0xAB, sizeof call_);
    ingot_call& call = call_.now;
    call = {};
    call.struct_bytes = sizeof call_;
    call.symbol_count = 2;
    call.tensor_bytes = sizeof(LaterTensor);
    call.symbols = symbols_;
    call.inputs = &inputs_[0].now;
    call.outputs = &outputs_[0].now;
    call.input_count = 2;
    call.output_count = 2;
    call.workspace = workspace_;
    call.workspace_bytes = sizeof workspace_;
    error_.struct_bytes = sizeof error_;
    call.error = &error_;
    const auto set = [](LaterTensor& tensor, void* data, std::uint64_t bytes, std::int32_t dtype,
                        std::uint32_t rank) {
      std::memset(&tensor, 0xCD, sizeof tensor);
      tensor.now = {data, bytes, nullptr, dtype, rank, INGOT_CPU, 0};
    };
    set(inputs_[0], pixels_, sizeof pixels_, INGOT_F32, 2);
    set(inputs_[1], mask_, sizeof mask_, INGOT_BOOL, 1);
    set(outputs_[0], sums_, sizeof sums_, INGOT_F32, 2);
    set(outputs_[1], classes_, sizeof classes_, INGOT_I32, 1);
  }

  std::int32_t run() {
    const ingot_variant* variant = ingot::choose_variant(model_, "plain");
    return variant->run(&call_.now);
  }
  void expect(std::int32_t status, std::int32_t where, std::uint32_t index, std::int64_t value,
              std::int64_t limit) {
    EXPECT_EQ(run(), status);
    EXPECT_EQ(error_.status, status);
    EXPECT_EQ(error_.where, where);
    EXPECT_EQ(error_.index, index);
    EXPECT_EQ(error_.value, value);
    EXPECT_EQ(error_.limit, limit);
  }

  const ingot_model& model_ = fake_header_and_object_are_from_one_ingot_compile_3f9a70b1c2d4e5f6;
  LaterCall call_;
  LaterTensor inputs_[2];
  LaterTensor outputs_[2];
  ingot_error error_ = {};
  std::int64_t symbols_[2] = {2, 5};
  float pixels_[6] = {1, 2, 3, 4, 5, 6};
  unsigned char mask_[2] = {255, 0};  // a boolean is true unless it is zero
  float sums_[4] = {};
  std::int32_t classes_[2] = {};
  std::byte workspace_[80];
};

TEST_F(Call, MayBeLongerThanTheModelKnows) {
  EXPECT_EQ(run(), INGOT_OK);
  EXPECT_EQ(sums_[0], 1);
  EXPECT_EQ(sums_[2], 5);
  EXPECT_EQ(sums_[3], 5);
  EXPECT_EQ(classes_[1], 1);
}

TEST_F(Call, MayEndAfterItsRequiredFields) {
  // What lies behind the required fields is not the caller's: it must not be read.
  std::memset(reinterpret_cast<char*>(&call_) + INGOT_CALL_REQUIRED_BYTES, 0xEF,
              sizeof call_ - INGOT_CALL_REQUIRED_BYTES);
  call_.now.struct_bytes = INGOT_CALL_REQUIRED_BYTES;
  EXPECT_EQ(run(), INGOT_OK);
  EXPECT_EQ(sums_[0], 1);
}

TEST_F(Call, MustNotEndBefore) {
  call_.now.struct_bytes = INGOT_CALL_REQUIRED_BYTES - 8;
  EXPECT_EQ(run(), INGOT_BAD_CALL);
  EXPECT_EQ(error_.status, INGOT_OK) << "the pointer to it was not the model's to read";
  call_.now.struct_bytes = sizeof call_;
  call_.now.tensor_bytes = 32;
  expect(INGOT_BAD_CALL, INGOT_AT_CALL, 0, 32, 40);
}

TEST_F(Call, NeedsNoPlaceForDetails) {
  call_.now.error = nullptr;
  EXPECT_EQ(run(), INGOT_OK);
  symbols_[0] = -1;
  EXPECT_EQ(run(), INGOT_SYMBOL_OUT_OF_RANGE);
}

TEST_F(Call, IsCheckedTensorByTensor) {
  call_.now.output_count = 1;
  expect(INGOT_WRONG_COUNT, INGOT_AT_OUTPUT, 0, 1, 2);
  call_.now.output_count = 2;
  inputs_[1].now.dtype = INGOT_U8;
  expect(INGOT_WRONG_DTYPE, INGOT_AT_INPUT, 1, INGOT_U8, INGOT_BOOL);
  inputs_[1].now.dtype = INGOT_BOOL;
  outputs_[0].now.rank = 1;
  expect(INGOT_WRONG_RANK, INGOT_AT_OUTPUT, 0, 1, 2);
  outputs_[0].now.rank = 2;
  outputs_[0].now.device = INGOT_CUDA;
  expect(INGOT_WRONG_DEVICE, INGOT_AT_OUTPUT, 0, INGOT_CUDA, INGOT_CPU);
  outputs_[0].now.device = INGOT_CPU;
  const std::int64_t strides[] = {4, 1};
  inputs_[0].now.strides = strides;
  expect(INGOT_WRONG_STRIDES, INGOT_AT_INPUT, 0, 4, 0);
  inputs_[0].now.strides = nullptr;
  inputs_[0].now.bytes = 28;
  expect(INGOT_WRONG_BYTES, INGOT_AT_INPUT, 0, 28, 24);
  inputs_[0].now.bytes = 24;
  inputs_[0].now.data = nullptr;
  expect(INGOT_NULL_DATA, INGOT_AT_INPUT, 0, 0, 24);
  inputs_[0].now.data = pixels_;
  call_.now.workspace_bytes = 79;
  expect(INGOT_WORKSPACE_TOO_SMALL, INGOT_AT_WORKSPACE, 0, 79, 80);
  call_.now.workspace_bytes = 80;
  call_.now.workspace = nullptr;
  expect(INGOT_NULL_DATA, INGOT_AT_WORKSPACE, 0, 0, 80);
  EXPECT_EQ(sums_[0], 0);
}

TEST_F(Call, NullIsDataWhereThereIsNone) {
  symbols_[0] = 0;
  for (LaterTensor* tensor : {&inputs_[0], &inputs_[1], &outputs_[0], &outputs_[1]}) {
    tensor->now.data = nullptr;
    tensor->now.bytes = 0;
  }
  EXPECT_EQ(run(), INGOT_OK);
}

TEST_F(Call, GivesSymbolsBack) {
  std::int64_t values[2] = {};
  call_.now.true_symbols = values;
  EXPECT_EQ(run(), INGOT_OK);
  EXPECT_EQ(values[1], 5);
}

}  // namespace
