// SPDX-License-Identifier: Apache-2.0
// What plots are drawn with: SVG that is put into a page, whose style sheet has the colours
// (classes c0, c1, ..), so that a plot follows a reader's light or dark mode. Texts are given as
// they are and escaped here.
#pragma once

#include <string>
#include <vector>

namespace ingot::bench::plot {

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
  double low_ = 0, high_ = 0, first_, last_;
};

/// A number on an axis: `0.5`, `20`, `5k`.
std::string tick_text(double value);

/// Grows element by element, in the units of its view box. `kind` is an element's class.
class Image {
 public:
  static constexpr double width = 360;
  Image(const std::string& kind, double height, const std::string& title);
  std::string str() const { return svg_ + "</svg>\n"; }

  void line(const std::string& kind, double x1, double y1, double x2, double y2);
  void text(const std::string& kind, double x, double y, const std::string& said);
  /// Turned around (x, y), and then `along` its own direction and `above` it.
  void turned_text(const std::string& kind, double x, double y, double degrees, double along,
                   double above, const std::string& said);
  /// `title` is what a reader sees who points at it.
  void circle(const std::string& kind, double x, double y, double radius, const std::string& title,
              const std::string& attributes = "");
  /// Colours and shapes both tell engines apart.
  void mark(std::size_t style, double x, double y, const std::string& title);
  void add(const std::string& markup) { svg_ += markup; }

 private:
  std::string svg_;
};

/// Values against values, with a grid.
class Chart : public Image {
 public:
  static constexpr double left = 46, right = width - 10, top = 8;
  /// The axes hold all of `all_x` and `all_y`.
  Chart(const std::string& kind, double height, const std::string& title,
        const std::vector<double>& all_x, const std::vector<double>& all_y,
        const std::string& x_label, const std::string& y_label);
  /// Marks all on the x axis, and writes those that there is room for.
  void mark_x(const std::vector<double>& ticks);

  const double bottom;
  const LogAxis x, y;
};

/// A piece of line with the mark of an engine.
std::string legend_mark(std::size_t style);

}  // namespace ingot::bench::plot
