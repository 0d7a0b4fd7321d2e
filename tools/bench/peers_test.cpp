// SPDX-License-Identifier: Apache-2.0
#include "peers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>

#include "base/file.h"
#include "child.h"

namespace ingot::bench {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

/// A folder of peers with one engine, `fake`, whose preparation is a shell script.
class Peers : public testing::Test {
 protected:
  void SetUp() override {
    Expected<TemporaryFolder> made = TemporaryFolder::make();
    ASSERT_TRUE(made);
    folder_.emplace(*std::move(made));
    write("model", "3");
    write("prepare", R"(
if grep -q '"make":"nothing"' "$2"; then echo "at first"; echo "no op Foo" >&2; exit 1; fi
if grep -q '"make":"no sense"' "$2"; then echo "{" >"$3"; exit 0; fi
grep -q '"shape":\[2,3\]' "$2" && grep -q '"declared":\["N",3\]' "$2" || exit 9
grep -q '"constants":{"training":"false"}' "$2" || exit 10
echo "{\"path\": \"$(dirname "$1")/model\"}" >"$3"
)");
    set("right", R"([{"label": "only"}])");
  }

  void write(const std::string& name, const std::string& text) {
    ASSERT_TRUE(write_file(folder_->file(name), text));
  }
  void set(const std::string& variant, const std::string& candidates) {
    write("peers.json",
          fmt::format(R"({{"prepare": ["sh", "{}/prepare"], "engines": [{{"key": "fake",
            "version": "1.2", "summary": "at its best", "plugin": "{}/tests/bench/fake_peer_{}.so",
            "candidates": {}}}]}})",
                      folder_->path(), INGOT_BINARY_DIR, variant, candidates));
  }

  Question question() const {
    Question result;
    result.model = folder_->file("model");
    result.input_names = {"x"};
    result.output_names = {"y"};
    Tensor x(DType::f32, {2, 3});
    for (std::int64_t i = 0; i < 6; ++i) x.set<float>(i, static_cast<float>(i));
    result.inputs = {x};
    result.outputs = {{DType::f32, {2, 3}}};
    result.declared = {{DType::f32, {Dim::symbol("N"), 3}}};
    result.sizes = {{"N", 2}};
    result.constants = {{"training", "false"}};
    return result;
  }

  Expected<std::unique_ptr<Contender>> open() {
    INGOT_ASSIGN(const auto engines, find_peers(folder_->path()));
    return engines.at(0)->open(question());
  }
  std::string refusal() {
    const auto contender = open();
    return contender ? "none" : contender.error().message;
  }

  std::optional<TemporaryFolder> folder_;
};

TEST_F(Peers, AnEngineIsListedOpenedAndCalled) {
  const auto engines = find_peers(folder_->path());
  ASSERT_TRUE(engines);
  ASSERT_EQ(engines->size(), 1);
  EXPECT_EQ((*engines)[0]->name, "fake");
  EXPECT_EQ((*engines)[0]->version, "1.2");
  EXPECT_EQ((*engines)[0]->settings, "at its best");
  const auto contender = (*engines)[0]->open(question());
  ASSERT_TRUE(contender) << contender.error().message;
  EXPECT_EQ((*contender)->note, "only");
  ASSERT_TRUE((*contender)->run());
  const auto outputs = (*contender)->outputs();
  ASSERT_TRUE(outputs) << outputs.error().message;
  ASSERT_EQ(outputs->size(), 1);
  EXPECT_EQ((*outputs)[0].shape(), (std::vector<std::int64_t>{2, 3}));
  for (std::int64_t i = 0; i < 6; ++i)
    EXPECT_EQ((*outputs)[0].at<float>(i), 3 * static_cast<float>(i));
  const auto times = (*contender)->measure(1);
  ASSERT_TRUE(times);
  EXPECT_TRUE(times->empty());
}

TEST_F(Peers, TheFastestOfSeveralSettingsIsMeasured) {
  set("right", R"([{"label": "a", "do": "slow"}, {"label": "b"}, {"label": "c", "do": "slow"}])");
  const auto contender = open();
  ASSERT_TRUE(contender) << contender.error().message;
  EXPECT_EQ((*contender)->note, "b");
}

TEST_F(Peers, SettingsThatDoNotWorkAreLeftOut) {
  set("right", R"([{"label": "a", "do": "refuses"}, {"label": "b", "prepare": {"make": "nothing"}},
                   {"label": "c", "do": "fails"}, {"label": "d"}])");
  const auto contender = open();
  ASSERT_TRUE(contender) << contender.error().message;
  EXPECT_EQ((*contender)->note, "d");
}

TEST_F(Peers, AnEngineMayMeasureItself) {
  set("right", R"([{"label": "", "do": "measures"}])");
  const auto contender = open();
  ASSERT_TRUE(contender) << contender.error().message;
  const auto times = (*contender)->measure(2);
  ASSERT_TRUE(times);
  EXPECT_THAT(*times, testing::ElementsAre(0, 2, 4));

  set("right", R"([{"label": "", "do": "measures half"}])");
  const auto broken = open();
  ASSERT_TRUE(broken) << broken.error().message;
  const auto none = (*broken)->measure(2);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().message, "Fake: no clock");
}

TEST_F(Peers, WhatFailsIsAnErrorOfOpening) {
  set("right", R"([{"do": "refuses"}])");
  EXPECT_EQ(refusal(), "Fake: it refuses");
  set("right", R"([{"do": "fails"}])");
  EXPECT_EQ(refusal(), "Fake: it fails");
  set("right", R"([{"prepare": {"make": "nothing"}}])");
  EXPECT_EQ(refusal(), "no op Foo");
  set("right", R"([{"prepare": {"make": "no sense"}}])");
  EXPECT_THAT(refusal(), EndsWith("is not JSON"));
  set("version", "[{}]");
  EXPECT_THAT(refusal(), HasSubstr("is of version 2 of the interface, this program of 1"));
  set("nothing", "[{}]");
  EXPECT_THAT(refusal(), EndsWith("has no symbol ingot_peer_plugin"));
  set("absent", "[{}]");
  EXPECT_THAT(refusal(), StartsWith("cannot load the plug-in: "));
}

TEST_F(Peers, AnOutputOfAnotherSizeIsAnError) {
  set("right", R"([{"do": "half"}])");
  const auto contender = open();
  ASSERT_TRUE(contender) << contender.error().message;
  const auto outputs = (*contender)->outputs();
  ASSERT_FALSE(outputs);
  EXPECT_EQ(outputs.error().message, "Fake: 'y' is of another type than in the model");
}

TEST_F(Peers, ListsThatAreNoneAreErrors) {
  const auto message = [&](std::span<const std::string> names = {}) {
    const auto engines = find_peers(folder_->path(), names);
    return engines ? "none" : engines.error().message;
  };
  const std::string other[] = {"other"}, fake[] = {"fake"};
  EXPECT_EQ(message(fake), "none");
  EXPECT_THAT(message(other), EndsWith("lists no engine 'other'"));
  set("right", "[]");
  EXPECT_THAT(message(), HasSubstr("without settings"));
  write("peers.json", R"({"engines": [{"key": 1}]})");
  EXPECT_THAT(message(), EndsWith("run ./dev peers-setup again"));
  write("peers.json", "engines:");
  EXPECT_THAT(message(), EndsWith("is not JSON"));
  std::filesystem::remove(folder_->file("peers.json"));
  EXPECT_THAT(message(), HasSubstr("./dev peers-setup makes"));
}

TEST(Child, EndsInTimeOrIsEnded) {
  const auto begin = std::chrono::steady_clock::now();
  const auto slow = run_child({"sh", "-c", "sleep 60 & sleep 60"}, 0.2);
  ASSERT_FALSE(slow);
  EXPECT_EQ(slow.error().message, "'sh': it did not end in 0.2 s");
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(20));
  EXPECT_TRUE(run_child({"true"}, 60));
  const auto said = run_child({"sh", "-c", "echo one >&2; echo two >&2; exit 3"}, 60);
  ASSERT_FALSE(said);
  EXPECT_EQ(said.error().message, "two");
  const auto silent = run_child({"sh", "-c", "exit 3"}, 60);
  ASSERT_FALSE(silent);
  EXPECT_EQ(silent.error().message, "'sh' ended with status 3");
  const auto killed = run_child({"sh", "-c", "kill -9 $$"}, 60);
  ASSERT_FALSE(killed);
  EXPECT_EQ(killed.error().message, "'sh' was killed by signal 9");
  EXPECT_FALSE(run_child({"/no/such/program"}, 60));
}

}  // namespace
}  // namespace ingot::bench
