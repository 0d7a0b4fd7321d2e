// SPDX-License-Identifier: Apache-2.0
// The loader on shared objects of the model that tests/abi/fake_model.cpp is by hand, and on files
// that are none.
#include <ingot/load.h>

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

namespace ingot {
namespace {

const std::string folder = std::string(INGOT_BINARY_DIR) + "/tests/abi/";
const std::string fake = folder + "fake.so";

std::string error_of(const char* path, const char* model = nullptr, const char* variant = nullptr) {
  const LoadedModel loaded = LoadedModel::load(path, model, variant);
  EXPECT_FALSE(loaded.ok());
  return loaded.error().c_str();
}

TEST(Load, RunsAModelOfAFile) {
  const LoadedModel loaded = LoadedModel::load(fake.c_str());
  ASSERT_TRUE(loaded.ok()) << loaded.error().c_str();
  EXPECT_STREQ(loaded.error().c_str(), "");
  EXPECT_EQ(loaded.model_count(), 1U);
  EXPECT_STREQ(loaded.model(0).name, "fake");
  EXPECT_STREQ(loaded.variant()->name, "plain");
  EXPECT_TRUE(loaded.self_test().ok());

  const std::int64_t symbols[] = {2, 3};
  std::uint64_t bytes = 0;
  ASSERT_TRUE(loaded.workspace_bytes(symbols, 1, bytes).ok());
  ASSERT_EQ(bytes, 80U);
  std::vector<std::byte> workspace(bytes);
  const float pixels[] = {1, 2, 3, 4, 5, 6};
  const bool mask[] = {false, true};
  float sums[4] = {};
  std::int32_t classes[2] = {};
  const ingot_tensor inputs[] = {input_tensor(Span<const float>(pixels), 2),
                                 input_tensor(Span<const bool>(mask), 1)};
  const ingot_tensor outputs[] = {output_tensor(Span<float>(sums), 2),
                                  output_tensor(Span<std::int32_t>(classes), 1)};
  ingot_call call = make_call(symbols, inputs, outputs, workspace);
  const Status status = loaded.run(call);
  ASSERT_TRUE(status.ok()) << status.message().c_str();
  EXPECT_EQ(sums[0], 2);
  EXPECT_EQ(sums[2], 4);
  EXPECT_EQ(classes[1], 1);
}

std::vector<std::byte> contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const auto* first = reinterpret_cast<const std::byte*>(text.data());
  return {first, first + text.size()};
}

TEST(Load, TakesBytes) {
  std::vector<std::byte> bytes = contents(fake);
  ASSERT_GT(bytes.size(), 1000U);
  LoadedModel first = LoadedModel::load_bytes(bytes, "fake");
  LoadedModel second = LoadedModel::load_bytes(bytes, "fake", "fake", "second");
  bytes.clear();
  ASSERT_TRUE(first.ok()) << first.error().c_str();
  ASSERT_TRUE(second.ok()) << second.error().c_str();
  EXPECT_STREQ(second.variant()->name, "second");
  EXPECT_NE(first.descriptor(), second.descriptor()) << "each has memory of its own";
  const LoadedModel moved = std::move(first);
  second = LoadedModel();
  EXPECT_TRUE(moved.self_test().ok());
}

TEST(Load, RefusesBytesThatAreNoModel) {
  const auto error = [](const std::vector<std::byte>& bytes) {
    const LoadedModel loaded = LoadedModel::load_bytes(bytes, "it");
    EXPECT_FALSE(loaded.ok());
    return std::string(loaded.error().c_str());
  };
  EXPECT_EQ(error({}), "it: is empty; the bytes of a shared object are wanted");
  EXPECT_EQ(error(std::vector<std::byte>(100)).rfind("it: cannot be loaded: ", 0), 0U);
  // To map what is not there would end the program.
  const std::vector<std::byte> whole = contents(fake);
  for (const std::size_t left : {whole.size() / 8, whole.size() / 2}) {
    const std::vector<std::byte> part(whole.begin(),
                                      whole.begin() + static_cast<std::ptrdiff_t>(left));
    EXPECT_EQ(error(part), "it: is cut off: it ends before its segments; copy it again");
  }
  EXPECT_EQ(error(contents(folder + "empty.so")),
            "it: is no compiled model: it does not export ingot_models");
}

TEST(Load, CanBeMoved) {
  LoadedModel first = LoadedModel::load(fake.c_str(), "fake", "second");
  LoadedModel second = std::move(first);
  EXPECT_TRUE(second.ok());
  EXPECT_STREQ(second.variant()->name, "second");
  second = LoadedModel();
  EXPECT_FALSE(second.ok());
  EXPECT_EQ(second.self_test().code(), INGOT_NOT_LOADED);
}

TEST(Load, SaysWhyItCannot) {
  EXPECT_EQ(error_of("no_such_model.so").rfind("no_such_model.so: cannot be loaded: ", 0), 0U);
  EXPECT_NE(error_of("/bin/true").find("cannot be loaded"), std::string::npos);
  EXPECT_EQ(error_of((folder + "empty.so").c_str()),
            folder + "empty.so: is no compiled model: it does not export ingot_models");
  EXPECT_EQ(error_of((folder + "newer.so").c_str()),
            folder +
                "newer.so: has another major version of the ABI; compile the model with this "
                "version of ingot");
  EXPECT_EQ(error_of(fake.c_str(), "digits"), fake + ": has no model named digits; it has fake");
}

TEST(Load, NamesTheVariantsThatThereAre) {
  EXPECT_EQ(
      error_of(fake.c_str(), nullptr, "v9"),
      fake +
          ": fake: no variant that was asked for (by name or INGOT_ISA) runs on this machine; "
          "it has never pinned loose plain second");
  setenv("INGOT_ISA", "never", 1);
  const LoadedModel loaded = LoadedModel::load(fake.c_str());
  unsetenv("INGOT_ISA");
  EXPECT_FALSE(loaded.ok());
  EXPECT_STREQ(loaded.descriptor()->name, "fake");
  EXPECT_EQ(loaded.self_test().code(), INGOT_NO_VARIANT);
}

TEST(Load, RefusesDamagedDescriptors) {
  const LoadedModel loaded = LoadedModel::load(fake.c_str());
  ASSERT_TRUE(loaded.ok());
  EXPECT_EQ(descriptor_defect(*loaded.descriptor()), nullptr);
  const auto defect = [&](auto change) {
    ingot_model model = *loaded.descriptor();
    change(model);
    const char* text = descriptor_defect(model);
    return std::string(text != nullptr ? text : "none");
  };
  EXPECT_EQ(defect([](ingot_model& m) { m.struct_bytes = 240; }),
            "its descriptor is shorter than any version's");
  EXPECT_EQ(defect([](ingot_model& m) { m.struct_bytes = 400; }), "none") << "a later version";
  EXPECT_EQ(defect([](ingot_model& m) { m.abi_minor = 9; }), "none");
  EXPECT_NE(defect([](ingot_model& m) { m.abi_major = 2; }).find("major"), std::string::npos);
  EXPECT_EQ(defect([](ingot_model& m) { m.hash = nullptr; }), "its descriptor lacks a text");
  EXPECT_EQ(defect([](ingot_model& m) { m.shapes = nullptr; }), "its descriptor lacks a function");
  const std::string damaged = "a table of its descriptor is damaged";
  EXPECT_EQ(defect([](ingot_model& m) { m.inputs.items = nullptr; }), damaged);
  EXPECT_EQ(defect([](ingot_model& m) { m.symbols.item_bytes = 32; }), damaged);
  EXPECT_EQ(defect([](ingot_model& m) { m.variants.item_bytes = 104; }), damaged);
}

}  // namespace
}  // namespace ingot
