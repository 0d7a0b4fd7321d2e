// SPDX-License-Identifier: Apache-2.0
#include "write/identifiers.h"

#include <algorithm>
#include <array>

namespace ingot::write {
namespace {

// Keywords of C++20, names of the generated class, and macros that common headers or GNU modes
// have.
constexpr std::array reserved_names = {"alignas",
                                       "alignof",
                                       "and",
                                       "and_eq",
                                       "asm",
                                       "auto",
                                       "bitand",
                                       "bitor",
                                       "bool",
                                       "break",
                                       "case",
                                       "catch",
                                       "char",
                                       "char8_t",
                                       "char16_t",
                                       "char32_t",
                                       "class",
                                       "compl",
                                       "concept",
                                       "const",
                                       "consteval",
                                       "constexpr",
                                       "constinit",
                                       "const_cast",
                                       "continue",
                                       "co_await",
                                       "co_return",
                                       "co_yield",
                                       "decltype",
                                       "default",
                                       "delete",
                                       "do",
                                       "double",
                                       "dynamic_cast",
                                       "else",
                                       "enum",
                                       "explicit",
                                       "export",
                                       "extern",
                                       "false",
                                       "float",
                                       "for",
                                       "friend",
                                       "goto",
                                       "if",
                                       "inline",
                                       "int",
                                       "long",
                                       "mutable",
                                       "namespace",
                                       "new",
                                       "noexcept",
                                       "not",
                                       "not_eq",
                                       "nullptr",
                                       "operator",
                                       "or",
                                       "or_eq",
                                       "private",
                                       "protected",
                                       "public",
                                       "register",
                                       "reinterpret_cast",
                                       "requires",
                                       "return",
                                       "short",
                                       "signed",
                                       "sizeof",
                                       "static",
                                       "static_assert",
                                       "static_cast",
                                       "struct",
                                       "switch",
                                       "template",
                                       "this",
                                       "thread_local",
                                       "throw",
                                       "true",
                                       "try",
                                       "typedef",
                                       "typeid",
                                       "typename",
                                       "union",
                                       "unsigned",
                                       "using",
                                       "virtual",
                                       "void",
                                       "volatile",
                                       "wchar_t",
                                       "while",
                                       "xor",
                                       "xor_eq",
                                       "BFloat16",
                                       "Counts",
                                       "Float16",
                                       "FloatGuard",
                                       "Inputs",
                                       "Model",
                                       "Options",
                                       "Outputs",
                                       "Size",
                                       "Sizes",
                                       "Span",
                                       "Status",
                                       "counts",
                                       "descriptor",
                                       "run",
                                       "self_test",
                                       "variant",
                                       "workspace_bytes",
                                       "BUFSIZ",
                                       "DOMAIN",
                                       "EOF",
                                       "FALSE",
                                       "INFINITY",
                                       "NAN",
                                       "NULL",
                                       "OVERFLOW",
                                       "TRUE",
                                       "UNDERFLOW",
                                       "assert",
                                       "complex",
                                       "errno",
                                       "i386",
                                       "linux",
                                       "major",
                                       "makedev",
                                       "minor",
                                       "offsetof",
                                       "stderr",
                                       "stdin",
                                       "stdout",
                                       "unix"};

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_reserved(std::string_view name) {
  return std::ranges::find(reserved_names, name) != reserved_names.end();
}

}  // namespace

bool is_model_name(std::string_view name) {
  constexpr std::array taken = {"ingot", "main", "std"};
  if (name.empty() || !is_letter(name[0]) || name.back() == '_') return false;
  if (name.find("__") != std::string_view::npos) return false;
  if (is_reserved(name) || std::ranges::find(taken, name) != taken.end()) return false;
  return std::ranges::all_of(name, [](char c) { return is_letter(c) || is_digit(c) || c == '_'; });
}

std::string make_identifier(std::string_view text, std::set<std::string>& taken) {
  if (text.ends_with(":0")) text.remove_suffix(2);
  std::string name;
  for (const char c : text) {
    if (is_letter(c) || is_digit(c)) {
      name += c;
    } else if (!name.empty() && name.back() != '_') {
      name += '_';  // one for a run of others: two are reserved in C++
    }
  }
  if (name.size() > 1 && name.back() == '_') name.pop_back();
  if (name.empty() || name == "_") name = "x";
  if (is_digit(name[0])) name.insert(0, "x");
  if (is_reserved(name)) name += '_';
  std::string unique = name;
  for (int number = 2; !taken.insert(unique).second; ++number) {
    unique = name + (name.back() == '_' ? "" : "_") + std::to_string(number);
  }
  return unique;
}

std::string comment_text(std::string_view text) {
  std::string clean(text);
  for (char& c : clean) {
    if (c < ' ' || c > '~' || c == '\\') c = '?';
  }
  return clean;
}

}  // namespace ingot::write
