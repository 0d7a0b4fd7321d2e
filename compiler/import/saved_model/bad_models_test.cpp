// SPDX-License-Identifier: Apache-2.0
// SavedModels that are damaged, inconsistent or impossible (../shared/bad-models, where it is):
// what each is told, with which status.
#include <gmock/gmock.h>

#include <cstdlib>
#include <filesystem>

#include "import/import.h"

namespace ingot {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

struct Bad {
  const char* name;
  ErrorCode code;
  std::vector<const char*> told;
};

void PrintTo(const Bad& bad, std::ostream* out) { *out << bad.name; }

class BadModel : public testing::TestWithParam<Bad> {};

TEST_P(BadModel, IsToldWhatIsWrong) {
  const char* shared = std::getenv("INGOT_SHARED");
  const fs::path folder =
      (shared != nullptr ? fs::path(shared) : fs::path(INGOT_SOURCE_DIR) / "../shared") /
      "bad-models" / GetParam().name / "model";
  if (!fs::exists(folder)) GTEST_SKIP() << "no damaged models at " << folder;
  const auto graph = import_file(folder.string(), {});
  ASSERT_FALSE(graph);
  EXPECT_EQ(graph.error().code, GetParam().code) << graph.error().message;
  for (const char* part : GetParam().told) EXPECT_THAT(graph.error().message, HasSubstr(part));
}

constexpr auto damaged = ErrorCode::invalid_model, impossible = ErrorCode::unsupported,
               unsaid = ErrorCode::invalid_argument;

INSTANTIATE_TEST_SUITE_P(
    Shared, BadModel,
    testing::Values(
        Bad{"cyclic-function", damaged, {"calls itself: __inference_<lambda>_529 -> "}},
        Bad{"data-checksum", damaged, {"variables.data-00000-of-00001: tensor 'a/", "CRC-32C"}},
        Bad{"data-truncated", damaged, {"variables.data-00000-of-00001: it has 50 bytes, but"}},
        Bad{"hash-table", impossible, {"LookupTableFindV2", "replace the lookup by tf.gather"}},
        Bad{"index-checksum", damaged, {"variables.index: the block at byte 0", "CRC-32C"}},
        Bad{"index-truncated", damaged, {"variables.index: ", "127 bytes; is the file cut off?"}},
        Bad{"pb-missing", damaged, {"there is no saved_model.pb"}},
        Bad{"pb-truncated", damaged, {"saved_model.pb is cut off", "beyond byte 9277"}},
        Bad{"py-function", impossible, {"EagerPyFunc", "calls back into Python"}},
        Bad{"random-op", impossible, {"RandomStandardNormal", "draws at random"}},
        Bad{"shard-missing",
            damaged,
            {"bad-models/shard-missing/model/variables/variables.data-00001-of-00004: ",
             "missing"}},
        Bad{"signature-missing", unsaid, {"has no signature", "signatures=FUNCTION"}},
        Bad{"signature-other-name",
            unsaid,
            {"'serving_default', but 'score'", "--signature score"}},
        Bad{"string-input", impossible, {"element type string", "input 'x'"}},
        Bad{"string-op",
            impossible,
            {"AsString", "(of function '__inference_<lambda>_8')",
             "keep strings outside of the model"}},
        Bad{"unknown-op",
            impossible,
            {"MyVeryOwnRelu", "(of function '__inference_<lambda>_422')"}},
        Bad{"variable-missing",
            damaged,
            {"variable 'w", "variables.index", "'other/.ATTRIBUTES/VARIABLE_VALUE'"}},
        Bad{"variable-shape", damaged, {"variable 'w1'", "[4, 16] in the graph", "is [4, 24]"}},
        Bad{"variable-written", impossible, {"AssignAddVariableOp", "writes variable 'count'"}},
        Bad{"wrong-tag", unsaid, {"'serve'", "the tags are 'gpu,train'", "--tag"}}),
    [](const auto& test) {
      std::string name = test.param.name;
      std::replace(name.begin(), name.end(), '-', '_');
      return name;
    });

}  // namespace
}  // namespace ingot
