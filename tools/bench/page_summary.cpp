// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "order.h"
#include "page.h"
#include "plot.h"
#include "summary.h"
#include "text.h"

namespace ingot::bench {
namespace {

/// Of a plot of dots. `ratio` is a full one, `other` a ring, unless 0.
struct Row {
  std::string label, link;
  double ratio = 0, other = 0;
};
struct Group {
  std::string label;
  double mean = 0;
  std::vector<Row> rows;
};

class Summary {
 public:
  explicit Summary(const Report& report)
      : report_(report), hot_(contests(report, Mode::hot)), cold_(contests(report, Mode::cold)) {}

  std::string str() const {
    if (hot_.empty() && cold_.empty()) return "";
    std::string plots, tables;
    for (const std::int64_t events : event_counts(report_)) {
      plots += figure(events);
      tables += table(events);
    }
    return "<section id=\"summary\">\n<h2>Ingot against the best of the others</h2>\n"
           "<p>How many times longer the fastest other engine takes than Ingot's fastest variant, "
           "model by model: right of the line, Ingot is faster. Hot calls come one after the "
           "other; "
           "before a cold one, weights and code are put out of the caches.</p>\n" +
           means() + "<div class=\"plots\">\n" + plots +
           "</div>\n<p class=\"dim\">Full dots: hot. Rings: cold. Dashed: the geometric mean, hot. "
           "A name leads to the model's figures.</p>\n" +
           tables + "</section>\n";
  }

 private:
  const std::vector<Contest>& of(Mode mode) const { return mode == Mode::hot ? hot_ : cold_; }
  /// What leads: hot calls, unless there are only cold ones.
  Mode leading() const { return hot_.empty() ? Mode::cold : Mode::hot; }

  std::string means() const {
    std::string head, rows;
    for (const std::int64_t events : event_counts(report_))
      head += fmt::format("<th>{}</th>", events_text(events));
    for (const bool small : {false, true}) {
      for (const Mode mode : {Mode::hot, Mode::cold}) {
        std::string cells;
        int models = 0;
        for (const std::int64_t events : event_counts(report_)) {
          const Mean mean = mean_ratio(of(mode), events, small);
          models += mean.models;
          if (mean.models == 0)
            cells += "<td>-</td>";
          else
            cells += fmt::format(
                "<td data-mean=\"{}\" data-mode=\"{}\" data-events=\"{}\" data-small=\"{}\">{:.2f}×"
                "<small>{} of {} faster</small></td>",
                mean.ratio, name(mode), events, small ? 1 : 0, mean.ratio, mean.won, mean.models);
        }
        if (models == 0) continue;
        rows += fmt::format("<tr><th>{}<small>{}</small></th>{}</tr>\n",
                            mode == Mode::hot ? "Hot" : "Cold", small ? "&lt; 20,000" : "≥ 20,000",
                            cells);
      }
    }
    return fmt::format(
        "<p>Geometric means, for models of at least and of less than 20,000 multiply-adds per "
        "event; "
        "the latter are mostly the cost of a call:</p>\n"
        "<div class=\"scroll narrow\"><table class=\"means\"><thead><tr><th></th>{}</tr></thead>"
        "<tbody>\n{}</tbody></table></div>\n",
        head, rows);
  }

  /// Those of so many events, by falling ratio.
  std::vector<Contest> sorted(std::int64_t events) const {
    std::vector<Contest> found;
    for (const Contest& contest : of(leading()))
      if (contest.run->events == events) found.push_back(contest);
    sort_stably(found, [](const Contest& a, const Contest& b) { return a.ratio > b.ratio; });
    return found;
  }

  const Contest* cold_of(const Contest& wanted) const {
    for (const Contest& contest : cold_)
      if (leading() == Mode::hot && contest.run == wanted.run) return &contest;
    return nullptr;
  }

  /// Models with several runs of so many events are told apart by their sizes.
  std::string label(const Contest& contest) const {
    const auto& runs = contest.model->runs;
    const auto alike = std::count_if(runs.begin(), runs.end(), [&](const Run& run) {
      return run.events == contest.run->events;
    });
    return contest.model->name + (alike > 1 ? ", " + sizes_text(contest.run->sizes) : "");
  }

  std::string figure(std::int64_t events) const {
    std::vector<Group> groups;
    for (const bool small : {false, true}) {
      const Mean mean = mean_ratio(of(leading()), events, small);
      if (mean.models == 0) continue;
      Group group{small ? "< 20,000 multiply-adds" : "≥ 20,000 multiply-adds", mean.ratio, {}};
      for (const Contest& contest : sorted(events)) {
        if (is_small(*contest.model) != small) continue;
        const Contest* other = cold_of(contest);
        group.rows.push_back({label(contest), anchor(report_, *contest.model), contest.ratio,
                              other == nullptr ? 0 : other->ratio});
      }
      groups.push_back(std::move(group));
    }
    if (groups.empty()) return "";
    const std::string caption = events_text(events) + " a call";
    return fmt::format("<figure><figcaption>{}</figcaption>\n{}</figure>\n", caption,
                       dots(groups, "Times of the best other engine by Ingot's, " + caption));
  }

  /// Rows of dots right or left of a line at 1.
  std::string dots(const std::vector<Group>& groups, const std::string& title) const {
    constexpr double step = 17, head = 26, top = 20, right = plot::Image::width - 8;
    std::vector<double> all = {1};  // one scale for all plots
    for (const Mode mode : {Mode::hot, Mode::cold})
      for (const Contest& contest : of(mode)) all.push_back(contest.ratio);
    double label_width = 132, height = top;  // room for a group's own name
    for (const Group& group : groups) {
      height += head + step * static_cast<double>(group.rows.size());
      for (const Row& row : group.rows)
        label_width = std::max(label_width, 6.1 * static_cast<double>(row.label.size()));
    }
    const double left = std::min(label_width, 190.0) + 6;
    const plot::LogAxis x(all, left, right);
    plot::Image image("dots", height + 4, title);
    for (const double tick : x.ticks()) {
      image.line("grid", x.at(tick), top - 4, x.at(tick), height);
      image.text("tick mid", x.at(tick), top - 8, plot::tick_text(tick) + "×");
    }
    image.line("one", x.at(1), top - 4, x.at(1), height);
    double y = top;
    for (const Group& group : groups) {
      y += head;
      image.text("group", 0, y - 9, group.label);
      const double end = y + step * static_cast<double>(group.rows.size()) - 2;
      image.line("mean", x.at(group.mean), y - 4, x.at(group.mean), end);
      for (const Row& row : group.rows) {
        const double middle = y + step / 2 - 1;
        const auto dot = [&](const std::string& kind, double radius, double ratio, Mode mode) {
          image.circle(kind, x.at(ratio), middle, radius,
                       fmt::format("{}, {}: {:.2f}×", row.label, name(mode), ratio),
                       fmt::format(" data-ratio=\"{}\"", ratio));
        };
        image.add("<a href=\"" + row.link + "\">");
        image.text("name end", left - 6, middle + 3.5, row.label);
        image.add("</a>\n");
        image.line("grid", left, middle, right, middle);
        if (row.other > 0) {
          image.line("span", x.at(row.ratio), middle, x.at(row.other), middle);
          dot("ring", 3.6, row.other, Mode::cold);
        }
        dot(row.ratio < 1 ? "dot lost" : "dot", 4.2, row.ratio, Mode::hot);
        y += step;
      }
    }
    return image.str();
  }

  static std::string cells(const Contest* contest, Mode mode) {
    if (contest == nullptr) return "<td>-</td><td></td><td></td>";
    return fmt::format(
        "<td data-ratio=\"{}\" data-mode=\"{}\">{:.2f}×</td><td>{} <small>{}</small></td>"
        "<td>{} <small>{}</small></td>",
        contest->ratio, name(mode), contest->ratio,
        short_number(figures(*contest->ingot, mode)->median), escape(contest->ingot->engine),
        short_number(figures(*contest->peer, mode)->median), escape(contest->peer->engine));
  }

  std::string table(std::int64_t events) const {
    std::string rows;
    for (const Contest& contest : sorted(events)) {
      rows += fmt::format(
          "<tr data-model=\"{}\" data-sizes=\"{}\"><th><a "
          "href=\"{}\">{}</a></th><td>{}</td>{}{}</tr>\n",
          escape(contest.model->name), escape(sizes_text(contest.run->sizes)),
          anchor(report_, *contest.model), escape(label(contest)),
          with_prefix(static_cast<double>(contest.model->multiply_adds), ""),
          cells(&contest, leading()),
          leading() == Mode::hot && !cold_.empty() ? cells(cold_of(contest), Mode::cold) : "");
    }
    if (rows.empty()) return "";
    std::string head = "<th>model</th><th>multiply-adds</th>";
    for (const Mode mode : {Mode::hot, Mode::cold})
      if (!of(mode).empty())
        head += fmt::format("<th>{}</th><th>Ingot, µs</th><th>best other, µs</th>", name(mode));
    return fmt::format(
        "<details><summary>{} a call, as a table</summary>\n"
        "<div class=\"scroll\"><table class=\"contests\" "
        "data-events=\"{}\"><thead><tr>{}</tr></thead>\n"
        "<tbody>\n{}</tbody></table></div></details>\n",
        events_text(events), events, head, rows);
  }

  const Report& report_;
  const std::vector<Contest> hot_, cold_;
};

}  // namespace

std::string events_text(std::int64_t events) {
  return fmt::format("{} event{}", events, events == 1 ? "" : "s");
}

std::string anchor(const Report& report, const ModelReport& model) {
  return fmt::format("#m{}", &model - report.models.data());
}

std::string summary_section(const Report& report) {
  std::string html = Summary(report).str();
  html += "<nav>\n<details><summary>All models</summary>\n<ul class=\"notes\">\n";
  for (const ModelReport& model : report.models)
    html +=
        fmt::format("<li><a href=\"{}\">{}</a>{}</li>\n", anchor(report, model), escape(model.name),
                    model.error.empty() ? "" : " <span class=\"bad\">not measured</span>");
  return html + "</ul></details>\n</nav>\n";
}

}  // namespace ingot::bench
