// SPDX-License-Identifier: Apache-2.0
#include "write/identifiers.h"

#include <gtest/gtest.h>

namespace ingot::write {
namespace {

TEST(Identifiers, ReadLikeTheNamesTheyComeFrom) {
  std::set<std::string> taken;
  EXPECT_EQ(make_identifier("pixels:0", taken), "pixels");
  EXPECT_EQ(make_identifier("dense_1/BiasAdd:0", taken), "dense_1_BiasAdd");
  EXPECT_EQ(make_identifier("dense_1/BiasAdd:1", taken), "dense_1_BiasAdd_1");
  EXPECT_EQ(make_identifier("a  //  b", taken), "a_b");
  EXPECT_EQ(make_identifier("/lead/and/trail/", taken), "lead_and_trail");
  EXPECT_EQ(make_identifier("3d", taken), "x3d");
  EXPECT_EQ(make_identifier("", taken), "x");
  EXPECT_EQ(make_identifier("\xc3\xa9", taken), "x_2");
  EXPECT_EQ(make_identifier("__x__y__", taken), "x_y");
}

TEST(Identifiers, AreUniqueAndNotReserved) {
  std::set<std::string> taken;
  EXPECT_EQ(make_identifier("x", taken), "x");
  EXPECT_EQ(make_identifier("x", taken), "x_2");
  EXPECT_EQ(make_identifier("x_2", taken), "x_2_2");
  EXPECT_EQ(make_identifier("class", taken), "class_");
  EXPECT_EQ(make_identifier("class:0", taken), "class_2");
  EXPECT_EQ(make_identifier("Inputs", taken), "Inputs_");
  EXPECT_EQ(make_identifier("linux", taken), "linux_");
}

TEST(Identifiers, ModelNamesAreNamespaces) {
  for (const char* good : {"digits", "dnn_v5", "A"}) EXPECT_TRUE(is_model_name(good)) << good;
  for (const char* bad :
       {"", "5x", "_x", "x_", "a__b", "a-b", "std", "main", "ingot", "class", "a b", "a\n"}) {
    EXPECT_FALSE(is_model_name(bad)) << bad;
  }
}

TEST(Identifiers, CommentsCannotBeLeft) {
  EXPECT_EQ(comment_text("a\nb\\"), "a?b?");
  EXPECT_EQ(comment_text("\xe2\x80\xae"), "???");
  EXPECT_EQ(comment_text("plain [N, 64]"), "plain [N, 64]");
}

}  // namespace
}  // namespace ingot::write
