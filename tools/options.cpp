// SPDX-License-Identifier: Apache-2.0
#include "options.h"

#include <algorithm>
#include <charconv>

namespace ingot::tools {
namespace {

Expected<std::pair<std::string, std::string>> key_value(std::string_view flag,
                                                        const std::string& text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0) {
    return fail(ErrorCode::invalid_argument, "{} {}: NAME=VALUE wanted", flag, text);
  }
  return std::pair(text.substr(0, equals), text.substr(equals + 1));
}

Expected<std::int64_t> number(std::string_view flag, std::string_view text) {
  std::int64_t value = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (status != std::errc() || end != text.data() + text.size() || value < 0) {
    return fail(ErrorCode::invalid_argument, "{}: '{}' is not a size", flag, text);
  }
  return value;
}

}  // namespace

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

void ModelFlags::add_import(CLI::App& app) {
  app.add_option(
         "--input", inputs,
         "an input's type; may name an inner value, which becomes one; inputs come in this order")
      ->type_name("NAME=DTYPE[N,27]")
      ->take_all();
  app.add_option("--constant", constants, "fix an input to a number, true, false or [1,2]")
      ->type_name("NAME=VALUE")
      ->take_all();
  app.add_option("--outputs", outputs, "compute these instead of the model's outputs")
      ->type_name("A,B")
      ->take_all();
  app.add_option("--dim", dims, "pin a size when compiling, or bound it")
      ->type_name("N=4|N=1:64")
      ->take_all();
}

void ModelFlags::add_compile(CLI::App& app) {
  app.add_option("--name", name, "name of the model: of its files, namespace and symbols")
      ->type_name("NAME");
  app.add_option("--isa", isa,
                 "x86-64 levels to have code for, of which the best is chosen at run time "
                 "(default v3,v4); with v2 all are strict")
      ->type_name("LEVELS");
  app.add_option("--instrument", instrument, "compile with LLVM's sanitizer")
      ->check(CLI::IsMember({"thread", "address"}));
  add_passes(app);
}

void ModelFlags::add_passes(CLI::App& app) {
  app.add_option("--disable-pass", disabled_passes, "leave a pass out")
      ->type_name("PASS")
      ->take_all();
  app.add_option("--pass-limit", pass_limit,
                 "make only the first K rewrites, to find a wrong one by halves")
      ->type_name("K")
      ->check(CLI::NonNegativeNumber);
}

Expected<CompileOptions> ModelFlags::options() const {
  CompileOptions options;
  for (const std::string& text : inputs) {
    for (const std::string& part : split(text)) {
      INGOT_ASSIGN(InputSpec spec, parse_input_spec(part));
      options.import.inputs.push_back(std::move(spec));
    }
  }
  for (const std::string& text : constants) {
    INGOT_ASSIGN(auto pair, key_value("--constant", text));
    options.import.constants.insert(std::move(pair));
  }
  for (const std::string& text : outputs) {
    for (std::string& part : split(text)) options.import.outputs.push_back(std::move(part));
  }
  for (const std::string& text : dims) {
    for (const std::string& part : split(text)) {
      INGOT_ASSIGN(const auto pair, key_value("--dim", part));
      const std::size_t colon = pair.second.find(':');
      INGOT_ASSIGN(const std::int64_t lo, number("--dim " + part, pair.second.substr(0, colon)));
      std::int64_t hi = lo;
      if (colon != std::string::npos) {
        INGOT_ASSIGN(hi, number("--dim " + part, pair.second.substr(colon + 1)));
      }
      if (hi < lo)
        return fail(ErrorCode::invalid_argument, "--dim {}: {} is less than {}", part, hi, lo);
      options.import.symbol_ranges[pair.first] = {lo, hi};
    }
  }
  options.import.name = name;
  for (const std::string& text : disabled_passes) {
    for (std::string& part : split(text)) options.passes.disabled.push_back(std::move(part));
  }
  if (pass_limit) options.passes.limit = *pass_limit;
  if (!isa.empty()) {
    options.isa_levels.clear();
    for (const std::string& part : split(isa)) {
      if (part != "v2" && part != "v3" && part != "v4") {
        return fail(ErrorCode::invalid_argument, "--isa {}: one or more of v2, v3, v4 wanted",
                    part);
      }
      options.isa_levels.push_back(part[1] - '0');
    }
  }
  if (instrument == "thread") options.instrument = target::Instrument::thread;
  if (instrument == "address") options.instrument = target::Instrument::address;
  return options;
}

void SizeFlags::add(CLI::App& app) {
  app.add_option("--size", sizes, "the value of a size in this call")->type_name("N=4")->take_all();
}

Expected<SymbolValues> SizeFlags::values() const {
  SymbolValues values;
  for (const std::string& text : sizes) {
    for (const std::string& part : split(text)) {
      INGOT_ASSIGN(const auto pair, key_value("--size", part));
      INGOT_ASSIGN(values[pair.first], number("--size " + part, pair.second));
    }
  }
  return values;
}

}  // namespace ingot::tools
