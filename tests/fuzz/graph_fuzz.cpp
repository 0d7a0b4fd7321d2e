// SPDX-License-Identifier: Apache-2.0
// Random graphs, as the sweeps have them, but with a fuzzer instead of a die: passes, plan and text
// form keep what the graph means.
#include "agree.h"
#include "input_bytes.h"
#include "ir/text.h"
#include "target.h"
#include "tests/sweep/random_graph.h"

namespace ingot::fuzz {
namespace {

void make_graph(Bytes data) {
  InputBytes bytes(data.data(), data.size());
  const std::uint8_t seed = bytes.byte();
  const bool smooth = bytes.below(3) == 0;
  const auto decide = [&] { return static_cast<std::uint64_t>(bytes.byte()) << 8 | bytes.byte(); };
  // Short inputs are small graphs, and all are narrow: most of an execution's time is its own then.
  const sweep::GraphSize most{1 + static_cast<int>(data.size() / 24), 18};
  const sweep::RandomGraph random = sweep::random_graph(decide, seed, smooth, most);
  const std::string wrong = broken_promise(random.graph, seed, smooth);
  if (!wrong.empty()) stop(print(random.graph, {.constants_in_full = true}) + wrong);
}

}  // namespace
}  // namespace ingot::fuzz

INGOT_FUZZ_TARGET(graph, ingot::fuzz::make_graph)
