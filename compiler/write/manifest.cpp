// SPDX-License-Identifier: Apache-2.0
#include "write/manifest.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "ir/dtype.h"
#include "write/descriptor.h"

namespace ingot::write {
namespace {

using Json = nlohmann::ordered_json;

/// Hexadecimal, because a double, which is what many readers make of a number, cannot hold it.
std::string hexadecimal(std::uint64_t number) { return fmt::format("{:016x}", number); }

/// A list with one entry per item.
template <class Items, class Entry>
Json list(const Items& items, Entry entry) {
  Json all = Json::array();
  for (const auto& item : items) all.push_back(entry(item));
  return all;
}

Json tensor(const TensorInterface& tensor) {
  return {{"name", tensor.name},
          {"dtype", std::string(info(static_cast<DType>(tensor.dtype)).long_name)},
          {"shape", list(tensor.axes,
                         [](const AxisInterface& axis) {
                           return axis.value >= 0 ? Json(axis.value) : Json(axis.text);
                         })},
          {"strided_axes", tensor.strided_axes}};
}

Json symbol(const SymbolInterface& symbol) {
  Json entry = {{"name", symbol.name},
                {"lo", symbol.lo},
                {"hi", symbol.hi},
                {"rows", symbol.rows},
                {"data_dependent", symbol.data_dependent}};
  if (symbol.data_dependent) entry["bound"] = symbol.bound;
  return entry;
}

Json variant(const VariantInterface& variant, const Interface& model) {
  Json entry = {{"name", variant.name},
                {"device", variant.device == INGOT_CPU ? "cpu" : "gpu"},
                {"architecture", variant.architecture == INGOT_X86_64 ? "x86_64" : "aarch64"},
                {"level", variant.level},
                {"features", variant.features},
                {"same_bits", !variant.other_bits},
                {"probed", !variant.run_probed.empty()}};
  Json pins = Json::object();
  for (const PinInterface& pin : variant.pins) {
    pins[model.symbols.at(pin.symbol).name] = {pin.lo, pin.hi};
  }
  entry["pins"] = pins;
  return entry;
}

Json kernel(const KernelInterface& kernel) {
  return {{"name", kernel.name},
          {"kind", kernel.kind},
          {"source", kernel.source},
          {"flops", kernel.flops},
          {"bytes", kernel.bytes}};
}

Json buffer(const BufferInterface& buffer) {
  return {{"name", buffer.name},
          {"dtype", buffer.dtype},
          {"shape", buffer.shape},
          {"offset", buffer.offset},
          {"bytes", buffer.bytes},
          {"first_kernel", buffer.first_kernel},
          {"last_kernel", buffer.last_kernel}};
}

Json weight(const WeightInterface& weight) {
  return {{"name", weight.name},
          {"shape", weight.shape},
          {"packing", weight.packing},
          {"offset", weight.offset},
          {"bytes", weight.bytes}};
}

Json pass(const PassInterface& pass) {
  return {{"name", pass.name},
          {"numerics", pass.numerics},
          {"times", pass.times},
          {"nodes_before", pass.nodes_before},
          {"nodes_after", pass.nodes_after},
          {"remarks", pass.remarks}};
}

Json manifest_of(const Interface& model) {
  Json options = Json::array();  // pairs, because a flag may be given more than once
  for (const auto& [flag, value] : model.options) options.push_back(Json::array({flag, value}));
  return {
      {"format", "ingot manifest"},
      {"format_version", 1},
      {"name", model.name},
      {"signature", model.signature},
      {"source", model.source},
      {"version", model.version},
      {"ingot_version", model.ingot_version},
      {"abi", fmt::format("{}.{}", int{INGOT_ABI_MAJOR}, int{INGOT_ABI_MINOR})},
      {"hash", model.hash},
      {"descriptor", descriptor_symbol(model)},
      {"arithmetic", model.strict ? "strict" : "fma"},
      {"inputs", list(model.inputs, tensor)},
      {"outputs", list(model.outputs, tensor)},
      {"symbols", list(model.symbols, symbol)},
      {"constraints", model.constraints},
      {"variants",
       list(model.variants, [&](const VariantInterface& item) { return variant(item, model); })},
      {"workspace_bytes", model.workspace_formula},
      {"workspaces", list(model.workspaces,
                          [](const WorkspaceInterface& item) {
                            return Json{
                                {"rows", item.rows}, {"bytes", item.bytes}, {"least", item.least}};
                          })},
      {"blocks", list(model.blocks,
                      [](const BlockInterface& item) {
                        return Json{{"first_kernel", item.first_kernel},
                                    {"last_kernel", item.last_kernel},
                                    {"rows", item.rows},
                                    {"size", item.size}};
                      })},
      {"forks", list(model.forks,
                     [](const auto& parts) {
                       return list(parts, [](const auto& part) {
                         return Json{{"first_kernel", part.first}, {"last_kernel", part.second}};
                       });
                     })},
      {"weights", {{"bytes", model.weights_bytes}, {"constants", list(model.constants, weight)}}},
      {"kernels", list(model.kernels, kernel)},
      {"buffers", list(model.buffers, buffer)},
      {"self_tests", list(model.self_tests,
                          [](const SelfTestInterface& test) {
                            return Json{{"seed", hexadecimal(test.seed)},
                                        {"symbols", test.symbols},
                                        {"hash", hexadecimal(test.hash)}};
                          })},
      {"passes", list(model.passes, pass)},
      {"options", options},
  };
}

std::string text_of(const Json& manifest) {
  // Names come from a model's file and need not be UTF-8.
  return manifest.dump(2, ' ', false, Json::error_handler_t::replace) + '\n';
}

}  // namespace

std::string manifest_text(const Interface& model) { return text_of(manifest_of(model)); }

std::string manifest_text(const std::string& object, std::span<const Interface> models) {
  if (models.size() == 1) return manifest_text(models.front());
  return text_of({{"format", "ingot manifest"},
                  {"format_version", 1},
                  {"name", object},
                  {"ingot_version", models.front().ingot_version},
                  {"hash", models.front().hash},
                  {"weights", {{"bytes", models.front().weights_bytes}}},
                  {"models", list(models, manifest_of)}});
}

}  // namespace ingot::write
