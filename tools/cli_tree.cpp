// SPDX-License-Identifier: Apache-2.0
#include "cli_tree.h"

#include <cctype>

namespace ingot::tools {

std::vector<const CLI::App*> subcommands(const CLI::App& app) {
  return app.get_subcommands([](const CLI::App*) { return true; });
}

std::vector<const CLI::Option*> flags(const CLI::App& app) {
  return app.get_options([](const CLI::Option* option) { return !option->get_positional(); });
}

std::vector<std::string> spellings(const CLI::Option& option) {
  std::vector<std::string> all;
  for (const std::string& name : option.get_snames()) all.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) all.push_back("--" + name);
  return all;
}

std::string flag_value(const CLI::Option& option) {
  // CLI11 writes TYPE:VALIDATOR in capitals, and the members of a set as {a,b}.
  const std::string type = option.get_type_name();
  const std::size_t set = type.find('{'), colon = type.rfind(':');
  if (set != std::string::npos) return type.substr(set);
  const bool validator = colon != std::string::npos && colon + 1 < type.size() &&
                         std::isupper(static_cast<unsigned char>(type[colon + 1])) != 0;
  return validator ? type.substr(0, colon) : type;
}

std::vector<std::string> choices(const CLI::Option& option) {
  const std::string value = flag_value(option);
  if (value.empty() || value.front() != '{') return {};
  return CLI::detail::split(value.substr(1, value.size() - 2), ',');
}

}  // namespace ingot::tools
