// SPDX-License-Identifier: Apache-2.0
// Checkpoints, sound and damaged, and one that TensorFlow wrote.
#include "import/saved_model/checkpoint.h"

#include "import/saved_model/checkpoint_builder.h"

namespace ingot::tensorflow {
namespace {

std::vector<double> numbers(const Expected<Tensor>& tensor) {
  std::vector<double> values;
  if (!tensor) ADD_FAILURE() << tensor.error().message;
  for (std::int64_t i = 0; tensor && i < tensor->elements(); ++i)
    values.push_back(tensor->as_double(i));
  return values;
}

std::string error_of(CheckpointBuilder& builder, const std::string& key) {
  auto checkpoint = builder.open();
  if (!checkpoint) return checkpoint.error().message;
  const auto tensor = checkpoint->tensor(key);
  return tensor ? "none" : tensor.error().message;
}

TensorSlice::Extent& extent(TensorSlice& slice, std::int64_t start, std::int64_t length) {
  TensorSlice::Extent& added = *slice.add_extent();
  if (length < 0) return added;
  added.set_start(start);
  added.set_length(length);
  return added;
}

TEST(SavedModelCheckpoint, TensorsInSeveralFiles) {
  CheckpointBuilder builder(2);
  builder.floats("a", {2, 2}, {1, 2, 3, 4}, 1);
  builder.add("b", 9, {}, std::string_view("\xfe\xff\xff\xff\xff\xff\xff\xff", 8));
  builder.add("c", 10, {3}, std::string_view("\0\2\1", 3));
  builder.add("none", 1, {0, 3}, "");
  builder.strings("words", {"", "two", std::string(300, 'x')});
  auto checkpoint = builder.open();
  ASSERT_TRUE(checkpoint) << checkpoint.error().message;
  const auto a = checkpoint->tensor("a");
  EXPECT_EQ(numbers(a), (std::vector<double>{1, 2, 3, 4}));
  EXPECT_EQ(a->shape(), (std::vector<std::int64_t>{2, 2}));
  EXPECT_EQ(numbers(checkpoint->tensor("b")), std::vector<double>{-2});
  EXPECT_EQ(numbers(checkpoint->tensor("c")), (std::vector<double>{0, 1, 1}));
  EXPECT_EQ(numbers(checkpoint->tensor("none")), std::vector<double>{});
  const auto words = checkpoint->strings("words");
  ASSERT_TRUE(words) << words.error().message;
  EXPECT_EQ(*words, (std::vector<std::string>{"", "two", std::string(300, 'x')}));
  EXPECT_EQ(checkpoint->tensor("words").error().message, "tensor 'words' has element type string");
  EXPECT_EQ(checkpoint->find(""), nullptr);
}

// Keys of TensorFlow's own (EncodeTensorNameSlice): signs, lengths and letters that are escaped.
TEST(SavedModelCheckpoint, KeysOfParts) {
  using namespace std::string_literals;
  TensorSlice slice;
  extent(slice, 0, 8);
  extent(slice, 0, -1);
  EXPECT_EQ(slice_key("w", slice), "\0w\0\1\1\2\x80\x88\x80\x7f"s);
  TensorSlice far;
  extent(far, 63, 64);
  extent(far, 8191, 8192);
  EXPECT_EQ(slice_key("", far), "\0\0\1\1\2\xbf\xc0\x40\xdf\xff\xe0\x20\x00"s);
  EXPECT_EQ(slice_key("a\0\xff"s, {}), "\0a\0\xff\xff\0\0\1\0"s);
}

CheckpointBuilder in_parts() {
  CheckpointBuilder builder(2);
  BundleEntry& whole = builder.entries["w"];
  whole.set_dtype(1);
  for (const std::int64_t size : {2, 3}) whole.mutable_shape()->add_dim()->set_size(size);
  TensorSlice left, right;
  extent(left, 0, -1), extent(left, 0, 2);
  extent(right, 0, -1), extent(right, 2, 1);
  *whole.add_slices() = left;
  *whole.add_slices() = right;
  builder.floats(slice_key("w", left), {2, 2}, {1, 2, 4, 5}, 0);
  builder.floats(slice_key("w", right), {2, 1}, {3, 6}, 1);
  return builder;
}

TEST(SavedModelCheckpoint, PartsBecomeAWhole) {
  CheckpointBuilder builder = in_parts();
  auto checkpoint = builder.open();
  ASSERT_TRUE(checkpoint) << checkpoint.error().message;
  EXPECT_EQ(numbers(checkpoint->tensor("w")), (std::vector<double>{1, 2, 3, 4, 5, 6}));
}

TEST(SavedModelCheckpoint, PartsThatDoNotFit) {
  auto after = [](auto change) {
    CheckpointBuilder builder = in_parts();
    change(builder.entries["w"], builder);
    const std::string message = error_of(builder, "w");
    const std::size_t at = message.find("tensor 'w': ");
    return at == std::string::npos ? message : message.substr(at + 12);
  };
  using B = CheckpointBuilder;
  using E = BundleEntry;
  EXPECT_EQ(after([](E& w, B&) { w.mutable_slices(1)->mutable_extent(1)->set_start(1); }),
            "two parts of it overlap");
  EXPECT_EQ(after([](E& w, B&) { w.mutable_slices(1)->mutable_extent(1)->set_start(3); }),
            "a part of it does not lie within it");
  EXPECT_EQ(after([](E& w, B&) { w.mutable_slices()->RemoveLast(); }),
            "its parts do not make up all of it");
  EXPECT_EQ(after([](E& w, B&) { w.mutable_shape()->mutable_dim(0)->set_size(1LL << 40); }),
            "it is larger than the files that its parts are in");
  EXPECT_EQ(after([](E& w, B& b) { b.entries.erase(slice_key("w", w.slices(0))); }),
            "a part of it is missing");
  EXPECT_EQ(after([](E& w, B& b) {
              E& part = b.entries[slice_key("w", w.slices(0))];
              part.mutable_shape()->mutable_dim(0)->set_size(4);
              part.mutable_shape()->mutable_dim(1)->set_size(1);
            }),
            "a part of it has another type or shape than the whole says");
}

TEST(SavedModelCheckpoint, DamageNamesFileAndTensor) {
  CheckpointBuilder builder;
  builder.floats("dense/kernel", {2}, {1, 2});
  const std::string data = builder.prefix() + ".data-00000-of-00001";
  EXPECT_EQ(error_of(builder, "dense/kernal"),
            builder.prefix() + ".index has no tensor 'dense/kernal'; the nearest: 'dense/kernel'");
  builder.data[0].back() ^= 1;
  EXPECT_EQ(error_of(builder, "dense/kernel"),
            data + ": tensor 'dense/kernel' fails its checksum (CRC-32C); copy the file again");
  builder.data[0].pop_back();
  EXPECT_EQ(error_of(builder, "dense/kernel"),
            data +
                ": it has 10 bytes, but tensor 'dense/kernel' takes 8 from byte 3 on; is it cut "
                "off?");
  builder.entries["dense/kernel"].set_offset(-8);
  EXPECT_NE(error_of(builder, "dense/kernel").find("from byte -8 on"), std::string::npos);
  builder.entries["dense/kernel"].set_size(4);
  EXPECT_NE(error_of(builder, "dense/kernel").find("has 2 elements of f32, but 4 bytes"),
            std::string::npos);
  builder.entries["dense/kernel"].mutable_shape()->mutable_dim(0)->set_size(-2);
  EXPECT_NE(error_of(builder, "dense/kernel").find(".index: tensor 'dense/kernel': "),
            std::string::npos);
  builder.entries["dense/kernel"].set_shard_id(1);
  EXPECT_NE(error_of(builder, "dense/kernel").find("tensor 'dense/kernel'"), std::string::npos);
}

TEST(SavedModelCheckpoint, MissingFilesAreNamed) {
  CheckpointBuilder builder(2);
  builder.floats("a", {1}, {1}, 1);
  auto checkpoint = builder.open();
  ASSERT_TRUE(checkpoint);
  const std::string path = builder.prefix() + ".data-00001-of-00002";
  ASSERT_EQ(std::remove(path.c_str()), 0);
  EXPECT_EQ(checkpoint->tensor("a").error().message,
            path + ": this file is missing, and tensor 'a' is in it; copy the whole folder");
  EXPECT_EQ(checkpoint->tensor("a").error().code, ErrorCode::invalid_model);
}

TEST(SavedModelCheckpoint, HeadersThatAreNotOurs) {
  CheckpointBuilder builder;
  builder.header.set_endianness(1);
  EXPECT_NE(error_of(builder, "a").find("big-endian"), std::string::npos);
  EXPECT_NE(Checkpoint::read(bytes_of_text(table_file({})), "x").error().message.find("header"),
            std::string::npos);
}

TEST(SavedModelCheckpoint, StringsThatLie) {
  CheckpointBuilder builder;
  const BundleEntry entry = builder.strings("words", {"one", "two"});
  const std::string sound = builder.data[0].substr(3);
  auto decode = [&](std::string text, std::uint64_t count) {
    const auto strings = decode_strings(bytes_of_text(text), count, entry.crc32c());
    return strings ? "none" : strings.error().message;
  };
  EXPECT_EQ(decode(sound, 2), "none");
  EXPECT_EQ(decode(sound, 1ULL << 60), "a tensor of strings is larger than what is stored of it");
  EXPECT_EQ(decode(sound.substr(0, 4), 2), "a tensor of strings ends within its lengths");
  EXPECT_EQ(decode(sound + "x", 2), "a tensor of strings fails its checksum (CRC-32C)");
  for (std::size_t i = 0; i < sound.size(); ++i) {
    std::string changed = sound;
    changed[i] ^= 4;
    EXPECT_NE(decode(changed, 2), "none") << i;
  }
}

}  // namespace
}  // namespace ingot::tensorflow
