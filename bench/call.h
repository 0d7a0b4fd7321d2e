// SPDX-License-Identifier: Apache-2.0
// A compiled model with tensors for one batch size, ready to be called again and again.
#pragma once

#include <ingot/load.h>
#include <ingot/self_test.h>

#include <cstring>
#include <string>
#include <vector>

#include "ir/tensor.h"

namespace ingot {

class Call {
 public:
  /// `rows`: an input each whose rows are repeated to fill the batch; empty: pseudo-random numbers.
  Call(const std::string& so, const char* variant, std::int64_t n,
       const std::vector<Tensor>& rows = {}) {
    model_ = LoadedModel::load(so.c_str(), nullptr, variant);
    if (!model_.ok()) return;
    const ingot_model& model = *model_.descriptor();
    symbols_.assign(model.symbols.count, n);
    std::vector<std::int64_t> dims(256);
    model.shapes(symbols_.data(), model.symbols.count, dims.data());
    std::size_t next_dim = 0;
    for (const ingot_array* table : {&model.inputs, &model.outputs}) {
      for (std::uint32_t i = 0; i < table->count; ++i) {
        const auto& info = *static_cast<const ingot_tensor_info*>(ingot_item(table, i));
        std::size_t count = 1;
        for (std::uint32_t d = 0; d < info.dims.count; ++d)
          count *= static_cast<std::size_t>(dims[next_dim++]);
        const std::size_t bytes = count * element_bytes(info.dtype);
        data_.emplace_back(bytes + 64);
        std::byte* to = data_.back().data();
        if (table == &model.inputs && i < rows.size() && !rows[i].bytes().empty()) {
          const Tensor given = rows[i].dense();
          for (std::size_t at = 0; at < bytes; at += given.bytes().size())
            std::memcpy(to + at, given.bytes().data(), std::min(given.bytes().size(), bytes - at));
        } else {
          self_test_fill(info.dtype, 1, data_.size() * 1000003, to, count);
        }
        ingot_tensor tensor{};
        tensor.data = to;
        tensor.bytes = bytes;
        tensor.dtype = info.dtype;
        tensor.rank = info.dims.count;
        tensors_.push_back(tensor);
      }
    }
    model.workspace_bytes(symbols_.data(), model.symbols.count, 1, &workspace_bytes_);
    workspace_.resize(workspace_bytes_);
    call_ = make_call({symbols_.data(), symbols_.size()}, {tensors_.data(), model.inputs.count},
                      {tensors_.data() + model.inputs.count, model.outputs.count},
                      {workspace_.data(), workspace_.size()});
  }
  bool ok() const { return model_.ok(); }
  const ingot_model& model() const { return *model_.descriptor(); }
  std::uint64_t workspace_bytes() const { return workspace_bytes_; }
  std::int32_t run() { return model_.variant()->run(&call_); }

 private:
  LoadedModel model_;
  std::vector<std::int64_t> symbols_;
  std::vector<std::vector<std::byte>> data_;
  std::vector<ingot_tensor> tensors_;
  std::uint64_t workspace_bytes_ = 0;
  std::vector<std::byte> workspace_;
  ingot_call call_{};
};

}  // namespace ingot
