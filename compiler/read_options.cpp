// SPDX-License-Identifier: Apache-2.0
#include "read_options.h"

#include <algorithm>
#include <charconv>

namespace ingot {

Expected<std::pair<std::string, std::string>> read_pair(std::string_view flag,
                                                        const std::string& text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0) {
    return fail(ErrorCode::invalid_argument, "{} {}: NAME=VALUE wanted", flag, text);
  }
  return std::pair(text.substr(0, equals), text.substr(equals + 1));
}

Expected<std::int64_t> read_size(std::string_view flag, std::string_view text) {
  std::int64_t value = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (status != std::errc() || end != text.data() + text.size() || value < 0) {
    return fail(ErrorCode::invalid_argument, "{}: '{}' is not a size", flag, text);
  }
  return value;
}

std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> parts(1);
  int depth = 0;
  for (const char c : text) {
    if (c == '[') ++depth;
    if (c == ']') --depth;
    if (c == ',' && depth == 0) {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  std::erase(parts, "");
  return parts;
}

namespace {

Expected<SymbolValues> read_pins(const std::string& text) {
  SymbolValues pins;
  for (const std::string& part : split(text)) {
    INGOT_ASSIGN(const auto pair, read_pair("--variant", part));
    INGOT_ASSIGN(const std::int64_t value, read_size("--variant " + part, pair.second));
    if (!pins.emplace(pair.first, value).second) {
      return fail(ErrorCode::invalid_argument,
                  "--variant {}: {} has two values; give --variant twice for two variants", text,
                  pair.first);
    }
  }
  if (pins.empty()) {
    return fail(ErrorCode::invalid_argument, "--variant {}: sizes wanted, as N=1 or N=1,n_pf=50",
                text);
  }
  return pins;
}

}  // namespace

Expected<CompileOptions> read_options(const compiler::Options& written) {
  CompileOptions options;
  for (const std::string& text : written.inputs) {
    for (const std::string& part : split(text)) {
      INGOT_ASSIGN(InputSpec spec, parse_input_spec(part));
      options.import.inputs.push_back(std::move(spec));
    }
  }
  for (const std::string& text : written.constants) {
    INGOT_ASSIGN(auto pair, read_pair("--constant", text));
    options.import.constants.insert(std::move(pair));
  }
  for (const std::string& text : written.outputs) {
    for (std::string& part : split(text)) options.import.outputs.push_back(std::move(part));
  }
  for (const std::string& text : written.dims) {
    for (const std::string& part : split(text)) {
      INGOT_ASSIGN(const auto pair, read_pair("--dim", part));
      const std::size_t colon = pair.second.find(':');
      INGOT_ASSIGN(const std::int64_t lo, read_size("--dim " + part, pair.second.substr(0, colon)));
      std::int64_t hi = lo;
      if (colon != std::string::npos) {
        INGOT_ASSIGN(hi, read_size("--dim " + part, pair.second.substr(colon + 1)));
      }
      if (hi < lo)
        return fail(ErrorCode::invalid_argument, "--dim {}: {} is less than {}", part, hi, lo);
      options.import.symbol_ranges[pair.first] = {lo, hi};
    }
  }
  for (const std::string& text : written.variants) {
    INGOT_ASSIGN(SymbolValues pins, read_pins(text));
    if (std::count(options.variants.begin(), options.variants.end(), pins) != 0) {
      return fail(ErrorCode::invalid_argument, "--variant {}: given twice; leave one out", text);
    }
    options.variants.push_back(std::move(pins));
  }
  options.import.tag = written.tag;
  if (const std::vector<std::string> names = split(written.signature); names.size() > 1) {
    for (const std::string& name : names) {
      if (std::count(names.begin(), names.end(), name) > 1)
        return fail(ErrorCode::invalid_argument, "--signature {}: given twice; leave one out",
                    name);
    }
    options.signatures = names;
  } else {
    options.import.signature = written.signature;
  }
  options.import.name = written.name;
  for (const std::string& text : written.disabled_passes) {
    for (std::string& part : split(text)) options.passes.disabled.push_back(std::move(part));
  }
  if (written.pass_limit) {
    if (*written.pass_limit < 0) {
      return fail(ErrorCode::invalid_argument, "--pass-limit {}: a number of rewrites wanted",
                  *written.pass_limit);
    }
    options.passes.limit = *written.pass_limit;
  }
  if (!written.isa.empty()) {
    options.isa_levels.clear();
    for (const std::string& part : split(written.isa)) {
      if (part != "v2" && part != "v3" && part != "v4") {
        return fail(ErrorCode::invalid_argument, "--isa {}: one or more of v2, v3, v4 wanted",
                    part);
      }
      options.isa_levels.push_back(part[1] - '0');
    }
  }
  if (written.instrument == "thread") {
    options.instrument = target::Instrument::thread;
  } else if (written.instrument == "address") {
    options.instrument = target::Instrument::address;
  } else if (!written.instrument.empty()) {
    return fail(ErrorCode::invalid_argument, "--instrument {}: thread or address wanted",
                written.instrument);
  }
  options.shared = written.shared;
  return options;
}

}  // namespace ingot
