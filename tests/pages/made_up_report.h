// SPDX-License-Identifier: Apache-2.0
// A report that nobody measured, as large and as uneven as a real one: for tests of what reports
// become.
#pragma once

#include "tools/bench/report.h"

namespace ingot::bench {

/// 30 models, 7 engines and 3 sizes, hot and cold, with profiles. Among them errors, figures that
/// miss or are not steady, doubts, and names that need escaping. The same numbers every time, from
/// `seed`: another seed stands for the same comparison made again.
Report made_up_report(unsigned seed = 1);

}  // namespace ingot::bench
