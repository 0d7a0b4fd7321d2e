// SPDX-License-Identifier: Apache-2.0
// The encodings of TensorProto, honest and not.
#include "import/onnx/tensor_proto.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <fstream>

#include "import/onnx/model_builder.h"
#include "import/onnx/tensor_file.h"

namespace ingot::onnx {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TensorProto proto_of(int type, const std::vector<std::int64_t>& dims) {
  TensorProto proto;
  proto.set_name("t");
  proto.set_data_type(type);
  for (const std::int64_t dim : dims) proto.add_dims(dim);
  return proto;
}

std::string failure(const TensorProto& proto, const std::filesystem::path& folder = {}) {
  const Expected<Tensor> tensor = to_tensor(proto, {folder});
  return tensor ? "no error" : tensor.error().message;
}

TEST(TensorProtoImport, UnpacksIntegersOfFewBits) {
  TensorProto proto;
  proto.set_data_type(22);  // int4
  proto.add_dims(3);
  proto.set_raw_data("\x87\xf1");
  EXPECT_THAT(numbers(*to_tensor(proto, {})), ElementsAre(7, -8, 1));
  proto.set_data_type(21);  // uint4
  EXPECT_THAT(numbers(*to_tensor(proto, {})), ElementsAre(7, 8, 1));
  proto.set_raw_data("\x87");
  EXPECT_EQ(to_tensor(proto, {}).error().code, ErrorCode::invalid_model);
  proto.clear_raw_data();
  proto.add_int32_data(0x87);
  proto.add_int32_data(0x01);
  EXPECT_THAT(numbers(*to_tensor(proto, {})), ElementsAre(7, 8, 1));
  proto.set_data_type(26);  // int2
  proto.clear_int32_data();
  proto.add_int32_data(0x39);
  EXPECT_THAT(numbers(*to_tensor(proto, {})), ElementsAre(1, -2, -1));
  proto.add_int32_data(0);
  EXPECT_EQ(to_tensor(proto, {}).error().code, ErrorCode::invalid_model);
}

TEST(TensorProtoImport, TypedLists) {
  TensorProto half = proto_of(10, {2});
  half.add_int32_data(0x3c00);  // 1
  half.add_int32_data(0xc000);  // -2
  EXPECT_THAT(numbers(*to_tensor(half, {})), ElementsAre(1, -2));
  TensorProto brain = proto_of(16, {1});
  brain.add_int32_data(0x4040);  // 3
  EXPECT_THAT(numbers(*to_tensor(brain, {})), ElementsAre(3));
  TensorProto bytes = proto_of(3, {2});
  bytes.add_int32_data(-128);
  bytes.add_int32_data(127);
  EXPECT_THAT(numbers(*to_tensor(bytes, {})), ElementsAre(-128, 127));
  TensorProto booleans = proto_of(9, {3});
  for (const int value : {0, 1, 2}) booleans.add_int32_data(value);
  EXPECT_THAT(numbers(*to_tensor(booleans, {})), ElementsAre(0, 1, 1));
  TensorProto unsigned32 = proto_of(12, {1});
  unsigned32.add_uint64_data(4294967295U);
  EXPECT_THAT(numbers(*to_tensor(unsigned32, {})), ElementsAre(4294967295.0));
  TensorProto doubles = proto_of(11, {});
  doubles.add_double_data(0.1);
  EXPECT_THAT(numbers(*to_tensor(doubles, {})), ElementsAre(0.1));
}

TEST(TensorProtoImport, RawBytes) {
  TensorProto raw = proto_of(6, {2});
  raw.set_raw_data(std::string("\x01\x00\x00\x00\xff\xff\xff\xff", 8));
  EXPECT_THAT(numbers(*to_tensor(raw, {})), ElementsAre(1, -1));
  raw.set_raw_data("1234567");
  EXPECT_THAT(failure(raw), HasSubstr("tensor 't': 7 bytes for 2 elements"));
}

TEST(TensorProtoImport, SizesAreCheckedBeforeAnythingIsAllocated) {
  TensorProto huge = proto_of(1, {1LL << 40});
  huge.set_raw_data("");
  EXPECT_THAT(failure(huge), HasSubstr("the file is damaged"));
  EXPECT_THAT(failure(proto_of(1, {1LL << 40})), HasSubstr("0 numbers"));
  EXPECT_NE(failure(proto_of(1, {1LL << 40, 1LL << 40})), "no error");
  EXPECT_NE(failure(proto_of(7, {1LL << 61})), "no error");
  EXPECT_NE(failure(proto_of(1, {-1})), "no error");
}

TEST(TensorProtoImport, TypesWeHaveNot) {
  EXPECT_EQ(to_tensor(proto_of(8, {1}), {}).error().code, ErrorCode::unsupported);
  EXPECT_THAT(failure(proto_of(23, {1})), HasSubstr("float4e2m1"));
  EXPECT_EQ(to_tensor(proto_of(99, {1}), {}).error().code, ErrorCode::invalid_model);
  EXPECT_EQ(to_tensor(proto_of(0, {1}), {}).error().code, ErrorCode::invalid_model);
}

class ExternalData : public ::testing::Test {
 protected:
  void SetUp() override {
    root_ = std::filesystem::temp_directory_path() / fmt::format("ingot_external_{}", getpid());
    std::filesystem::create_directories(root_ / "model");
    std::ofstream(root_ / "model" / "weights.bin", std::ios::binary)
        << std::string("skip\0\0\x80\x3f\0\0\0\x40", 12);
    std::ofstream(root_ / "secret.bin", std::ios::binary) << "12345678";
  }
  void TearDown() override { std::filesystem::remove_all(root_); }

  std::string load(const std::string& location, const std::string& offset = "4") {
    TensorProto proto = proto_of(1, {2});
    proto.set_data_location(TensorProto::EXTERNAL);
    for (const auto& [key, value] : {std::pair{"location", location}, {"offset", offset}}) {
      StringStringEntryProto* entry = proto.add_external_data();
      entry->set_key(key);
      entry->set_value(value);
    }
    const Expected<Tensor> tensor = to_tensor(
        proto, {root_ / "model", [this](const std::string& path) { read_.push_back(path); }});
    return tensor ? fmt::format("{}", fmt::join(numbers(*tensor), " ")) : tensor.error().message;
  }

  std::filesystem::path root_;
  std::vector<std::string> read_;
};

TEST_F(ExternalData, FromTheModelsFolder) {
  EXPECT_EQ(load("weights.bin"), "1 2");
  EXPECT_EQ(load("./weights.bin"), "1 2");
  const std::string file = std::filesystem::canonical(root_ / "model" / "weights.bin").string();
  EXPECT_THAT(read_, ElementsAre(file, file)) << "whoever asks is told of each file";
}

TEST_F(ExternalData, NeverFromElsewhere) {
  const std::string refusal = "is not inside the model's folder";
  EXPECT_THAT(load("../secret.bin", "0"), HasSubstr(refusal));
  EXPECT_THAT(load((root_ / "secret.bin").string(), "0"), HasSubstr(refusal));
  EXPECT_THAT(load((root_ / "model" / "weights.bin").string()), HasSubstr(refusal));
  std::filesystem::create_symlink(root_ / "secret.bin", root_ / "model" / "link.bin");
  EXPECT_THAT(load("link.bin", "0"), HasSubstr(refusal));
  EXPECT_THAT(load(""), HasSubstr(refusal));
  EXPECT_TRUE(read_.empty());
}

TEST_F(ExternalData, WithinTheFile) {
  EXPECT_THAT(load("weights.bin", "5"), HasSubstr("truncated"));
  EXPECT_THAT(load("weights.bin", "18446744073709551615"), HasSubstr("truncated"));
  EXPECT_THAT(load("weights.bin", "-4"), HasSubstr("is no number"));
  EXPECT_THAT(load("missing.bin"), HasSubstr("is missing; put it beside the model"));
}

TEST(TensorFile, NamesAndJunk) {
  TensorProto proto = proto_of(7, {1});
  proto.add_int64_data(5);
  const std::string bytes = proto.SerializeAsString();
  const Expected<NamedTensor> named =
      read_tensor_proto(std::as_bytes(std::span(bytes.data(), bytes.size())));
  ASSERT_TRUE(named);
  EXPECT_EQ(named->name, "t");
  EXPECT_THAT(numbers(named->tensor), ElementsAre(5));
  const std::string junk = "\xff\xff\xff";
  EXPECT_FALSE(read_tensor_proto(std::as_bytes(std::span(junk.data(), junk.size()))));
}

}  // namespace
}  // namespace ingot::onnx
