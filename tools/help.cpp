// SPDX-License-Identifier: Apache-2.0
#include "help.h"

#include <memory>

#include "cli_tree.h"

namespace ingot::tools {
namespace {

/// `--emit KINDS` instead of CLI11's `--emit TEXT:VALIDATOR`.
class Formatter : public CLI::Formatter {
 public:
  Formatter() { column_width(26); }

  std::string make_option_opts(const CLI::Option* option) const override {
    const std::string value = option->get_positional() ? "" : flag_value(*option);
    return (value.empty() ? "" : " " + value) +
           (option->get_items_expected_max() > 1 ? " ..." : "");
  }
  std::string make_option_desc(const CLI::Option* option) const override {
    constexpr std::size_t width = 72;
    std::string text = option->get_description();
    for (std::size_t start = 0; text.size() - start > width;) {
      const std::size_t blank = text.rfind(' ', start + width);
      if (blank == std::string::npos || blank <= start) break;
      text[blank] = '\n';
      start = blank + 1;
    }
    return text;
  }
  std::string make_option_name(const CLI::Option* option, bool is_positional) const override {
    return option->get_name(is_positional, !is_positional);
  }
  std::string make_footer(const CLI::App* app) const override {
    return app->get_footer().empty() ? "" : app->get_footer() + "\n";
  }
};

}  // namespace

void explain(CLI::App& app, std::string_view text, const std::vector<Example>& examples) {
  std::string footer(text);
  footer += "\n\nExamples:";
  for (const Example& example : examples)
    footer += "\n  $ " + example.command + "\n      " + example.gives;
  app.footer(footer);
}

void format_help(CLI::App& program) {
  program.formatter(std::make_shared<Formatter>());
  program.get_formatter()->label("SUBCOMMAND", "COMMAND");
  for (CLI::App* command : program.get_subcommands([](CLI::App*) { return true; }))
    command->formatter(program.get_formatter())->group("Commands");
}

}  // namespace ingot::tools
