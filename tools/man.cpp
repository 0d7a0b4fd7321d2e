// SPDX-License-Identifier: Apache-2.0
// The manual page in the man(7) macros.
#include <cctype>

#include "base/expected.h"
#include "cli_tree.h"
#include "help.h"
#include "version.h"

namespace ingot::tools {
namespace {

/// A backslash, a minus sign, and a dot or an apostrophe that begins a line mean something to roff.
std::string roff(std::string_view text) {
  std::string out;
  bool at_start = true;
  for (const char c : text) {
    if (at_start && (c == '.' || c == '\'')) out += "\\&";
    if (c == '\\')
      out += "\\e";
    else if (c == '-')
      out += "\\-";
    else
      out += c;
    at_start = c == '\n';
  }
  return out;
}

std::string flag_entry(const CLI::Option& option) {
  std::string names;
  for (const std::string& spelling : spellings(option))
    names += (names.empty() ? "" : ", ") + fmt::format("\\fB{}\\fR", roff(spelling));
  const std::string value = flag_value(option);
  if (!value.empty()) names += fmt::format(" \\fI{}\\fR", roff(value));
  return fmt::format(".TP\n{}\n{}\n", names, roff(option.get_description()));
}

/// Paragraphs of --help's last part; what is indented there is shown as it stands.
std::string footer(const std::string& text) {
  std::string out;
  bool literal = false;
  for (const std::string& line : CLI::detail::split(text, '\n')) {
    const bool indented = line.starts_with("  ");
    if (indented != literal) out += indented ? ".nf\n" : ".fi\n";
    literal = indented;
    out += line.empty() ? ".PP\n" : roff(line) + "\n";
  }
  return out + (literal ? ".fi\n" : "");
}

std::string command_section(const CLI::App& app) {
  std::string usage;
  for (const CLI::Option* option : app.get_options()) {
    if (!option->get_positional()) continue;
    usage += fmt::format(" \\fI{}\\fR{}", roff(option->get_name(true)),
                         option->get_items_expected_max() > 1 ? " ..." : "");
  }
  std::string does = app.get_description();
  does[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(does[0])));
  std::string out = fmt::format(".SS ingot {}\n\\fBingot {}\\fR{} [\\fIflags\\fR]\n.PP\n{}.\n",
                                app.get_name(), app.get_name(), usage, roff(does));
  for (const CLI::Option* option : flags(app)) {
    if (option->get_name() != "--help") out += flag_entry(*option);
  }
  return out + ".PP\n" + footer(app.get_footer());
}

}  // namespace

std::string man_page(const CLI::App& program) {
  std::string out = fmt::format(
      ".TH INGOT 1 \"\" \"ingot {}\" \"User Commands\"\n.SH NAME\ningot \\- cast a trained neural "
      "network into one object file and one header\n.SH SYNOPSIS\n.B ingot\n.I command\n"
      "[\\fIflags\\fR]\n.SH DESCRIPTION\n{}\n.SH COMMANDS\n",
      project_version, roff(program.get_description()));
  for (const CLI::App* command : subcommands(program)) out += command_section(*command);
  out += ".SH FLAGS OF ALL COMMANDS\n";
  for (const CLI::Option* option : flags(program)) out += flag_entry(*option);
  out +=
      ".SH ENVIRONMENT\n.TP\n.B INGOT_ISA\nIn programs that call a model: the variant to use, "
      "v3 say, where none is named.\n.SH EXIT STATUS\n.TP\n.B 0\nAll went well.\n";
#define INGOT_ERROR(code, status, when) \
  out += fmt::format(".TP\n.B {}\n{}: {}.\n", status, roff(#code), roff(when));
#include "base/error.def"
#undef INGOT_ERROR
  return out;
}

}  // namespace ingot::tools
