// SPDX-License-Identifier: Apache-2.0
// Completion for bash and zsh. Values that are no fixed set are completed as files.
#include "base/expected.h"
#include "cli_tree.h"
#include "help.h"

namespace ingot::tools {
namespace {

std::string joined(const std::vector<std::string>& words, std::string_view between) {
  std::string out;
  for (const std::string& word : words) {
    if (!out.empty()) out += between;
    out += word;
  }
  return out;
}

std::vector<std::string> names(const CLI::App& program) {
  std::vector<std::string> all;
  for (const CLI::App* command : subcommands(program)) all.push_back(command->get_name());
  return all;
}

/// A text between single quotes in either shell.
std::string in_quotes(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'')
      out += "'\\''";
    else
      out += c;
  }
  return out + "'";
}

/// A colon or a bracket ends a part of what zsh's _arguments takes.
std::string zsh_text(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == ':' || c == '[' || c == ']' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

std::string zsh_flag(const CLI::Option& option) {
  const std::vector<std::string> all = spellings(option);
  const std::string value = flag_value(option);
  std::string out;
  for (const std::string& spelling : all) {
    std::string entry = option.get_items_expected_max() > 1 && !value.empty()
                            ? "*"
                            : fmt::format("({})", joined(all, " "));
    entry += spelling;
    if (!value.empty() && spelling.starts_with("--")) entry += '=';
    entry += fmt::format("[{}]", zsh_text(option.get_description()));
    if (!value.empty()) {
      const std::vector<std::string> known = choices(option);
      entry += known.empty() ? fmt::format(":{}:_files", zsh_text(value))
                             : fmt::format(":choice:({})", joined(known, " "));
    }
    out += fmt::format("        {} \\\n", in_quotes(entry));
  }
  return out;
}

}  // namespace

std::string bash_completion(const CLI::App& program) {
  std::string values, words;
  for (const CLI::App* command : subcommands(program)) {
    std::vector<std::string> all;
    for (const CLI::Option* option : flags(*command)) {
      for (const std::string& spelling : spellings(*option)) {
        all.push_back(spelling);
        const std::vector<std::string> known = choices(*option);
        if (!known.empty())
          values += fmt::format("    {}:{}) words='{}' ;;\n", command->get_name(), spelling,
                                joined(known, " "));
        else if (!flag_value(*option).empty())
          values += fmt::format("    {}:{}) words='' ;;\n", command->get_name(), spelling);
      }
    }
    words += fmt::format("        {}) words='{}' ;;\n", command->get_name(), joined(all, " "));
  }
  return fmt::format(R"(# bash completion for ingot; written by: ingot completion bash
_ingot() {{
  local current=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD - 1]}} words
  COMPREPLY=()
  if ((COMP_CWORD == 1)); then
    mapfile -t COMPREPLY < <(compgen -W '{} --help --version' -- "$current")
    return
  fi
  # --flag=value comes as three words.
  [[ $current == = ]] && current=
  [[ $before == = ]] && before=${{COMP_WORDS[COMP_CWORD - 2]}}
  case ${{COMP_WORDS[1]}}:$before in
{}    *)
      if [[ $current == -* ]]; then
        case ${{COMP_WORDS[1]}} in
{}          *) words= ;;
        esac
      fi
      ;;
  esac
  if [[ $words ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
  else
    mapfile -t COMPREPLY < <(compgen -f -- "$current")
  fi
}}
complete -o filenames -F _ingot ingot
)",
                     joined(names(program), " "), values, words);
}

std::string zsh_completion(const CLI::App& program) {
  std::string summaries, cases;
  for (const CLI::App* command : subcommands(program)) {
    summaries += fmt::format(
        "    {}\n", in_quotes(command->get_name() + ":" + zsh_text(command->get_description())));
    std::string arguments;
    for (const CLI::Option* option : flags(*command)) arguments += zsh_flag(*option);
    cases += fmt::format("    {})\n      _arguments -s \\\n{}        '*:file:_files'\n      ;;\n",
                         command->get_name(), arguments);
  }
  return fmt::format(R"(#compdef ingot
# zsh completion for ingot; written by: ingot completion zsh
_ingot() {{
  local -a commands
  commands=(
{}  )
  if ((CURRENT == 2)); then
    _describe command commands
    _arguments '--help[print help]' '--version[print the version]'
    return
  fi
  local command=$words[2]
  shift words
  ((CURRENT--))
  case $command in
{}  esac
}}
if [[ $funcstack[1] == _ingot ]]; then _ingot "$@"; else compdef _ingot ingot; fi
)",
                     summaries, cases);
}

}  // namespace ingot::tools
