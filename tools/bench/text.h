// SPDX-License-Identifier: Apache-2.0
// Figures as a reader wants them.
#pragma once

#include <cstdint>
#include <string>

#include "report.h"

namespace ingot::bench {

/// Three significant digits, and all of the whole part: `0.124`, `12.3`, `1234`.
std::string short_number(double value);

/// `1.2 k`, `3.45 M`, with the unit after it: `3.45 MB`.
std::string with_prefix(double value, const std::string& unit);

/// `N=16, n_pf=50`; "fixed sizes" if there are no symbols.
std::string sizes_text(const SymbolValues& sizes);

/// `2026-11-21 20:00 UTC` of ISO 8601; any other text as it is.
std::string date_text(const std::string& date);

/// As text or an attribute's value in HTML and XML: `<`, `>`, `&`, quotes and what XML does not
/// allow.
std::string escape(const std::string& text);

/// What a report says of its machine: `AMD EPYC .., 2 cores; 273 GFLOP/s (v4); L1 550 GB/s, ..`
std::string machine_text(const Machine& machine);

}  // namespace ingot::bench
