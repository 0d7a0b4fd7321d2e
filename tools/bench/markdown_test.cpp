// SPDX-License-Identifier: Apache-2.0
#include "markdown.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/pages/made_up_report.h"
#include "text.h"

namespace ingot::bench {
namespace {

using testing::HasSubstr;
using testing::Not;

/// Lines of the section with this title.
std::vector<std::string> section(const std::string& text, const std::string& title) {
  std::vector<std::string> lines;
  const std::size_t begin = text.find("\n## " + title + "\n");
  if (begin == std::string::npos) return lines;
  std::size_t at = begin + title.size() + 5;
  while (at < text.size() && text.compare(at, 3, "## ") != 0) {
    const std::size_t end = text.find('\n', at);
    if (end > at) lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

TEST(ReportMarkdown, HasATablePerSizeAndMode) {
  const Report report = made_up_report();
  const std::string text = to_markdown(report, {});
  for (const char* title :
       {"N=1, hot", "N=16, hot", "N=64, hot", "N=1, cold", "N=16, cold", "N=64, cold"}) {
    const std::vector<std::string> lines = section(text, title);
    ASSERT_EQ(lines.size(), 3u + 29u) << title;  // what it says, two lines of header, the models
    for (std::size_t i = 1; i < lines.size(); ++i) {
      std::size_t bars = 0;
      for (std::size_t at = 0; at < lines[i].size(); ++at)
        bars += lines[i][at] == '|' && lines[i][at - 1] != '\\' ? 1 : 0;
      EXPECT_EQ(bars, 2u + 7u + 2u) << lines[i];
    }
  }
  const Result& ours = report.models[0].runs[0].results[0];
  EXPECT_THAT(section(text, "N=1, hot")[3],
              HasSubstr("| deepjet-run3 (n_pf=50) | 2.96 M | **" + short_number(ours.hot->median)));
  EXPECT_THAT(text, HasSubstr("emtf \\<displ> & \"10\""));
}

TEST(ReportMarkdown, SaysWhatItComesTo) {
  const Report report = made_up_report();
  const std::string text =
      to_markdown(report, spreads({report, made_up_report(2), made_up_report(3)}));
  const Mean mean = mean_ratio(contests(report, Mode::hot), 16, false);
  EXPECT_THAT(text,
              HasSubstr(fmt::format("**{:.2f}** ({} of {})", mean.ratio, mean.won, mean.models)));
  EXPECT_EQ(section(text, "Kernels furthest from their limit").size(), 1u + 2u + 10u);
  EXPECT_THAT(text, HasSubstr("Made-up CPU <x86>, 2 cores; 136 GFLOP/s (v3); 273 GFLOP/s (v4)"));
  EXPECT_THAT(text, HasSubstr("the op 'Log1p' \\<ai.onnx> is not known to it"));
  EXPECT_THAT(text,
              HasSubstr("| ingot | ele-pfid-lowpt-v1-29 | op 'Loop' cannot be compiled yet |"));
  EXPECT_THAT(text, HasSubstr("1.6 times slower against the other peers"));
  EXPECT_THAT(section(text, "Repeatability").at(0), HasSubstr("measured 3 times"));
  EXPECT_EQ(section(text, "Repeatability").size(), 2u + 1u + 2u + 10u);
  EXPECT_THAT(to_markdown(report, {}), Not(HasSubstr("Repeatability")));
  EXPECT_THAT(to_markdown({}, {}), HasSubstr("# Performance"));
}

}  // namespace
}  // namespace ingot::bench
