// SPDX-License-Identifier: Apache-2.0
// The generated header in the order in which it is read: what the model is, its class, then the
// parts that all headers share, then the class's few lines of code.
#include "write/header.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <functional>
#include <iterator>
#include <map>
#include <set>
#include <string_view>
#include <vector>

#include "base/expected.h"
#include "write/descriptor.h"
#include "write/header_template.h"
#include "write/identifiers.h"

namespace ingot::embedded {
extern const std::string_view abi_h, cpu_h, self_test_h, span_h, face_h;
}  // namespace ingot::embedded

namespace ingot::write {
namespace {

struct CppType {
  std::string_view text;  // in comments
  std::string_view code;
};

CppType cpp_type(std::int32_t dtype) {
  switch (dtype) {
    case INGOT_F32:
      return {"float", "float"};
    case INGOT_F64:
      return {"double", "double"};
    case INGOT_F16:
      return {"float16", "::ingot::face_1::Float16"};
    case INGOT_BF16:
      return {"bfloat16", "::ingot::face_1::BFloat16"};
    case INGOT_I8:
      return {"int8", "std::int8_t"};
    case INGOT_I16:
      return {"int16", "std::int16_t"};
    case INGOT_I32:
      return {"int32", "std::int32_t"};
    case INGOT_I64:
      return {"int64", "std::int64_t"};
    case INGOT_U8:
      return {"uint8", "std::uint8_t"};
    case INGOT_U16:
      return {"uint16", "std::uint16_t"};
    case INGOT_U32:
      return {"uint32", "std::uint32_t"};
    case INGOT_U64:
      return {"uint64", "std::uint64_t"};
    case INGOT_BOOL:
      return {"bool", "bool"};
    default:
      break;
  }
  internal_error(__FILE__, __LINE__, fmt::format("no C++ type for dtype {}", dtype));
}

struct Tensor {
  const TensorInterface* model;
  std::string identifier;
};

using Words = std::map<std::string, std::string, std::less<>>;

std::string replace_words(std::string_view text, const Words& words) {
  std::string result;
  while (true) {
    const std::size_t begin = text.find('@');
    result += text.substr(0, begin);
    if (begin == std::string_view::npos) return result;
    const std::size_t end = text.find('@', begin + 1);
    const std::string_view word = text.substr(begin + 1, end - begin - 1);
    const auto found = words.find(word);
    INGOT_CHECK(found != words.end(), "header template: no word '{}'", word);
    result += found->second;
    text.remove_prefix(end + 1);
  }
}

/// The text of one of our own headers without its includes of the others.
std::string embedded_text(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size() - 1) + 1;
    if (!text.substr(0, end).starts_with("#include <ingot/")) result += text.substr(0, end);
    text.remove_prefix(end);
  }
  return result;
}

std::vector<Tensor> name_tensors(const std::vector<TensorInterface>& tensors,
                                 std::set<std::string>& taken) {
  std::vector<Tensor> named;
  named.reserve(tensors.size());
  for (const TensorInterface& tensor : tensors) {
    named.push_back({&tensor, make_identifier(tensor.name, taken)});
  }
  return named;
}

std::string shape_text(const TensorInterface& tensor) {
  std::vector<std::string> axes;
  axes.reserve(tensor.axes.size());
  for (const AxisInterface& axis : tensor.axes) axes.push_back(comment_text(axis.text));
  return fmt::format("[{}]", fmt::join(axes, ", "));
}

/// One line of text per item, joined by line ends.
template <class Items, class Line>
std::string lines(const Items& items, Line line_of, std::string_view if_none) {
  std::vector<std::string> all;
  all.reserve(items.size());
  for (const auto& item : items) all.push_back(line_of(item));
  return all.empty() ? std::string(if_none) : fmt::format("{}", fmt::join(all, "\n"));
}

std::string namespace_of(const std::string& object, const Interface& model) {
  return model.entry.empty() ? object : object + "::" + model.entry;
}

struct Names {
  std::vector<Tensor> inputs;
  std::vector<Tensor> outputs;
  std::vector<std::string> symbols;  // one per symbol of the model
  std::size_t width = 0;             // of the longest of them
};

Names make_names(const Interface& model) {
  Names names;
  std::set<std::string> taken;  // inputs and outputs stand side by side in Counts
  names.inputs = name_tensors(model.inputs, taken);
  names.outputs = name_tensors(model.outputs, taken);
  std::set<std::string> taken_sizes;
  for (const SymbolInterface& symbol : model.symbols) {
    names.symbols.push_back(make_identifier(symbol.name, taken_sizes));
  }
  names.width = std::string_view("workspace").size();
  for (const auto& name : taken) names.width = std::max(names.width, name.size());
  for (const auto& name : taken_sizes) names.width = std::max(names.width, name.size());
  return names;
}

/// The words of the comment on top, and of the structs that repeat it.
void add_texts(const Interface& model, const Names& names, Words& words) {
  const auto tensor_line = [&](const Tensor& tensor) {
    const std::string name = comment_text(tensor.model->name);
    return fmt::format("//     {:{}}  {}{}{}", tensor.identifier, names.width,
                       cpp_type(tensor.model->dtype).text, shape_text(*tensor.model),
                       name == tensor.identifier ? "" : fmt::format("  in the model: '{}'", name));
  };
  words["input lines"] = lines(names.inputs, tensor_line, "//     none");
  words["output lines"] = lines(names.outputs, tensor_line, "//     none");

  std::vector<std::string> sizes;
  std::vector<std::string> members;
  for (std::size_t i = 0; i < names.symbols.size(); ++i) {
    const SymbolInterface& symbol = model.symbols[i];
    const std::string range = fmt::format("{} to {}{}", symbol.lo, symbol.hi,
                                          symbol.rows ? ", rows independent of each other" : "");
    sizes.push_back(fmt::format("//     {:{}}  {}{}", names.symbols[i], names.width, range,
                                symbol.data_dependent ? ", computed by the call" : ""));
    if (symbol.data_dependent) continue;
    members.push_back(
        fmt::format("  ::ingot::face_1::Size {} = {{}};  // {}", names.symbols[i], range));
  }
  for (const std::string& constraint : model.constraints) {
    sizes.push_back(
        fmt::format("//     {:{}}  {}", "where", names.width, comment_text(constraint)));
  }
  words["size lines"] = lines(sizes, std::identity{}, "//     all fixed");
  words["sizes struct"] =
      members.empty() ? ""
                      : fmt::format("/// The sizes of a call.\nstruct Sizes {{\n{}\n}};\n\n",
                                    fmt::join(members, "\n"));

  const auto fact = [&](std::string_view what, std::string_view text) {
    return fmt::format("//   {:{}}  {}", what, names.width + 2, comment_text(text));
  };
  std::vector<std::string_view> variants;
  variants.reserve(model.variants.size());
  for (const VariantInterface& variant : model.variants) variants.push_back(variant.name);
  std::vector<std::string> facts = {
      fact("workspace", fmt::format("{} bytes", model.workspace_formula)),
      fact("weights", fmt::format("{} bytes", model.weights_bytes)),
      fact("variants", fmt::format("{}", fmt::join(variants, ", "))), fact("compile", model.hash)};
  if (!model.signature.empty()) facts.push_back(fact("signature", model.signature));
  if (!model.version.empty()) facts.push_back(fact("version", model.version));
  words["facts"] = fmt::format("{}", fmt::join(facts, "\n"));
  words["variants"] = fmt::format("{}", fmt::join(variants, ", "));

  const auto input_member = [](const Tensor& tensor) {
    return fmt::format("  Span<const {}> {} = {{}};  // {}", cpp_type(tensor.model->dtype).code,
                       tensor.identifier, shape_text(*tensor.model));
  };
  const auto output_member = [](const Tensor& tensor) {
    return fmt::format("  Span<{}> {} = {{}};  // {}", cpp_type(tensor.model->dtype).code,
                       tensor.identifier, shape_text(*tensor.model));
  };
  const auto count_member = [](const Tensor& tensor) {
    return fmt::format("  std::size_t {} = 0;", tensor.identifier);
  };
  words["input members"] = lines(names.inputs, input_member, "");
  words["output members"] = lines(names.outputs, output_member, "");
  words["count members"] =
      lines(names.inputs, count_member, "") + "\n" + lines(names.outputs, count_member, "");
}

/// The words of parameters, arguments and of the code behind the class.
void add_code(const Interface& model, const Names& names, Words& words) {
  std::vector<std::string> given;   // sizes that the caller chooses
  std::vector<std::string> values;  // one per symbol; a computed one stands for its bound
  for (std::size_t i = 0; i < names.symbols.size(); ++i) {
    const bool computed = model.symbols[i].data_dependent;
    values.push_back(computed ? "-1" : fmt::format("sizes.{}.value", names.symbols[i]));
    if (!computed) given.push_back(names.symbols[i]);
  }
  const auto identifiers = [](const std::vector<Tensor>& tensors) {
    std::vector<std::string> all;
    all.reserve(tensors.size());
    for (const Tensor& tensor : tensors) all.push_back(tensor.identifier);
    return fmt::format("{{{}}}", fmt::join(all, ", "));
  };
  const bool sized = !given.empty();
  words["sizes use"] = sized ? fmt::format("{{{}}}", fmt::join(given, ", ")) : "";
  words["sizes parameter"] = sized ? "Sizes sizes" : "";
  words["sizes parameter,"] = sized ? "Sizes sizes, " : "";
  words["run use"] = fmt::format("{}{}{}, {}, workspace", words["sizes use"], sized ? ", " : "",
                                 identifiers(names.inputs), identifiers(names.outputs));
  words["run parameters"] = fmt::format(
      "{}Inputs inputs, Outputs outputs, Span<std::byte> workspace", words["sizes parameter,"]);
  words["run arguments"] =
      fmt::format("{}Inputs{}, Outputs{}, Span<std::byte> workspace", words["sizes parameter,"],
                  names.inputs.empty() ? "" : " inputs", names.outputs.empty() ? "" : " outputs");

  words["symbols array"] =
      values.empty()
          ? "const ::ingot::face_1::Span<const std::int64_t> symbols;"
          : fmt::format("const std::int64_t symbols[] = {{{}}};", fmt::join(values, ", "));
  words["symbols"] = "symbols";
  const auto tensor_array = [&](std::string_view what, const std::vector<Tensor>& tensors) {
    const std::string type = "::ingot_abi_1_0::ingot_tensor";
    const std::string array = fmt::format("{}_tensors", what);
    words[fmt::format("{} span", what)] = array;
    if (tensors.empty()) return fmt::format("const Span<const {}> {};", type, array);
    std::string text = fmt::format("const {} {}[] = {{\n", type, array);
    for (const Tensor& tensor : tensors) {
      text += fmt::format("      ::ingot::face_1::{}_tensor({}s.{}, {}),\n", what, what,
                          tensor.identifier, tensor.model->axes.size());
    }
    return text + "  };";
  };
  words["input array"] = tensor_array("input", names.inputs);
  words["output array"] = tensor_array("output", names.outputs);

  std::size_t rank = 0;
  std::vector<std::string> counts;
  for (const auto* tensors : {&names.inputs, &names.outputs}) {
    for (const Tensor& tensor : *tensors) {
      rank += tensor.model->axes.size();
      counts.push_back(fmt::format("      static_cast<std::size_t>(elements[{}]),", counts.size()));
    }
  }
  words["rank"] = fmt::format("{}", std::max<std::size_t>(rank, 1));
  words["tensors"] = fmt::format("{}", std::max<std::size_t>(counts.size(), 1));
  words["count values"] = fmt::format("{}", fmt::join(counts, "\n"));
}

/// What is there for sizes that data give: nothing for a model without such.
void add_found(const Interface& model, const Names& names, Words& words) {
  std::vector<std::string> members, values, symbols;
  for (std::size_t i = 0; i < names.symbols.size(); ++i) {
    const bool computed = model.symbols[i].data_dependent;
    symbols.push_back(fmt::format("{}.{}{}", computed ? "found" : "sizes", names.symbols[i],
                                  computed ? "" : ".value"));
    if (!computed) continue;
    members.push_back(fmt::format("  std::int64_t {} = 0;  // up to {}", names.symbols[i],
                                  comment_text(model.symbols[i].bound)));
    values.push_back(fmt::format("truth[{}]", i));
  }
  for (const char* word : {"found struct", "found methods", "found definitions"}) words[word] = "";
  if (members.empty()) return;
  words["found members"] = fmt::format("{}", fmt::join(members, "\n"));
  words["found values"] = fmt::format("{}", fmt::join(values, ", "));
  words["symbol count"] = fmt::format("{}", symbols.size());
  words["run forwarded"] =
      fmt::format("{}{}, {}, workspace", words["sizes parameter"].empty() ? "" : "sizes, ",
                  names.inputs.empty() ? "Inputs{}" : "inputs",
                  names.outputs.empty() ? "Outputs{}" : "outputs");
  words["true symbols array"] =
      fmt::format("const std::int64_t symbols[] = {{{}}};", fmt::join(symbols, ", "));
  words["found struct"] = replace_words(found_struct_text, words);
  words["found methods"] = replace_words(found_methods_text, words);
  words["found definitions"] = replace_words(found_definitions_text, words);
}

Words make_words(const std::string& object, const Interface& model) {
  INGOT_CHECK(model.hash.size() == 32, "provenance hash '{}' has not 32 digits", model.hash);
  Words words;
  words["object"] = object;
  words["name"] = model.name;
  words["namespace"] = namespace_of(object, model);
  words["hash"] = model.hash;
  words["short hash"] = model.hash.substr(0, 16);
  words["symbol"] = descriptor_symbol(model);
  const Names names = make_names(model);
  add_texts(model, names, words);
  add_code(model, names, words);
  add_found(model, names, words);
  return words;
}

/// What the whole header is about.
Words title_words(const std::string& object, std::span<const Interface> models) {
  std::vector<std::string> sources, namespaces;
  for (const Interface& model : models) {
    const std::string source = comment_text(model.source);
    if (std::find(sources.begin(), sources.end(), source) == sources.end())
      sources.push_back(source);
    namespaces.push_back(namespace_of(object, model));
  }
  return {{"object", object},
          {"hash", models.front().hash},
          {"ingot", comment_text(models.front().ingot_version)},
          {"source", fmt::format("{}", fmt::join(sources, ", "))},
          {"count", fmt::format("{}", models.size())},
          {"namespaces", fmt::format("{}", fmt::join(namespaces, ", "))}};
}

}  // namespace

std::string header_text(const std::string& object, std::span<const Interface> models) {
  INGOT_CHECK(is_model_name(object), "'{}' cannot name a namespace", object);
  INGOT_CHECK(!models.empty(), "a header of no model");
  std::vector<Words> all;
  for (const Interface& model : models) all.push_back(make_words(object, model));
  const Words title = title_words(object, models);

  std::string text = replace_words(title_text, title);
  if (all.size() > 1) text += replace_words(several_text, title);
  for (const Words& words : all) {
    if (all.size() > 1) text += replace_words(one_of_several_text, words);
    text += replace_words(summary_text, words);
  }
  text += replace_words(guard_text, title);
  text += embedded_text(embedded::span_h);
  text += declared_text;
  for (const Words& words : all) text += replace_words(class_text, words);
  text += classes_end_text;
  text += embedded_text(embedded::abi_h);
  for (const Words& words : all) text += replace_words(descriptor_text, words);
  text += descriptors_end_text;
  for (const std::string_view part : {embedded::cpu_h, embedded::self_test_h, embedded::face_h}) {
    text += embedded_text(part);
    text += '\n';
  }
  for (const Words& words : all) text += replace_words(definitions_text, words);
  text += definitions_end_text;
  return text;
}

}  // namespace ingot::write
