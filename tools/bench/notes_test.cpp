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
  ASSERT_EQ(notes.size(), 2);
  EXPECT_EQ(notes.at({1, "a-net"}), a1);
  EXPECT_EQ(notes.at({16, "a-net"}), (Times{{"onnxruntime", 999}}));
}

TEST(Notes, TextsWithoutTablesGiveNone) {
  EXPECT_THAT(read_notes(""), IsEmpty());
  EXPECT_THAT(read_notes("N = 1\n\n| model |\n|\n||\nN = x\n| model | ORT |\n| a | 1 |"),
              IsEmpty());
}

TEST(Notes, ThoseOfTheSharedFolderAreFound) {
  const Notes notes = find_notes(INGOT_SOURCE_DIR);
  if (notes.empty()) GTEST_SKIP() << "no ../shared/notes/peers.md";
  EXPECT_GT(notes.size(), 50);
  EXPECT_GT(notes.at({1, "l1-tau-3layer"}).size(), 3);
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

}  // namespace
}  // namespace ingot::bench
