// SPDX-License-Identifier: Apache-2.0
#include "notes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

namespace ingot::bench {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Key;
using testing::Pair;

TEST(Notes, TablesUnderALineWithTheNumberOfEventsAreRead) {
  const Notes notes = read_notes(R"(# Peers

Measured on that core: 273.5 GFLOP/s of FMA (136.5 GMAC/s).

| column | what |
|---|---|
| ORT | ONNX Runtime |

N = 1

| model | MMAC per event | ORT | OpenVINO | IREE | XLA AOT | TF C API | best |
|---|---|---|---|---|---|---|---|
| a-net | 1.5 | 89.9 | - | 4 | 0.15 | 1062 | 0.15 |
| b-net | - | - | - | - | - | - | - |

N = 16

| model | ORT |
|---|---|
| a-net | 999 |

Dense stacks, microseconds per event at N = 64

| model | ORT |
|---|---|
| c-net | 4.34 / 4.09 |
| d-net | 4 |
)");
  const Times a1 = {{"onnxruntime", 89.9}, {"iree", 4}, {"xla", 0.15}, {"tensorflow", 1062}};
  EXPECT_EQ(notes.peak_gflops, 273.5);
  ASSERT_EQ(notes.times.size(), 2);
  EXPECT_EQ(notes.times.at({1, "a-net"}), a1);
  EXPECT_EQ(notes.times.at({16, "a-net"}), (Times{{"onnxruntime", 999}}));
}

TEST(Notes, TextsWithoutTablesGiveNone) {
  EXPECT_THAT(read_notes("").times, IsEmpty());
  const Notes notes =
      read_notes(" GFLOP/s\nN = 1\n\n| model |\n|\n||\nN = x\n| model | ORT |\n| a | 1 |");
  EXPECT_THAT(notes.times, IsEmpty());
  EXPECT_EQ(notes.peak_gflops, 0);
}

TEST(Notes, ThoseOfTheSharedFolderAreFound) {
  const Notes notes = find_notes(INGOT_SOURCE_DIR);
  if (notes.times.empty()) GTEST_SKIP() << "no ../shared/notes/peers.md";
  EXPECT_GT(notes.peak_gflops, 100);
  EXPECT_GT(notes.times.size(), 50);
  EXPECT_GT(notes.times.at({1, "l1-tau-3layer"}).size(), 3);
}

TEST(Notes, AnEngineThatIsWorseAgainstTheOthersIsDoubted) {
  const Times noted = {{"a", 10}, {"b", 20}, {"c", 30}, {"d", 1}};
  EXPECT_THAT(doubts({{"a", 20}, {"b", 40}, {"c", 60}}, noted), IsEmpty());
  EXPECT_THAT(doubts({{"a", 20}, {"b", 40}, {"c", 77}}, noted), IsEmpty());
  EXPECT_THAT(
      doubts({{"a", 20}, {"b", 40}, {"c", 120}}, noted),
      ElementsAre(Pair("c", "2.0 times worse against the other engines than in the notes")));
  // One that is better casts no doubt on several others.
  EXPECT_THAT(doubts({{"a", 1}, {"b", 40}, {"c", 60}, {"d", 2}}, noted), IsEmpty());
  // Engines that were not measured there, or not here, do not count.
  EXPECT_THAT(doubts({{"a", 20}, {"e", 40}}, noted), IsEmpty());
  EXPECT_THAT(doubts({{"a", 20}, {"b", 20}}, noted), ElementsAre(Key("a")));
}

TEST(Notes, WhatALowerPeakExplainsIsNoDoubt) {
  const Times noted = {{"a", 10}, {"b", 20}, {"c", 0.1}};
  EXPECT_THAT(doubts({{"a", 10}, {"b", 20}, {"c", 0.2}}, noted), ElementsAre(Key("c")));
  EXPECT_THAT(doubts({{"a", 10}, {"b", 20}, {"c", 0.2}}, noted, 2.3), IsEmpty());
  EXPECT_THAT(doubts({{"a", 10}, {"b", 20}, {"c", 0.4}}, noted, 2.3), ElementsAre(Key("c")));
  // Where all are as much slower as the peak, the rule is as strict as it is.
  EXPECT_THAT(doubts({{"a", 23}, {"b", 46}, {"c", 0.31}}, noted, 2.3), ElementsAre(Key("c")));
}

TEST(Notes, ResultsAreMarked) {
  Notes notes;
  notes.peak_gflops = 200;
  notes.times[{16, "net"}] = {{"a", 10}, {"b", 20}};
  const auto marked = [&](const std::string& model, std::int64_t events, double peak) {
    bench::Run run;
    run.events = events;
    for (const auto& [engine, time] : Times{{"a", 10}, {"b", 50}, {"ours", 1}}) {
      run.results.emplace_back().engine = engine;
      run.results.back().hot.emplace().median = time;
    }
    run.results.emplace_back().engine = "failed";
    mark_doubts(notes, model, peak, run);
    std::string engines;
    for (const Result& result : run.results)
      if (!result.doubt.empty()) engines += result.engine;
    return engines;
  };
  EXPECT_EQ(marked("net", 16, 200), "b");
  EXPECT_EQ(marked("net", 16, 400), "b");
  EXPECT_EQ(marked("net", 16, 0), "b");
  EXPECT_EQ(marked("net", 16, 100), "");
  EXPECT_EQ(marked("net", 1, 200), "");
  EXPECT_EQ(marked("other", 16, 200), "");
}

}  // namespace
}  // namespace ingot::bench
