// SPDX-License-Identifier: Apache-2.0
// What goes through JSON comes back; what is damaged is refused, with the place.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "report.h"

namespace ingot::bench {
namespace {

using Json = nlohmann::ordered_json;
using testing::HasSubstr;

Report small() {
  Report report;
  report.date = "2026-11-21T20:00:00Z";
  report.ingot_version = "0.1.0";
  report.machine = {.cpu = "A \"CPU\", ™",
                    .date = "2026-11-20T20:00:00Z",
                    .cores = 2,
                    .peak_gflops = {{"v3", 136.5}, {"v4", 273.25}},
                    .levels = {{"L1", 49152, 550.5}, {"memory", 1u << 30, 20.25}},
                    .call_ns = 1.25,
                    .clock_ns = 20.5};
  report.engines = {{"ingot v4", "0.1.0", "blocks of 64"}, {"peer", "1.31", "one thread, fixed"}};
  ModelReport model{.name = "net", .file = "net.onnx", .weights_bytes = 1u << 20};
  model.multiply_adds = std::uint64_t(1) << 63;
  Run run{.sizes = {{"N", 16}, {"n_pf", 50}}, .events = 16, .inputs = "random"};
  Result first{.engine = "ingot v4", .load_ms = 0.5, .first_ms = 0.25, .agreement = "reference"};
  first.hot = Figures{10.1, 10, 11, 10.5, 0.5, 9, 0.05, 50, 500, true, {10, 10.5, 11}};
  first.cold = Figures{20, 19, 21, 20.5, 0.5, 19, 0.05, 50, 50, false, {}};
  Result second{.engine = "peer", .error = "it says \"no\",\nand then stops"};
  second.difference = 0.1;
  run.results = {first, second};
  run.profile = Profile{
      "ingot v4", "L2", 11, 10, {{"dense \"1\"", "contract", "a, b", 5, 1000, 4000, 64, 4, true}}};
  model.runs = {run};
  report.models = {model, {.name = "broken", .file = "b.pb", .error = "no such op"}};
  return report;
}

TEST(ReportJson, ComesBackWhole) {
  const Report report = small();
  const std::string text = to_json(report);
  const auto back = report_from_json(text, "r.json");
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(to_json(*back), text);
  // What is written is what was there: not all fields lost in the same way.
  const bench::Run& run = back->models.at(0).runs.at(0);
  EXPECT_EQ(back->machine.cpu, report.machine.cpu);
  EXPECT_EQ(back->machine.levels.at(1).bytes, 1u << 30);
  EXPECT_EQ(back->machine.peak_gflops.at("v4"), 273.25);
  EXPECT_EQ(back->engines.at(1).settings, "one thread, fixed");
  EXPECT_EQ(back->models.at(0).multiply_adds, std::uint64_t(1) << 63);
  EXPECT_EQ(back->models.at(1).error, "no such op");
  EXPECT_EQ(run.sizes, report.models[0].runs[0].sizes);
  EXPECT_EQ(run.results.at(0).hot->median, 10.1);
  EXPECT_EQ(run.results.at(0).hot->times, (std::vector<double>{10, 10.5, 11}));
  EXPECT_TRUE(run.results.at(0).hot->steady);
  EXPECT_EQ(run.results.at(0).cold->calls, 50);
  EXPECT_EQ(run.results.at(1).error, "it says \"no\",\nand then stops");
  EXPECT_FALSE(run.results.at(1).hot);
  EXPECT_EQ(run.profile->kernels.at(0).source, "a, b");
  EXPECT_EQ(run.profile->kernels.at(0).bytes, 4000u);
  EXPECT_TRUE(run.profile->kernels.at(0).bound_by_bytes);
}

TEST(ReportJson, WhatIsNoNumberIsNull) {
  Report report = small();
  report.models[0].runs[0].results[0].difference = INFINITY;
  const auto back = report_from_json(to_json(report), "r.json");
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_TRUE(std::isnan(back->models[0].runs[0].results[0].difference));
}

TEST(ReportJson, BytesThatAreNoTextDoNotStopIt) {
  Report report = small();
  report.models[0].name = "net\xff";
  EXPECT_TRUE(report_from_json(to_json(report), "r.json"));
}

/// The message for a report that `damage` was done to.
std::string refused(const std::function<void(Json&)>& damage) {
  Json json = Json::parse(to_json(small()));
  damage(json);
  const auto report = report_from_json(json.dump(), "r.json");
  return report ? "was read" : report.error().message;
}

TEST(ReportJson, DamageIsNamedWithItsPlace) {
  const auto run = [](Json& json) -> Json& { return json["models"][0]["runs"][0]; };
  EXPECT_EQ(refused([&](Json& json) { run(json)["results"][0]["hot"].erase("median_us"); }),
            "r.json: models[0].runs[0].results[0].hot has no field 'median_us'");
  EXPECT_EQ(refused([&](Json& json) { run(json)["sizes"]["N"] = 1.5; }),
            "r.json: models[0].runs[0].sizes.N must be a whole number up to 9223372036854775807, "
            "not 1.5");
  EXPECT_EQ(refused([&](Json& json) { run(json)["results"][1] = 7; }),
            "r.json: models[0].runs[0].results[1] must be an object, not 7");
  EXPECT_EQ(refused([&](Json& json) { run(json)["results"][0]["load_ms"] = "fast"; }),
            "r.json: models[0].runs[0].results[0].load_ms must be a number, not \"fast\"");
  EXPECT_EQ(refused([](Json& json) { json["models"] = Json::object(); }),
            "r.json: models must be an array, not object");
  EXPECT_EQ(refused([](Json& json) { json["models"][0]["weights_bytes"] = -1; }),
            "r.json: models[0].weights_bytes must be a whole number up to 18446744073709551615, "
            "not -1");
  EXPECT_EQ(refused([](Json& json) { json["machine"]["cores"] = std::uint64_t(1) << 40; }),
            "r.json: machine.cores must be a whole number up to 4294967295, not 1099511627776");
  EXPECT_EQ(refused([](Json& json) { json["threads"] = true; }),
            "r.json: threads must be a whole number up to 2147483647, not true");
  EXPECT_EQ(refused([](Json& json) { json["ingot_report"] = 2; }),
            "r.json: ingot_report is 2, and this version of ingot reads 1");
  EXPECT_EQ(refused([](Json& json) { json.erase("ingot_report"); }),
            "r.json: no field 'ingot_report', so it is not what ingot wrote");
}

TEST(ReportJson, TextThatIsNoJson) {
  const std::string whole = to_json(small());
  for (const std::string& text :
       {std::string(), std::string("{"), whole.substr(0, whole.size() / 2), std::string("\xff")}) {
    const auto report = report_from_json(text, "r.json");
    ASSERT_FALSE(report);
    EXPECT_THAT(report.error().message, HasSubstr("r.json: parse error at line"));
    EXPECT_THAT(report.error().message, HasSubstr("is it a whole file?"));
  }
  for (const char* text : {"3", "[]", "null", "\"x\"", "{}"})
    EXPECT_FALSE(report_from_json(text, ""));
}

TEST(MachineJson, ComesBackAndIsNoReport) {
  const std::string text = to_json(small().machine);
  const auto back = machine_from_json(text, "m.json");
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(to_json(*back), text);
  EXPECT_EQ(back->levels.at(0).read_gb_s, 550.5);
  EXPECT_EQ(back->clock_ns, 20.5);
  EXPECT_FALSE(report_from_json(text, "m.json"));
}

/// Fields of a line as RFC 4180 has them.
std::vector<std::vector<std::string>> cells(const std::string& csv) {
  std::vector<std::vector<std::string>> rows(1, {""});
  bool quoted = false;
  for (std::size_t i = 0; i < csv.size(); ++i) {
    if (csv[i] == '"' && quoted && csv[i + 1] == '"')
      rows.back().back() += csv[++i];
    else if (csv[i] == '"')
      quoted = !quoted;
    else if (csv[i] == ',' && !quoted)
      rows.back().emplace_back();
    else if (csv[i] == '\n' && !quoted)
      rows.push_back({""});
    else
      rows.back().back() += csv[i];
  }
  rows.pop_back();
  return rows;
}

TEST(ReportCsv, OneLinePerModelSizesEngineAndMode) {
  const auto rows = cells(to_csv(small()));
  ASSERT_EQ(rows.size(), 5u);
  const std::vector<std::string>& header = rows[0];
  const auto at = [&](std::size_t row, const char* name) {
    const auto found = std::find(header.begin(), header.end(), name);
    return found == header.end() ? "no such column"
                                 : rows[row].at(static_cast<std::size_t>(found - header.begin()));
  };
  for (const auto& row : rows) EXPECT_EQ(row.size(), header.size()) << row[0];
  EXPECT_EQ(at(1, "model"), "net");
  EXPECT_EQ(at(1, "sizes"), "N=16 n_pf=50");
  EXPECT_EQ(at(1, "engine"), "ingot v4");
  EXPECT_EQ(at(1, "mode"), "hot");
  EXPECT_EQ(at(1, "median_us"), "10.1");
  EXPECT_EQ(at(1, "median_us_per_event"), "0.63125");
  EXPECT_EQ(at(1, "calls"), "500");
  EXPECT_EQ(at(2, "mode"), "cold");
  EXPECT_EQ(at(2, "steady"), "0");
  EXPECT_EQ(at(3, "mode"), "");
  EXPECT_EQ(at(3, "error"), "it says \"no\",\nand then stops");
  EXPECT_EQ(at(3, "difference"), "0.1");
  EXPECT_EQ(at(4, "model"), "broken");
  EXPECT_EQ(at(4, "error"), "no such op");
}

}  // namespace
}  // namespace ingot::bench
