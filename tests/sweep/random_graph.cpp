// SPDX-License-Identifier: Apache-2.0
#include "random_graph.h"

#include <random>

#include "random_generator.h"

namespace ingot::sweep {

RandomGraph Generator::make() {
  graph_.declare_symbol("N", {0, 1000});
  if (second_) graph_.declare_symbol("k", {0, kSecondMax});
  const int inputs = 1 + below(3);
  for (int i = 0; i < inputs; ++i) add_input(i);
  const int steps = std::min(4 + below(14), most_.steps);
  for (int i = 0; i < steps; ++i) step(i);
  const int outputs = 1 + below(3);
  for (int i = 0; i < outputs; ++i) {
    const ValueId value = i == 0 ? values_.back() : any();
    graph_.add_output(fmt::format("y{}", i), value);
  }
  return {std::move(graph_), !mixing_};
}

void Generator::add_input(int i) {
  Shape shape{kBatch};
  if (second_ && chance(50)) {
    shape.push_back(kSecond);
  } else if (chance(30)) {
    shape.emplace_back(1 + below(5));
  }
  if (!chance(5)) shape.emplace_back(width());
  DType dtype = real_;
  if (!smooth_ && i > 0 && chance(30)) dtype = one_of(kTypes);
  values_.push_back(graph_.add_input(fmt::format("x{}", i), {dtype, std::move(shape)}));
}

void Generator::step(int i) {
  using Step = ValueId (Generator::*)(Composer&);
  static constexpr std::pair<int, Step> kSteps[] = {
      {20, &Generator::dense},  {6, &Generator::two_sided},   {5, &Generator::residual},
      {10, &Generator::unary},  {14, &Generator::activation}, {16, &Generator::arithmetic},
      {6, &Generator::softmax}, {6, &Generator::concat},      {6, &Generator::slice},
      {6, &Generator::reshape}, {5, &Generator::transpose},   {3, &Generator::broadcast},
      {8, &Generator::reduce},  {9, &Generator::convert},     {6, &Generator::compare},
      {5, &Generator::choose},  {10, &Generator::integers},   {4, &Generator::booleans},
      {3, &Generator::one_hot}, {3, &Generator::positions},   {3, &Generator::normalise},
      {8, &Generator::window},  {7, &Generator::gather},      {8, &Generator::convolution},
      {6, &Generator::top_k},   {5, &Generator::scatter},     {5, &Generator::loop},
  };
  int total = 0;
  for (const auto& [weight, step] : kSteps) total += weight;
  for (int attempt = 0; attempt < 50; ++attempt) {
    int at = below(total);
    std::size_t chosen = 0;
    while (at >= kSteps[chosen].first) at -= kSteps[chosen++].first;
    Composer c(graph_, fmt::format("step{}", i));
    const ValueId value = (this->*kSteps[chosen].second)(c);
    if (c.failed()) {
      const auto failure = c.result(value);
      internal_error(__FILE__, __LINE__, failure.error().message);
    }
    if (!value.valid()) continue;
    values_.push_back(value);
    return;
  }
}

namespace {

/// One die for all.
RandomGraph graph_of(std::uint64_t seed, bool smooth) {
  std::mt19937_64 engine(seed * 2 + (smooth ? 1 : 0));
  const auto next = [&engine] { return engine(); };
  return Generator(Die(next), Die(next), seed, smooth).make();
}

}  // namespace

RandomGraph random_graph(std::uint64_t seed) { return graph_of(seed, false); }
RandomGraph smooth_graph(std::uint64_t seed) { return graph_of(seed, true); }

RandomGraph random_graph(const std::function<std::uint64_t()>& decide, std::uint64_t seed,
                         bool smooth, GraphSize most) {
  // Spread over all bits, as those expect it who take the upper ones.
  const auto spread = [&decide] { return decide() * 0x9E3779B97F4A7C15U; };
  std::mt19937_64 numbers(seed);
  return Generator(Die(spread), Die(std::ref(numbers)), seed, smooth, most).make();
}

}  // namespace ingot::sweep
