// SPDX-License-Identifier: Apache-2.0
// For tests of plans: a graph as text becomes a plan, without blocks unless they are asked for, and
// the plan's parts are found by name.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>

#include "ir/op.h"
#include "ir/text.h"
#include "plan/plan.h"
#include "plan/print.h"

namespace ingot::plan {

inline Plan planned(std::string_view graph_text, std::int64_t block_bytes = 0) {
  auto graph = parse_graph(graph_text);
  if (!graph) {
    ADD_FAILURE() << graph.error().message;
    return {};
  }
  auto plan = make_plan(*graph, {.block_bytes = block_bytes});
  if (!plan) {
    ADD_FAILURE() << plan.error().message;
    return {};
  }
  return std::move(*plan);
}

/// "kind name [space]" of each kernel, in order.
inline std::vector<std::string> kernels_of(const Plan& plan) {
  std::vector<std::string> result;
  for (const Kernel& kernel : plan.kernels) {
    result.push_back(fmt::format("{} {} {}", kind_name(kernel), kernel.name, str(kernel.space)));
  }
  return result;
}

/// The work of kernel `number`, which must be of this shape.
template <class Work>
const Work& work_of(const Plan& plan, std::size_t number) {
  static const Work none{};
  const Work* work =
      number < plan.kernels.size() ? std::get_if<Work>(&plan.kernels[number].work) : nullptr;
  EXPECT_NE(work, nullptr) << print(plan).text;
  return work != nullptr ? *work : none;
}

/// The ops that a body applies, in order.
inline std::string ops_of(const Body& body) {
  std::string result;
  for (const Step& step : body.steps) {
    if (step.kind == Step::Kind::apply) {
      result += (result.empty() ? "" : " ") + std::string(step.op->name);
    }
  }
  return result;
}

inline std::vector<std::string> arena_buffers(const Plan& plan) {
  std::vector<std::string> names;
  for (const Buffer& buffer : plan.buffers) {
    if (buffer.kind == Buffer::Kind::arena) names.push_back(buffer.name);
  }
  return names;
}

}  // namespace ingot::plan
