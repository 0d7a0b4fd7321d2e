// SPDX-License-Identifier: Apache-2.0
// Any bytes as the text of a plan without weights. What parses must print and read back, and be
// checked without a crash.
#include "plan/check.h"
#include "plan/parse.h"
#include "plan/print.h"
#include "target.h"

namespace ingot::fuzz {
namespace {

void read_plan(Bytes data) {
  const std::string_view text(reinterpret_cast<const char*>(data.data()), data.size());
  const auto plan = plan::parse_plan(text, {});
  if (!plan) return;
  const std::string printed = plan::print(*plan).text;
  const auto again = plan::parse_plan(printed, {});
  if (!again) stop("does not read back: " + again.error().message);
  if (plan::print(*again).text != printed) stop("reads back as something else");
  (void)plan::check_plan(*again);
}

}  // namespace
}  // namespace ingot::fuzz

INGOT_FUZZ_TARGET(plan, ingot::fuzz::read_plan)
