// SPDX-License-Identifier: Apache-2.0
// Figures of peers that somebody took with care, on whatever machine: an engine that does worse
// against the others than it did there has the wrong settings, until that is understood.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace ingot::bench {

/// Microseconds of a call, by engine: `onnxruntime`, `openvino`, `iree`, `xla`, `tensorflow`.
using Times = std::map<std::string, double>;

/// By number of events and name of the model.
using Notes = std::map<std::pair<std::int64_t, std::string>, Times>;

/// The tables of ../shared/notes/peers.md: a line `N = 16`, then a table with a column per engine.
/// What is not such a table is passed over, so that a text without any gives none.
Notes read_notes(std::string_view text);

/// Of the file in ../shared beside `start` or a folder above it; empty if there is none.
Notes find_notes(const std::string& start = ".");

/// Per engine of `times` that is more than 1.3 times worse, against the median of the others, than
/// in `noted`, a line that says so. Engines that one of them lacks are left out.
std::map<std::string, std::string> doubts(const Times& times, const Times& noted);

}  // namespace ingot::bench
