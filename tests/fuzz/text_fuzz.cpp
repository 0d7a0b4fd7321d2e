// SPDX-License-Identifier: Apache-2.0
// Any bytes as a graph in text form, through the passes and the planner. What parses must print and
// read back.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "ir/text.h"
#include "passes/pass.h"
#include "plan/plan.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto graph = ingot::parse_graph(text);
  if (!graph) return 0;
  const std::string printed = ingot::print(*graph, {.constants_in_full = true});
  const auto again = ingot::parse_graph(printed);
  if (!again || ingot::print(*again, {.constants_in_full = true}) != printed) std::abort();
  if (const auto optimized = ingot::passes::optimize(*graph)) {
    (void)ingot::plan::make_plan(*optimized);
  }
  return 0;
}
