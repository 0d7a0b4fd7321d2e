// SPDX-License-Identifier: Apache-2.0
#include "notes.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <optional>
#include <vector>

#include "base/file.h"

namespace ingot::bench {
namespace {

constexpr double worse = 1.3;

const std::map<std::string_view, std::string_view> engine_of_column = {
    {"ORT", "onnxruntime"}, {"OpenVINO", "openvino"},   {"IREE", "iree"},
    {"XLA AOT", "xla"},     {"TF C API", "tensorflow"},
};

std::string_view trim(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t\r");
  if (begin == text.npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r") - begin + 1);
}

/// `| a | b |` as its cells; nothing for any other line.
std::vector<std::string_view> cells(std::string_view line) {
  std::vector<std::string_view> result;
  if (line.size() < 2 || line.front() != '|' || line.back() != '|') return result;
  line.remove_prefix(1);
  for (std::size_t end; (end = line.find('|')) != line.npos; line.remove_prefix(end + 1))
    result.push_back(trim(line.substr(0, end)));
  return result;
}

template <class T>
std::optional<T> number(std::string_view text) {
  T value{};
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

double number_before(std::string_view text, std::string_view unit) {
  const std::size_t end = text.find(unit);
  if (end == text.npos) return 0;
  std::size_t begin = end;
  while (begin > 0 && std::string_view("0123456789.").find(text[begin - 1]) != text.npos) --begin;
  return number<double>(text.substr(begin, end - begin)).value_or(0);
}

/// Middle of the sorted values; of two middles, the geometric mean.
double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : std::sqrt(values[half - 1] * values[half]);
}

}  // namespace

Notes read_notes(std::string_view text) {
  Notes notes;
  notes.peak_gflops = number_before(text, " GFLOP/s");
  std::optional<std::int64_t> events;
  std::vector<std::string_view> header;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = trim(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    const std::vector<std::string_view> row = cells(line);
    if (row.empty()) {
      header.clear();
      if (line.starts_with("N = "))
        events = number<std::int64_t>(line.substr(4));
      else if (!line.empty())
        events.reset();
    } else if (header.empty()) {
      header = row;
    } else if (events && header.front() == "model" && row.size() == header.size()) {
      for (std::size_t i = 1; i < row.size(); ++i) {
        const auto engine = engine_of_column.find(header[i]);
        const std::optional<double> time = number<double>(row[i]);
        if (engine != engine_of_column.end() && time && *time > 0)
          notes.times[{*events, std::string(row[0])}][std::string(engine->second)] = *time;
      }
    }
  }
  return notes;
}

Notes find_notes(const std::string& start) {
  std::error_code failed;
  for (std::filesystem::path folder = std::filesystem::absolute(start, failed); !failed;
       folder = folder.parent_path()) {
    const std::filesystem::path file = folder / "shared/notes/peers.md";
    if (std::filesystem::exists(file, failed)) {
      const Expected<std::vector<std::byte>> bytes = read_file(file.string());
      if (!bytes) return {};
      return read_notes({reinterpret_cast<const char*>(bytes->data()), bytes->size()});
    }
    if (folder == folder.parent_path()) break;
  }
  return {};
}

std::map<std::string, std::string> doubts(const Times& times, const Times& noted, double slower) {
  std::map<std::string, double> quotients;
  for (const auto& [engine, time] : times) {
    if (const auto there = noted.find(engine); there != noted.end())
      quotients[engine] = time / there->second;
  }
  std::map<std::string, std::string> result;
  for (const auto& [engine, quotient] : quotients) {
    std::vector<double> others;
    for (const auto& [other, value] : quotients) {
      if (other != engine) others.push_back(value);
    }
    if (others.empty()) continue;
    const double excess = quotient / std::max(median(others), slower);
    if (excess > worse) {
      result[engine] = fmt::format("{:.1f} times worse against {} than in the notes", excess,
                                   others.size() == 1 ? "the other engine" : "the other engines");
    }
  }
  return result;
}

void mark_doubts(const Notes& notes, const std::string& model, double peak_gflops, Run& run) {
  const auto noted = notes.times.find({run.events, model});
  if (noted == notes.times.end()) return;
  Times times;
  for (const Result& result : run.results) {
    if (result.hot) times[result.engine] = result.hot->median;
  }
  const double slower = peak_gflops > 0 ? std::max(1.0, notes.peak_gflops / peak_gflops) : 1.0;
  const std::map<std::string, std::string> found = doubts(times, noted->second, slower);
  for (Result& result : run.results) {
    if (const auto doubt = found.find(result.engine); doubt != found.end())
      result.doubt = doubt->second;
  }
}

}  // namespace ingot::bench
