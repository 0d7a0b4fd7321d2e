// SPDX-License-Identifier: Apache-2.0
#include "subject.h"

#include <fmt/ranges.h>
#include <ingot/load.h>
#include <ingot/self_test.h>

#include <algorithm>
#include <cstring>
#include <filesystem>

#include "base/file.h"
#include "npy.h"
#include "read_options.h"

namespace ingot::tools {
namespace {

/// Rows along the first axis, again and again. Nothing if the example has another shape otherwise.
std::optional<Tensor> repeated(const Tensor& example, DType dtype,
                               const std::vector<std::int64_t>& shape) {
  if (example.dtype() != dtype || example.rank() != shape.size() || example.elements() == 0)
    return std::nullopt;
  for (std::size_t d = 1; d < shape.size(); ++d)
    if (example.shape()[d] != shape[d]) return std::nullopt;
  const Tensor dense = example.dense();
  Tensor result(dtype, shape);
  const std::span<std::byte> to = result.mutable_bytes();
  for (std::size_t at = 0; at < to.size(); at += dense.bytes().size())
    std::memcpy(to.data() + at, dense.bytes().data(),
                std::min(dense.bytes().size(), to.size() - at));
  return result;
}

/// The values of symbols that the examples' shapes give.
SymbolValues sizes_of_examples(const Subject& subject) {
  SymbolValues values;
  for (std::size_t i = 0; i < subject.examples.size() && i < subject.inputs.size(); ++i) {
    const Shape& shape = subject.inputs[i].type.shape;
    for (std::size_t d = 0; d < shape.size() && d < subject.examples[i].rank(); ++d) {
      if (const auto name = shape[d].symbol_name())
        values.emplace(*name, subject.examples[i].shape()[d]);
    }
  }
  return values;
}

}  // namespace

Expected<Subject> make_subject(const Case& model, const CompileOptions& given,
                               const std::string& folder) {
  Subject subject;
  subject.name = model.name;
  if (!given.signatures.empty()) {
    return fail(ErrorCode::invalid_argument, "--signature {}: one signature is wanted here",
                fmt::join(given.signatures, ","));
  }
  if (std::filesystem::path(model.model).extension() == ".so") {
    subject.so = model.model.find('/') == std::string::npos ? "./" + model.model : model.model;
  } else {
    if (!model.refused.empty()) return fail(ErrorCode::unsupported, "{}", model.refused);
    subject.model = model.model;
    CompileOptions options = given;
    options.shared = true;
    subject.constants.insert(options.import.constants.begin(), options.import.constants.end());
    INGOT_ASSIGN(const Bundle bundle, compile(model.model, options));
    // Two models of one name are in one folder of the program's.
    subject.so = (std::filesystem::path(folder) / (model.name + ".so")).string();
    INGOT_TRY(write_file(subject.so, bundle.shared));
  }
  if (const std::uint32_t count = LoadedModel::load(subject.so.c_str()).model_count(); count > 1) {
    return fail(ErrorCode::invalid_argument,
                "{}: it has {} models, and files of one can be measured; compile with one "
                "--signature",
                subject.so, count);
  }
  INGOT_ASSIGN(const std::unique_ptr<Engine> engine, load_compiled(subject.so, ""));
  subject.inputs = engine->inputs();
  subject.outputs = engine->outputs();
  subject.symbols = engine->symbols();
  if (!subject.inputs.empty() && subject.inputs[0].type.rank() > 0)
    subject.batch = subject.inputs[0].type.shape[0].symbol_name().value_or("");
  if (model.data_sets.empty()) return subject;
  for (const std::string& file : model.data_sets[0].inputs) {
    INGOT_ASSIGN(NamedTensor tensor, read_case_tensor(file));
    subject.examples.push_back(std::move(tensor.tensor));
  }
  if (subject.examples.size() != subject.inputs.size()) subject.examples.clear();
  return subject;
}

Expected<void> feed_files(Subject& subject, const std::vector<std::string>& feeds) {
  std::map<std::string, Tensor, std::less<>> given;
  for (const std::string& text : feeds) {
    INGOT_ASSIGN(const auto pair, read_pair("--feed", text));
    INGOT_ASSIGN(Tensor tensor, read_npy(pair.second));
    if (!given.emplace(pair.first, std::move(tensor)).second) {
      return fail(ErrorCode::invalid_argument, "--feed {}: the input is fed twice", pair.first);
    }
  }
  subject.examples.clear();
  for (const Port& port : subject.inputs) {
    const auto found = given.find(port.name);
    if (found == given.end()) {
      return fail(ErrorCode::invalid_argument, "no --feed for input '{}' of {} ({})", port.name,
                  subject.name, str(port.type));
    }
    subject.examples.push_back(std::move(found->second));
    given.erase(found);
  }
  if (!given.empty()) {
    return fail(ErrorCode::invalid_argument, "--feed {}: {} has no such input",
                given.begin()->first, subject.name);
  }
  return {};
}

Expected<SizeLists> read_size_lists(const std::vector<std::string>& typed) {
  SizeLists lists;
  for (const std::string& text : typed) {
    std::string symbol;
    for (const std::string& part : split(text)) {
      std::string number = part;
      if (const std::size_t equals = part.find('='); equals != std::string::npos) {
        INGOT_ASSIGN(const auto pair, read_pair("--size", part));
        symbol = pair.first;
        number = pair.second;
      } else if (symbol.empty()) {
        return fail(ErrorCode::invalid_argument, "--size {}: NAME=1,16,64 wanted", text);
      }
      INGOT_ASSIGN(const std::int64_t size, read_size("--size " + text, number));
      lists[symbol].push_back(size);
    }
  }
  return lists;
}

Expected<std::vector<SymbolValues>> sizes_of(const Subject& subject, const SizeLists& lists) {
  for (const auto& [name, values] : lists) {
    if (std::none_of(subject.symbols.begin(), subject.symbols.end(),
                     [&](const Symbol& symbol) { return symbol.name == name; })) {
      std::string names;
      for (const Symbol& symbol : subject.symbols)
        names += (names.empty() ? "" : ", ") + symbol.name;
      return fail(ErrorCode::invalid_argument, "--size {}: {} has no such symbol; it has {}", name,
                  subject.name, names.empty() ? "none" : names);
    }
    if (std::any_of(subject.symbols.begin(), subject.symbols.end(), [&](const Symbol& symbol) {
          return symbol.name == name && symbol.measured();
        })) {
      return fail(ErrorCode::invalid_argument,
                  "--size {}: data give it, not the caller; give data with --feed", name);
    }
  }
  const SymbolValues usual = sizes_of_examples(subject);
  std::vector<SymbolValues> all{{}};
  for (const Symbol& symbol : subject.symbols) {
    if (symbol.measured()) continue;
    std::vector<std::int64_t> values;
    if (const auto list = lists.find(symbol.name); list != lists.end()) {
      values = list->second;
    } else if (symbol.name == subject.batch) {
      values = {1, 16, 64};
    } else if (const auto found = usual.find(symbol.name); found != usual.end()) {
      values = {found->second};
    } else {
      return fail(ErrorCode::invalid_argument, "{}: how large is {}? give --size {}=...",
                  subject.name, symbol.name, symbol.name);
    }
    std::vector<SymbolValues> longer;
    for (const SymbolValues& before : all) {
      for (const std::int64_t value : values) {
        if (value < symbol.range.lo || value > symbol.range.hi) {
          return fail(ErrorCode::limit, "--size {}={}: {} takes {} to {}", symbol.name, value,
                      subject.name, symbol.range.lo, symbol.range.hi);
        }
        longer.push_back(before);
        longer.back()[symbol.name] = value;
      }
    }
    all = std::move(longer);
  }
  return all;
}

Expected<bench::Question> make_question(const Subject& subject, const SymbolValues& sizes,
                                        std::string& from, std::uint64_t seed) {
  bench::Question question;
  question.model = subject.model;
  question.constants = subject.constants;
  question.sizes = sizes;
  SymbolValues most = sizes;
  for (const Symbol& symbol : subject.symbols) {
    if (!symbol.bound) continue;
    INGOT_ASSIGN(most[symbol.name], symbol.bound->evaluate(sizes));
  }
  for (const Port& port : subject.outputs) {
    question.output_names.push_back(port.name);
    question.declared_outputs.push_back(port.type);
    TensorType fixed{port.type.dtype, {}};
    for (const Dim& dim : port.type.shape) {
      INGOT_ASSIGN(const std::int64_t size, dim.evaluate(most));
      fixed.shape.emplace_back(size);
    }
    question.outputs.push_back(std::move(fixed));
  }
  std::vector<Tensor> cases, random;
  std::uint64_t first = 0;
  for (std::size_t i = 0; i < subject.inputs.size(); ++i) {
    const Port& port = subject.inputs[i];
    question.input_names.push_back(port.name);
    question.declared.push_back(port.type);
    std::vector<std::int64_t> shape;
    for (const Dim& dim : port.type.shape) {
      INGOT_ASSIGN(const std::int64_t size, dim.evaluate(sizes));
      shape.push_back(size);
    }
    INGOT_TRY(element_count(shape));
    if (i < subject.examples.size()) {
      if (std::optional<Tensor> rows = repeated(subject.examples[i], port.type.dtype, shape))
        cases.push_back(std::move(*rows));
    }
    Tensor tensor(port.type.dtype, std::move(shape));
    const auto count = static_cast<std::size_t>(tensor.elements());
    self_test_fill(static_cast<std::int32_t>(tensor.dtype()), seed, first,
                   tensor.mutable_bytes().data(), count);
    first += count;
    random.push_back(std::move(tensor));
  }
  const bool fits = cases.size() == subject.inputs.size() && !cases.empty();
  if ((from == "cases" || from == "files") && !fits) {
    return fail(ErrorCode::invalid_argument,
                "{}: no {} of these types and sizes; give --inputs random, or their --size",
                subject.name, from == "cases" ? "data set" : "files");
  }
  const bool take_cases = from != "random" && fits;
  if (from.empty() || !take_cases) from = take_cases ? "cases" : "random";
  question.inputs = take_cases ? std::move(cases) : std::move(random);
  return question;
}

}  // namespace ingot::tools
