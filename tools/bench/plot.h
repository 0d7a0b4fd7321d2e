// SPDX-License-Identifier: Apache-2.0
// Three plots as SVG that is put into a page: its style sheet has the colours (classes c0, c1, ..),
// so that a plot follows a reader's light or dark mode. Texts are given as they are and escaped
// here.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace ingot::bench::plot {

/// `<`, `&`, quotes and what XML does not allow.
std::string escape(const std::string& text);

/// From values to pixels, logarithmically.
class LogAxis {
 public:
  /// Holds all positive ones of `values`, with a margin.
  LogAxis(const std::vector<double>& values, double first_pixel, double last_pixel);
  double at(double value) const;
  double low() const { return low_; }
  double high() const { return high_; }
  /// Round numbers to be written, at most about eight.
  std::vector<double> ticks() const;

 private:
  double low_, high_, first_, last_;
};

/// A number on an axis: `0.5`, `20`, `5k`.
std::string tick_text(double value);

/// A mark of engine `style`: colours and shapes both tell engines apart.
std::string marker(std::size_t style, double x, double y, double radius, const std::string& title);
/// The same with a piece of line, for a legend.
std::string legend_mark(std::size_t style);

struct Series {
  struct Point {
    double x = 0, y = 0, low = 0, high = 0;
  };
  std::string name;
  std::size_t style = 0;
  std::vector<Point> points;
};
/// A line with a band for each series; `all_y` is what the y axis must hold, so that two plots can
/// share it.
std::string lines(const std::vector<Series>& all, const std::vector<double>& all_y,
                  const std::string& x_label, const std::string& y_label, bool dashed,
                  const std::string& title);

struct Row {
  std::string label, link;  // `link`: where a click leads, "#m3"
  double value = 0;         // a full dot
  double other = 0;         // a ring; 0: none
};
struct Group {
  std::string label;
  double mean = 0;
  std::vector<Row> rows;
};
/// Rows of dots right or left of a line at 1; `all` is what the scale must hold.
std::string dots(const std::vector<Group>& groups, const std::vector<double>& all,
                 const std::string& title);

struct Ceiling {
  std::string name;
  double gb_s = 0;
};
struct Kernel {
  std::string name;
  double operations_per_byte = 0, gflops = 0, share = 0;
};
/// GFLOP/s against operations per byte below the machine's ceilings; the largest kernels are named.
std::string roofline(const std::vector<Kernel>& kernels, const std::vector<Ceiling>& ceilings,
                     double peak_gflops, const std::string& title);

}  // namespace ingot::bench::plot
