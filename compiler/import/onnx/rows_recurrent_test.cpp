// SPDX-License-Identifier: Apache-2.0
// RNN, GRU and LSTM against ONNX's formulas, written out once more in float64, step by step.
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "import/onnx/model_builder.h"

namespace ingot::onnx {
namespace {

using Doubles = std::vector<double>;

struct Case {
  std::string op, direction = "forward";
  bool batch_first = false, lengths = false, states = false, peepholes = false;
  bool linear_before_reset = false, input_forget = false;
  double clip = 0;
};

/// One layer of odd sizes, and its numbers.
struct Layer {
  static constexpr std::int64_t steps = 4, rows = 3, inputs = 5, hidden = 2;
  explicit Layer(const Case& c)
      : c(c),
        gates(c.op == "LSTM"  ? 4
              : c.op == "GRU" ? 3
                              : 1),
        directions(c.direction == "bidirectional" ? 2 : 1),
        x(draw(steps * rows * inputs)),
        w(draw(directions * gates * hidden * inputs)),
        r(draw(directions * gates * hidden * hidden)),
        b(draw(directions * 2 * gates * hidden)),
        h0(draw(directions * rows * hidden)),
        c0(draw(directions * rows * hidden)),
        p(draw(directions * 3 * hidden)) {}

  std::vector<float> draw(std::int64_t count) {
    std::vector<float> values;
    for (std::int64_t i = 0; i < count; ++i)
      values.push_back(static_cast<float>(static_cast<int>(random() % 2001) - 1000) / 800);
    return values;
  }

  std::mt19937_64 random{3};
  const Case& c;
  std::int64_t gates, directions;
  std::vector<float> x, w, r, b, h0, c0, p;
  std::vector<std::int64_t> lengths{4, 1, 3};
};

/// Y [T, D, N, H], Y_h and Y_c [D, N, H].
struct Outputs {
  Doubles y, h, c;
};

double sigmoid(double z) { return 1 / (1 + std::exp(-z)); }

Outputs reference(const Layer& l) {
  const std::int64_t H = Layer::hidden, G = l.gates, D = l.directions;
  Outputs out;
  out.y.assign(static_cast<std::size_t>(Layer::steps * D * Layer::rows * H), 0);
  for (std::int64_t d = 0; d < D; ++d) {
    const bool backwards = l.c.direction == "reverse" || d == 1;
    for (std::int64_t n = 0; n < Layer::rows; ++n) {
      auto at = [](const std::vector<float>& v, std::int64_t i) {
        return static_cast<double>(v[static_cast<std::size_t>(i)]);
      };
      auto clip = [&](double z) { return l.c.clip > 0 ? std::clamp(z, -l.c.clip, l.c.clip) : z; };
      Doubles h(H), c(H);
      for (std::int64_t j = 0; j < H; ++j) {
        const auto place = static_cast<std::size_t>(j);
        h[place] = l.c.states ? at(l.h0, (d * Layer::rows + n) * H + j) : 0;
        c[place] = l.c.states ? at(l.c0, (d * Layer::rows + n) * H + j) : 0;
      }
      const std::int64_t length =
          l.c.lengths ? l.lengths[static_cast<std::size_t>(n)] : Layer::steps;
      for (std::int64_t s = 0; s < length; ++s) {
        const std::int64_t t = backwards ? length - 1 - s : s;
        auto input = [&](std::int64_t gate, std::int64_t j) {
          double sum = at(l.b, d * 2 * G * H + gate * H + j);
          for (std::int64_t k = 0; k < Layer::inputs; ++k)
            sum += at(l.w, ((d * G + gate) * H + j) * Layer::inputs + k) *
                   at(l.x, (t * Layer::rows + n) * Layer::inputs + k);
          return sum;
        };
        auto state = [&](std::int64_t gate, std::int64_t j, const Doubles& from) {
          double sum = at(l.b, d * 2 * G * H + (G + gate) * H + j);
          for (std::int64_t k = 0; k < H; ++k)
            sum += at(l.r, ((d * G + gate) * H + j) * H + k) * from[static_cast<std::size_t>(k)];
          return sum;
        };
        auto peep = [&](std::int64_t which, std::int64_t j, double of) {
          return l.c.peepholes ? at(l.p, (d * 3 + which) * H + j) * of : 0;
        };
        Doubles next(H), reset(H);
        for (std::int64_t j = 0; j < H && l.c.op == "GRU"; ++j)
          reset[static_cast<std::size_t>(j)] =
              sigmoid(clip(input(1, j) + state(1, j, h))) * h[static_cast<std::size_t>(j)];
        for (std::int64_t j = 0; j < H; ++j) {
          const auto place = static_cast<std::size_t>(j);
          if (l.c.op == "RNN") {
            next[place] = std::tanh(clip(input(0, j) + state(0, j, h)));
          } else if (l.c.op == "GRU") {
            const double z = sigmoid(clip(input(0, j) + state(0, j, h)));
            const double r = sigmoid(clip(input(1, j) + state(1, j, h)));
            const double more = l.c.linear_before_reset ? r * state(2, j, h) : state(2, j, reset);
            next[place] = (1 - z) * std::tanh(clip(input(2, j) + more)) + z * h[place];
          } else {
            const double old = c[place];
            const double i = sigmoid(clip(input(0, j) + state(0, j, h) + peep(0, j, old)));
            const double f = l.c.input_forget
                                 ? 1 - i
                                 : sigmoid(clip(input(2, j) + state(2, j, h) + peep(2, j, old)));
            c[place] = f * old + i * std::tanh(clip(input(3, j) + state(3, j, h)));
            const double o = sigmoid(clip(input(1, j) + state(1, j, h) + peep(1, j, c[place])));
            next[place] = o * std::tanh(c[place]);
          }
        }
        h = next;
        for (std::int64_t j = 0; j < H; ++j)
          out.y[static_cast<std::size_t>(((t * D + d) * Layer::rows + n) * H + j)] =
              h[static_cast<std::size_t>(j)];
      }
      out.h.insert(out.h.end(), h.begin(), h.end());
      out.c.insert(out.c.end(), c.begin(), c.end());
    }
  }
  return out;
}

/// [a, b, rest] as [b, a, rest].
template <class T>
std::vector<T> swapped(const std::vector<T>& v, std::int64_t a, std::int64_t b) {
  const auto rest = static_cast<std::ptrdiff_t>(v.size()) / (a * b);
  std::vector<T> result;
  for (std::int64_t j = 0; j < b; ++j) {
    for (std::int64_t i = 0; i < a; ++i) {
      const auto from = v.begin() + (i * b + j) * rest;
      result.insert(result.end(), from, from + rest);
    }
  }
  return result;
}

/// [T, D, N, H] as [N, T, D, H].
Doubles rows_first(const Doubles& y, std::int64_t directions) {
  return swapped(y, Layer::steps * directions, Layer::rows);
}

void check(const Case& c) {
  const Layer l(c);
  const bool lstm = c.op == "LSTM";
  const std::int64_t H = Layer::hidden, G = l.gates, D = l.directions, N = Layer::rows;
  TestModel model;
  model.floats("W", {D, G * H, Layer::inputs}, l.w).floats("R", {D, G * H, H}, l.r);
  model.floats("B", {D, 2 * G * H}, l.b);
  Names inputs{"X", "W", "R", "B", "", "", "", ""};
  std::vector<Tensor> given;
  if (c.batch_first) {
    model.input("X", {"N", "T", Layer::inputs});
    given.push_back(float_tensor({N, Layer::steps, Layer::inputs}, swapped(l.x, Layer::steps, N)));
  } else {
    model.input("X", {"T", "N", Layer::inputs});
    given.push_back(float_tensor({Layer::steps, N, Layer::inputs}, l.x));
  }
  if (c.lengths) {
    inputs[4] = "lengths";
    model.integers("lengths", l.lengths);
  }
  auto state = [&](std::size_t place, const std::string& name, const std::vector<float>& values) {
    inputs[place] = name;
    if (c.batch_first) {
      model.input(name, {"N", D, H});
      given.push_back(float_tensor({N, D, H}, swapped(values, D, N)));
    } else {
      model.input(name, {D, "N", H});
      given.push_back(float_tensor({D, N, H}, values));
    }
  };
  if (c.states) state(5, "h0", l.h0);
  if (c.states && lstm) state(6, "c0", l.c0);
  if (c.peepholes) {
    inputs[7] = "P";
    model.floats("P", {D, 3 * H}, l.p);
  }
  while (inputs.back().empty()) inputs.pop_back();
  Names outputs{"Y", "Y_h"};
  if (lstm) outputs.emplace_back("Y_c");
  TestNode node = model.node(c.op, inputs, outputs);
  node.with("hidden_size", H).with("direction", c.direction.c_str());
  node.with("layout", c.batch_first ? 1 : 0);
  if (c.clip > 0) node.with("clip", static_cast<float>(c.clip));
  if (c.linear_before_reset) node.with("linear_before_reset", 1);
  if (c.input_forget) node.with("input_forget", 1);
  for (const std::string& output : outputs) model.output(output);

  const std::vector<Doubles> results = run(model.import(), given);
  Outputs meant = reference(l);
  if (c.batch_first) {
    meant.y = rows_first(meant.y, D);
    meant.h = swapped(meant.h, D, N);
    meant.c = swapped(meant.c, D, N);
  }
  ASSERT_EQ(results.size(), outputs.size());
  const Doubles* all[] = {&meant.y, &meant.h, &meant.c};
  for (std::size_t o = 0; o < results.size(); ++o) {
    ASSERT_EQ(results[o].size(), all[o]->size());
    for (std::size_t i = 0; i < results[o].size(); ++i)
      EXPECT_NEAR(results[o][i], (*all[o])[i], 1e-5) << outputs[o] << " element " << i;
  }
}

TEST(RecurrentRows, ComputeWhatOnnxSays) {
  for (const char* op : {"RNN", "GRU", "LSTM"}) {
    for (const char* direction : {"forward", "reverse", "bidirectional"}) {
      for (const bool batch_first : {false, true}) {
        for (const bool lengths : {false, true}) {
          SCOPED_TRACE(fmt::format("{} {} {} {}", op, direction, batch_first, lengths));
          Case c{.op = op, .direction = direction, .batch_first = batch_first, .lengths = lengths};
          check(c);
          c.states = true;
          c.clip = 0.4;
          c.linear_before_reset = c.op == "GRU";
          c.peepholes = c.op == "LSTM";
          check(c);
          c.input_forget = c.op == "LSTM";
          check(c);
        }
      }
    }
  }
}

TEST(RecurrentRows, RefuseWhatDoesNotFit) {
  auto message = [](const std::vector<std::int64_t>& r, const std::string& direction) {
    TestModel model;
    model.input("X", {"T", "N", 3}).floats("W", {1, 2, 3}, std::vector<float>(6));
    std::int64_t count = 1;
    for (const std::int64_t size : r) count *= size;
    model.floats("R", r, std::vector<float>(static_cast<std::size_t>(count)));
    model.node("RNN", {"X", "W", "R"}, {"Y"})
        .with("hidden_size", 2)
        .with("direction", direction.c_str());
    model.output("Y");
    return message_of(model.import());
  };
  EXPECT_EQ(message({1, 2, 2}, "forward"), "no error");
  EXPECT_NE(message({2, 2}, "forward").find("R is of rank 2, not 3"), std::string::npos);
  EXPECT_NE(message({1, 2, 3}, "forward").find("hidden_size is 2, but R has 3 columns"),
            std::string::npos);
  EXPECT_NE(message({1, 2, 2}, "sideways").find("direction is 'sideways'"), std::string::npos);
  EXPECT_NE(message({1, 2, 2}, "bidirectional"), "no error");
}

}  // namespace
}  // namespace ingot::onnx
