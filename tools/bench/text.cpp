// SPDX-License-Identifier: Apache-2.0
#include "text.h"

#include <algorithm>
#include <cmath>
#include <iterator>

namespace ingot::bench {

std::string short_number(double value) {
  if (!std::isfinite(value)) return "-";
  const double size = std::abs(value);
  if (size == 0) return "0";
  // Rounded first, so that 9.996 is 10.0 and not 10.00.
  const double rounded = std::stod(fmt::format("{:.2e}", size));
  const int digits = std::max(0, 2 - static_cast<int>(std::floor(std::log10(rounded) + 1e-12)));
  return digits > 6 ? fmt::format("{:.2e}", value) : fmt::format("{:.{}f}", value, digits);
}

std::string with_prefix(double value, const std::string& unit) {
  constexpr const char* prefixes[] = {"", "k", "M", "G", "T", "P"};
  std::size_t at = 0;
  while (std::abs(value) >= 999.5 && at + 1 < std::size(prefixes)) {
    value /= 1000;
    ++at;
  }
  const bool whole = at == 0 && value == std::floor(value);
  const std::string number = whole ? fmt::format("{:.0f}", value) : short_number(value);
  const std::string end = prefixes[at] + unit;
  return end.empty() ? number : number + " " + end;
}

std::string sizes_text(const SymbolValues& sizes) {
  std::string text;
  for (const auto& [name, value] : sizes)
    text += fmt::format("{}{}={}", text.empty() ? "" : ", ", name, value);
  return text.empty() ? "fixed sizes" : text;
}

std::string date_text(const std::string& date) {
  const bool iso = date.size() == 20 && date[10] == 'T' && date[19] == 'Z';
  return iso ? date.substr(0, 10) + " " + date.substr(11, 5) + " UTC" : date;
}

std::string escape(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else if (c == '&')
      out += "&amp;";
    else if (c == '"')
      out += "&quot;";
    else if (static_cast<unsigned char>(c) >= 0x20)
      out += c;
    else
      out += ' ';
  }
  return out;
}

std::string machine_text(const Machine& machine) {
  std::string text = fmt::format("{}, {} core{}", machine.cpu.empty() ? "unknown CPU" : machine.cpu,
                                 machine.cores, machine.cores == 1 ? "" : "s");
  for (const auto& [level, gflops] : machine.peak_gflops)
    text += fmt::format("; {} GFLOP/s ({})", short_number(gflops), level);
  for (const Machine::Level& level : machine.levels)
    text += fmt::format("; {} {} GB/s", level.name, short_number(level.read_gb_s));
  return text;
}

}  // namespace ingot::bench
