// SPDX-License-Identifier: Apache-2.0
// The page of a report is well-formed, asks for nothing, and holds the report's numbers. What it
// looks like in a browser is tested by ./dev full pages.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <map>
#include <set>

#include "made_up_report.h"
#include "tools/bench/plot.h"
#include "tools/bench/summary.h"
#include "tools/bench/text.h"

namespace ingot::bench {
namespace {

using testing::HasSubstr;
using testing::Not;

struct Element {
  std::string name;
  std::map<std::string, std::string> attributes;
  std::size_t depth = 0;
};

/// Elements in the order of their beginnings; `error` says where the page is no XML.
class Parser {
 public:
  explicit Parser(const std::string& text) : text_(text) {}

  std::vector<Element> elements;
  std::string error;

  void run() {
    at_ = text_.find("<html");
    if (!text_.starts_with("<!DOCTYPE html>\n<html")) return complain("no doctype and html first");
    while (error.empty() && at_ < text_.size()) {
      if (text_[at_] == '<')
        tag();
      else if (character() != "\n" && open_.empty())
        complain("text outside of html");
    }
    if (error.empty() && !open_.empty()) complain("no end of " + open_.back());
  }

 private:
  void complain(const std::string& what) {
    if (error.empty()) error = fmt::format("{} at: {}", what, text_.substr(at_, 80));
  }
  bool skip(std::string_view wanted) {
    if (text_.compare(at_, wanted.size(), wanted) != 0) return false;
    at_ += wanted.size();
    return true;
  }
  std::string word() {
    const std::size_t begin = at_;
    while (at_ < text_.size() &&
           (std::isalnum(static_cast<unsigned char>(text_[at_])) != 0 || text_[at_] == '-'))
      ++at_;
    if (at_ == begin) complain("no name");
    return text_.substr(begin, at_ - begin);
  }
  /// One character of text, or an entity for one.
  std::string character() {
    static const std::pair<const char*, const char*> entities[] = {
        {"&lt;", "<"}, {"&gt;", ">"}, {"&amp;", "&"}, {"&quot;", "\""}};
    for (const auto& [entity, meaning] : entities)
      if (skip(entity)) return meaning;
    if (text_[at_] == '&') complain("a bare &");
    return text_.substr(at_++, 1);
  }
  void tag() {
    ++at_;
    if (skip("/")) {
      const std::string name = word();
      if (open_.empty() || open_.back() != name) return complain("an end that fits no beginning");
      open_.pop_back();
      if (!skip(">")) complain("no >");
      return;
    }
    Element element{word(), {}, open_.size()};
    while (error.empty() && skip(" ")) {
      const std::string name = word();
      if (!skip("=\"")) return complain("an attribute without a value in quotes");
      std::string value;
      while (error.empty() && at_ < text_.size() && text_[at_] != '"') {
        if (text_[at_] == '<') return complain("a bare <");
        value += character();
      }
      ++at_;
      if (!element.attributes.emplace(name, value).second) complain("an attribute twice");
    }
    if (skip("/>")) {
      // HTML knows an end in the beginning of these and of what is inside a svg only.
      static const std::set<std::string> empty = {"meta",   "br",      "line",
                                                  "circle", "polygon", "polyline"};
      if (empty.count(element.name) == 0) complain("closed at once");
    } else {
      if (!skip(">")) complain("no >");
      open_.push_back(element.name);
    }
    elements.push_back(std::move(element));
  }

  const std::string& text_;
  std::size_t at_ = 0;
  std::vector<std::string> open_;
};

std::vector<Element> parsed(const std::string& page) {
  Parser parser(page);
  parser.run();
  EXPECT_EQ(parser.error, "");
  return parser.elements;
}

/// What the tables of runs say: by model, sizes, engine and mode.
std::map<std::string, double> medians(const std::vector<Element>& elements) {
  std::map<std::string, double> found;
  std::string run, engine;
  for (const Element& element : elements) {
    const auto& a = element.attributes;
    if (element.name == "table") run = "";
    if (a.count("data-sizes") != 0 && element.name == "table")
      run = a.at("data-model") + "|" + a.at("data-sizes");
    if (a.count("data-engine") != 0) engine = a.at("data-engine");
    if (a.count("data-us") != 0 && a.count("data-mode") != 0)
      found[run + "|" + engine + "|" + a.at("data-mode")] = std::stod(a.at("data-us"));
  }
  return found;
}

TEST(ReportPage, HoldsEveryMedianUnrounded) {
  const Report report = made_up_report();
  const std::vector<Element> elements = parsed(to_html(report));
  const std::map<std::string, double> found = medians(elements);
  std::size_t expected = 0;
  for (const ModelReport& model : report.models) {
    for (const bench::Run& run : model.runs) {
      for (const Result& result : run.results) {
        for (const Mode mode : {Mode::hot, Mode::cold}) {
          const Figures* wanted = figures(result, mode);
          if (wanted == nullptr) continue;
          const std::string key = fmt::format("{}|{}|{}|{}", model.name, sizes_text(run.sizes),
                                              result.engine, name(mode));
          ASSERT_EQ(found.count(key), 1u) << key;
          EXPECT_EQ(found.at(key), wanted->median) << key;
          ++expected;
        }
      }
    }
  }
  EXPECT_EQ(found.size(), expected);
  EXPECT_GT(expected, 1000u);
}

TEST(ReportPage, DotsStandWhereTheirRatiosAre) {
  const Report report = made_up_report();
  // Within a plot, the distance of two dots is that of their logarithms.
  std::size_t dots = 0, plots = 0;
  std::vector<std::pair<double, double>> plot;  // x, ratio
  const auto check = [&] {
    if (plot.size() < 2) return;
    ++plots;
    const auto [low, high] = std::minmax_element(
        plot.begin(), plot.end(), [](auto& a, auto& b) { return a.second < b.second; });
    const double scale = (high->first - low->first) / std::log(high->second / low->second);
    EXPECT_GT(scale, 10);
    for (const auto& [x, ratio] : plot)
      EXPECT_NEAR(x, low->first + scale * std::log(ratio / low->second), 0.05);
    plot.clear();
  };
  for (const Element& element : parsed(to_html(report))) {
    const auto& a = element.attributes;
    if (element.name == "svg") check();
    if (element.name != "circle" || a.count("data-ratio") == 0) continue;
    plot.emplace_back(std::stod(a.at("cx")), std::stod(a.at("data-ratio")));
    if (a.at("class") != "ring") ++dots;
  }
  EXPECT_EQ(dots, contests(report, Mode::hot).size());
  EXPECT_EQ(plots, 3u);
}

TEST(ReportPage, AsksForNothingElse) {
  const std::string page = to_html(made_up_report());
  for (const char* asks :
       {"http:", "https:", "src=", "<script", "<link", "@import", "url(", "<iframe"})
    EXPECT_THAT(page, Not(HasSubstr(asks)));
  EXPECT_THAT(page, HasSubstr("name=\"viewport\""));
  EXPECT_THAT(page, HasSubstr("prefers-color-scheme: dark"));
  EXPECT_THAT(page, HasSubstr("@media print"));
}

TEST(ReportPage, LinksLeadSomewhere) {
  std::set<std::string> ids, links;
  for (const Element& element : parsed(to_html(made_up_report()))) {
    const auto& a = element.attributes;
    const bool fresh = a.count("id") == 0 || ids.insert(a.at("id")).second;
    EXPECT_TRUE(fresh) << a.at("id");
    if (element.name == "a") links.insert(a.at("href").substr(1));
  }
  EXPECT_GE(links.size(), 31u);
  for (const std::string& link : links) EXPECT_EQ(ids.count(link), 1u) << link;
}

TEST(ReportPage, OfOddReports) {
  Report report;
  parsed(to_html(report));  // of nothing at all
  report.models = {{.name = "a", .error = "x < y & \"z\""}};
  EXPECT_THAT(to_html(report), HasSubstr("x &lt; y &amp; &quot;z&quot;"));
  bench::Run run{.events = 0};
  Result result{.engine = "ingot v4"};
  result.hot = Figures{.median = 0};  // cannot stand on a logarithmic axis
  run.results = {result, {.engine = "x"}};
  run.results[1].cold = Figures{.median = NAN};
  run.profile = Profile{.engine = "ingot v4", .kernels = {{.name = "k"}}};
  report.models.push_back({.name = "b", .runs = {run, run}});
  parsed(to_html(report));
  run.events = 1;
  run.results[0].hot->median = run.results[0].hot->low = run.results[0].hot->high = 1e-3;
  run.results[1].hot = Figures{.median = 1e7, .low = 1, .high = 1e9};
  report.machine.peak_gflops["v4"] = 100;
  run.profile->kernels = {{.name = "k\x01", .us = 1, .operations = 5, .bytes = 5}};
  report.models[1].runs = {run, run};
  report.models[1].runs[1].events = 1024;
  EXPECT_THAT(to_html(report), Not(testing::ContainsRegex("[^a-z](nan|inf)[^a-z]")));
  parsed(to_html(report));
}

TEST(LogAxis, MapsDecadesEvenlyAndTicksAreRound) {
  const plot::LogAxis axis({1, 100}, 0, 100);
  EXPECT_NEAR(axis.at(10), 50, 1e-9);
  EXPECT_LT(axis.at(1), axis.at(2));
  EXPECT_EQ(axis.ticks(), (std::vector<double>{1, 2, 5, 10, 20, 50, 100}));
  EXPECT_EQ(plot::LogAxis({1e-3, 1e4}, 0, 1).ticks().size(), 8u);
  const plot::LogAxis one({5}, 10, 20);  // still has a width
  EXPECT_NEAR(one.at(5), 15, 1e-9);
  EXPECT_FALSE(one.ticks().empty());
  EXPECT_TRUE(std::isfinite(plot::LogAxis({}, 0, 1).at(3)));
  EXPECT_EQ(plot::tick_text(0.5), "0.5");
  EXPECT_EQ(plot::tick_text(20000), "20k");
}

}  // namespace
}  // namespace ingot::bench
