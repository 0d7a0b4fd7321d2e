// SPDX-License-Identifier: Apache-2.0
// Parts of the page of a report: sections as HTML that is XML too. A model's section has the
// anchor `m` and its number in the report.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "report.h"

namespace ingot::bench {

/// Ours against the best of the others, over all models, and a list of them.
std::string summary_section(const Report& report);

/// The colour and shape of each engine: `c3` in the style sheet.
using Styles = std::map<std::string, std::size_t>;

/// Time per event against events a call, a line for each engine, hot and cold side by side on one
/// scale; empty for one number of events.
std::string batch_plots(const ModelReport& model, const std::vector<std::string>& engines,
                        const Styles& styles);

/// Kernels with their shares and limits, and the roofline. `open`: shown without being asked for.
std::string profile_part(const Machine& machine, const Profile& profile, bool open);

/// The ten furthest from their limit; empty if nothing was profiled.
std::string furthest_section(const Report& report);

/// "1 event", "16 events".
std::string events_text(std::int64_t events);

/// Of a model's section: "#m3".
std::string anchor(const Report& report, const ModelReport& model);

}  // namespace ingot::bench
