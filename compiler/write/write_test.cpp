// SPDX-License-Identifier: Apache-2.0
// The header and the manifest as golden texts, and names that try to break out of them.
// INGOT_BLESS=1 rewrites the golden files.
#include "write/write.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/abi/fake_interface.h"

namespace ingot::write {
namespace {

std::string read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return std::move(text).str();
}

void expect_golden(const std::string& text, const std::string& name) {
  const std::string path = std::string(INGOT_SOURCE_DIR) + "/tests/golden/header/" + name;
  if (std::getenv("INGOT_BLESS") != nullptr) std::ofstream(path, std::ios::binary) << text;
  EXPECT_EQ(text, read(path)) << path << ": if this is meant, ./dev bless";
}

/// The header with the parts that all headers share as one line each, which names their file.
std::string without_shared_parts(std::string text) {
  for (const char* part : {"abi", "span", "cpu", "self_test", "face"}) {
    std::string guard = part;
    for (char& c : guard) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    guard = "INGOT_" + guard + (guard == "ABI" ? "_1_0" : "_1");
    const std::size_t opening = text.find("#ifndef " + guard + "\n");
    EXPECT_NE(opening, std::string::npos) << guard;
    if (opening == std::string::npos) continue;
    const std::size_t begin = text.rfind("// SPDX", opening);
    std::size_t end = opening;
    int depth = 0;
    do {  // to the end of the guard
      const std::string line = text.substr(end, text.find('\n', end) - end);
      if (line.starts_with("#if")) ++depth;
      if (line.starts_with("#endif")) --depth;
      end += line.size() + 1;
    } while (depth > 0);
    text.replace(begin, end - begin,
                 "// ... the text of <ingot/" + std::string(part) + ".h> ...\n");
  }
  return text;
}

TEST(Header, IsAsItWasDesigned) {
  expect_golden(without_shared_parts(header_text(fake_interface())), "fake.h");
}

TEST(Header, NeedsOnlyTheStandardLibrary) {
  std::istringstream text(header_text(fake_interface()));
  for (std::string line; std::getline(text, line);) {
    EXPECT_FALSE(line.starts_with("#include <ingot") || line.starts_with("#include \"")) << line;
  }
}

TEST(Header, OfAModelWithoutSizesHasNone) {
  Interface model = fake_interface();
  model.symbols.clear();
  model.constraints.clear();
  for (auto* tensors : {&model.inputs, &model.outputs}) {
    for (TensorInterface& tensor : *tensors) tensor.axes[0] = {"5", 5, -1};
  }
  expect_golden(without_shared_parts(header_text(model)), "fixed.h");
}

TEST(Header, StaysAHeaderWhateverTheModelSays) {
  Interface model = fake_interface();
  model.source = "evil.onnx\n#error";
  model.version = "*/ \\";
  model.inputs[0].name = "a\n#error b\\";
  model.symbols[0].name = "N\n#error";
  model.constraints[0] = "N\n#error";
  std::istringstream text(header_text(model));
  for (std::string line; std::getline(text, line);) {
    EXPECT_FALSE(line.starts_with("#error")) << line;
    EXPECT_FALSE(line.starts_with("//") && line.ends_with("\\")) << line;
  }
}

TEST(Header, NameMustBeANamespace) {
  Interface model = fake_interface();
  model.name = "my-model";
  const auto texts = write_texts(model.name, {&model, 1});
  ASSERT_FALSE(texts);
  EXPECT_EQ(texts.error().code, ErrorCode::invalid_argument);
  EXPECT_EQ(texts.error().message,
            "the name 'my-model' cannot name a C++ namespace; give another one with --name");
}

TEST(Header, OfSeveralModels) {
  expect_golden(without_shared_parts(header_text("two", fake_interfaces())), "two.h");
}

TEST(Manifest, OfSeveralModels) {
  const auto json = nlohmann::json::parse(manifest_text("two", fake_interfaces()));
  EXPECT_EQ(json["name"], "two");
  EXPECT_EQ(json["hash"], fake_interface().hash);
  EXPECT_EQ(json["weights"]["bytes"], 64);
  ASSERT_EQ(json["models"].size(), 2U);
  for (std::size_t i = 0; i < 2; ++i)
    EXPECT_EQ(json["models"][i], nlohmann::json::parse(manifest_text(fake_interfaces()[i])));
}

TEST(Manifest, IsAsItWasDesigned) { expect_golden(manifest_text(fake_interface()), "fake.json"); }

TEST(Manifest, IsJsonWhateverTheModelSays) {
  Interface model = fake_interface();
  model.inputs[0].name = "\xff\"\n";
  const auto json = nlohmann::json::parse(manifest_text(model));
  EXPECT_EQ(json["inputs"][0]["name"], "\xef\xbf\xbd\"\n");
}

TEST(Manifest, OptionsWithTheSameFlagAreAllThere) {
  Interface model = fake_interface();
  model.options = {{"--dim", "N=1:64"}, {"--dim", "k=3"}, {"--isa", "v3"}};
  const auto json = nlohmann::json::parse(manifest_text(model));
  EXPECT_EQ(json["options"].dump(), R"([["--dim","N=1:64"],["--dim","k=3"],["--isa","v3"]])");
}

}  // namespace
}  // namespace ingot::write
