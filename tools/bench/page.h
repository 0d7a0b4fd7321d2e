// SPDX-License-Identifier: Apache-2.0
// Parts of the page of a report: sections as HTML that is XML too. A model's section has the
// anchor `m` and its number in the report.
#pragma once

#include <string>

#include "report.h"

namespace ingot::bench {

/// Ours against the best of the others, over all models, and a list of them.
std::string summary_section(const Report& report);

/// Kernels with their shares and limits, and the roofline. `open`: shown without being asked for.
std::string profile_part(const Machine& machine, const Profile& profile, bool open);

/// The ten furthest from their limit; empty if nothing was profiled.
std::string furthest_section(const Report& report);

/// "1 event", "16 events".
std::string events_text(std::int64_t events);

/// Of a model's section: "#m3".
std::string anchor(const Report& report, const ModelReport& model);

}  // namespace ingot::bench
