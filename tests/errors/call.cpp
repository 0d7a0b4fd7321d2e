// SPDX-License-Identifier: Apache-2.0
// usage: call NAME.so [CHANGE...]. Makes one call of a compiled model, right in all but what the
// changes say, and prints the status: `ok`, or the message and exit status 7.
//
//     N=2                    the value of a symbol (default 1); its buffers are made for the range
//     variant=v9             the variant to take
//     inputs=0 outputs=3     how many tensors are given; the same for symbols
//     input.0.bytes=252      the same for dtype, rank, device, stride and data (null)
//     input.1[3]=99          an element; all others are zero
//     workspace=10           its bytes; `workspace=null`
//     call.bytes=8           size of the struct; the same for tensor.bytes and error (null)
#include <ingot/load.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace {

constexpr int refused = 7, wrong_usage = 2;

class Caller {
 public:
  Caller(const ingot::LoadedModel& model, std::vector<std::string> changes)
      : loaded_(model), model_(*model.descriptor()), changes_(std::move(changes)) {}

  ingot::Status run() {
    std::vector<std::int64_t> symbols(model_.symbols.count + 1, 1);
    for (std::uint32_t i = 0; i < model_.symbols.count; ++i)
      symbols[i] = number(ingot::item<ingot_symbol>(model_.symbols, i).name, 1);
    const ingot::Span<const std::int64_t> given(symbols.data(),
                                                number("symbols", model_.symbols.count));
    std::uint64_t bytes = 0;
    std::vector<std::int64_t> dims(ingot::total_rank(model_) + 1);
    // For sizes that are refused all buffers are empty: the call itself says why, in detail.
    if (!loaded_.workspace_bytes(given, 1, bytes).ok() ||
        model_.shapes(symbols.data(), model_.symbols.count, dims.data()) != INGOT_OK) {
      bytes = 0;
      std::fill(dims.begin(), dims.end(), 0);
    }
    const std::int64_t* next = dims.data();
    std::vector<ingot_tensor> inputs = tensors("input", model_.inputs, next);
    std::vector<ingot_tensor> outputs = tensors("output", model_.outputs, next);
    std::vector<std::byte> workspace(bytes);
    ingot_call call = ingot::make_call(
        given, {inputs.data(), static_cast<std::size_t>(number("inputs", model_.inputs.count))},
        {outputs.data(), static_cast<std::size_t>(number("outputs", model_.outputs.count))},
        {workspace.data(), static_cast<std::size_t>(number("workspace", workspace.size()))});
    if (text("workspace") == "null") call.workspace = nullptr;
    call.struct_bytes = number("call.bytes", static_cast<std::int64_t>(call.struct_bytes));
    call.tensor_bytes = static_cast<std::uint32_t>(number("tensor.bytes", call.tensor_bytes));
    return loaded_.run(call);
  }

  /// What no part of the call asked for, if anything.
  std::string unused() const {
    for (const std::string& change : changes_) {
      bool used = false;
      for (const std::string& key : asked_) used = used || change.starts_with(key + "=");
      if (!used) return change;
    }
    return {};
  }

 private:
  std::string_view text(const std::string& key) {
    asked_.push_back(key);
    for (const std::string& change : changes_)
      if (change.starts_with(key + "=")) return std::string_view(change).substr(key.size() + 1);
    return {};
  }
  std::int64_t number(const std::string& key, std::uint64_t otherwise) {
    const std::string_view given = text(key);
    return given.empty() || given == "null" ? static_cast<std::int64_t>(otherwise)
                                            : std::atoll(std::string(given).c_str());
  }

  static std::size_t size_of(std::int32_t dtype) {
    switch (dtype) {
      case INGOT_F64:
      case INGOT_I64:
      case INGOT_U64:
        return 8;
      case INGOT_F16:
      case INGOT_BF16:
      case INGOT_I16:
      case INGOT_U16:
        return 2;
      case INGOT_I8:
      case INGOT_U8:
      case INGOT_BOOL:
        return 1;
      default:
        return 4;
    }
  }

  std::vector<ingot_tensor> tensors(const std::string& kind, const ingot_array& table,
                                    const std::int64_t*& dims) {
    std::vector<ingot_tensor> all(table.count + 1);  // one more may be asked for
    for (std::uint32_t i = 0; i < table.count; ++i) {
      const auto& info = ingot::item<ingot_tensor_info>(table, i);
      std::uint64_t bytes = size_of(info.dtype);
      for (std::uint32_t d = 0; d < info.dims.count; ++d)
        bytes *= static_cast<std::uint64_t>(*dims++);
      memory_.emplace_back(bytes);
      const std::string own = kind + "." + std::to_string(i);
      set_elements(own, info.dtype, memory_.back());
      ingot_tensor& tensor = all[i];
      tensor.data = memory_.back().data();
      tensor.bytes = static_cast<std::uint64_t>(number(own + ".bytes", bytes));
      tensor.dtype =
          static_cast<std::int32_t>(number(own + ".dtype", static_cast<std::uint64_t>(info.dtype)));
      tensor.rank = static_cast<std::uint32_t>(number(own + ".rank", info.dims.count));
      tensor.device = static_cast<std::int32_t>(number(own + ".device", INGOT_CPU));
      if (text(own + ".data") == "null") tensor.data = nullptr;
      if (const std::int64_t stride = number(own + ".stride", 0); stride != 0) {
        strides_.emplace_back(info.dims.count, stride);
        tensor.strides = strides_.back().data();
      }
    }
    return all;
  }

  /// `input.0[3]=99`
  void set_elements(const std::string& own, std::int32_t dtype, std::vector<std::byte>& memory) {
    for (const std::string& change : changes_) {
      if (!change.starts_with(own + "[")) continue;
      const std::string key = change.substr(0, change.find('='));
      const auto place = static_cast<std::size_t>(std::atoll(key.c_str() + own.size() + 1));
      const std::int64_t value = number(key, 0);
      if ((place + 1) * size_of(dtype) > memory.size()) std::exit(wrong_usage);
      std::memcpy(memory.data() + place * size_of(dtype), &value, size_of(dtype));
    }
  }

  const ingot::LoadedModel& loaded_;
  const ingot_model& model_;
  std::vector<std::string> changes_, asked_;
  std::deque<std::vector<std::byte>> memory_;
  std::deque<std::vector<std::int64_t>> strides_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return wrong_usage;
  std::vector<std::string> changes;
  std::string variant;
  for (const std::string_view argument : std::vector<std::string_view>(argv + 2, argv + argc)) {
    if (argument.starts_with("variant=")) {
      variant = argument.substr(8);
    } else {
      changes.emplace_back(argument);
    }
  }
  const auto model =
      ingot::LoadedModel::load(argv[1], nullptr, variant.empty() ? nullptr : variant.c_str());
  if (!model.ok()) return std::printf("%s\n", model.error().c_str()), refused;
  Caller caller(model, std::move(changes));
  const ingot::Status status = caller.run();
  if (const std::string unused = caller.unused(); status.ok() && !unused.empty())
    return std::printf("call: %s means nothing\n", unused.c_str()), wrong_usage;
  std::printf("%s\n", status.ok() ? "ok" : status.message().c_str());
  return status.ok() ? 0 : refused;
}
