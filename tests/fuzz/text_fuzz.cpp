// SPDX-License-Identifier: Apache-2.0
// Any bytes as a graph in text form. What parses must keep its promises.
#include "agree.h"
#include "import/import.h"
#include "target.h"

namespace ingot::fuzz {
namespace {

void read_text(Bytes data) {
  // Through the importer, which asks more of a graph than the text form does.
  const auto graph = import_model(std::as_bytes(data), {});
  if (!graph) return;
  if (const std::string wrong = broken_promise(*graph, data.size()); !wrong.empty()) stop(wrong);
}

}  // namespace
}  // namespace ingot::fuzz

INGOT_FUZZ_TARGET(text, ingot::fuzz::read_text)
