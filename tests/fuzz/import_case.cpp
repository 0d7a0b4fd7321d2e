// SPDX-License-Identifier: Apache-2.0
#include "import_case.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/wire_format_lite.h>

#include <charconv>
#include <functional>

#include "agree.h"
#include "import/import.h"

namespace ingot::fuzz {
namespace {

constexpr std::uint32_t flags_tag = 1000 << 3 | 2;

std::vector<std::string> read_flags(Bytes data) {
  google::protobuf::io::CodedInputStream stream(data.data(), static_cast<int>(data.size()));
  std::vector<std::string> flags;
  while (const std::uint32_t tag = stream.ReadTag()) {
    std::uint32_t size = 0;
    if (tag == flags_tag) {
      if (!stream.ReadVarint32(&size) ||
          !stream.ReadString(&flags.emplace_back(), static_cast<int>(size)))
        break;
    } else if (!google::protobuf::internal::WireFormatLite::SkipField(&stream, tag)) {
      break;
    }
  }
  return flags;
}

std::int64_t number(std::string_view text) {
  std::int64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

void add_flag(const std::string& flag, ImportOptions& options) {
  const std::size_t blank = std::min(flag.find(' '), flag.size());
  const std::string kind = flag.substr(0, blank);
  const std::string text = flag.substr(std::min(blank + 1, flag.size()));
  const std::size_t equals = text.find('=');
  if (kind == "outputs") options.outputs.push_back(text);
  if (kind == "tag") options.tag = text;
  if (kind == "signature") options.signature = text;
  if (kind == "input") {
    if (auto spec = parse_input_spec(text)) options.inputs.push_back(*std::move(spec));
  }
  if (equals == std::string::npos) return;
  const std::string name = text.substr(0, equals), value = text.substr(equals + 1);
  if (kind == "constant") options.constants[name] = value;
  if (kind == "dim") {
    const std::size_t colon = value.find(':');
    const std::int64_t lo = std::max<std::int64_t>(number(value), 0);
    const std::int64_t hi = colon == std::string::npos ? lo : number(value.substr(colon + 1));
    options.symbol_ranges[name] = {lo, std::max(lo, hi)};
  }
}

using Import = std::function<Expected<Graph>(const ImportOptions&)>;

void import_with(Bytes data, const Import& import) {
  ImportOptions options;
  Survey survey;
  options.survey = &survey;
  for (const std::string& flag : read_flags(data)) add_flag(flag, options);
  const Expected<Graph> graph = import(options);
  (void)explain_refusals(survey.refusals, 3);
  if (!graph) {
    if (graph.error().code == ErrorCode::internal) stop(graph.error().message);
    return;
  }
  if (survey.refused()) stop("imported and refused: " + survey.error().message);
  if (const std::string wrong = broken_promise(*graph, data.size()); !wrong.empty()) stop(wrong);
}

}  // namespace

void import_case(Bytes data) {
  import_with(data, [&](const ImportOptions& options) {
    return import_model(std::as_bytes(data), options);
  });
}

void import_saved_case(Bytes data) {
  static const std::string variables =
      INGOT_SOURCE_DIR "/tests/keras/kept/dense-keras2/model/variables/variables";
  import_with(data, [&](const ImportOptions& options) {
    return import_saved_model_bytes(std::as_bytes(data), variables, options);
  });
}

}  // namespace ingot::fuzz
