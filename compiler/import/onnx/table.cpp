// SPDX-License-Identifier: Apache-2.0
// The table of ONNX ops, made once from the families.
#include <algorithm>

#include "import/onnx/node.h"

namespace ingot::onnx {

std::span<const OpRow> all_rows() {
  static const std::vector<OpRow> table = [] {
    std::vector<OpRow> rows;
    add_pointwise_rows(rows);
    add_activation_rows(rows);
    add_source_rows(rows);
    add_shape_rows(rows);
    add_slice_rows(rows);
    add_reduce_rows(rows);
    add_dense_rows(rows);
    add_norm_rows(rows);
    add_quantize_rows(rows);
    add_window_rows(rows);
    add_image_rows(rows);
    add_index_rows(rows);
    add_recurrent_rows(rows);
    std::sort(rows.begin(), rows.end(), [](const OpRow& a, const OpRow& b) {
      return a.name != b.name ? a.name < b.name : a.since < b.since;
    });
    return rows;
  }();
  return table;
}

const OpRow* find_row(std::string_view name, std::int64_t opset) {
  const std::span<const OpRow> rows = all_rows();
  auto row = std::lower_bound(rows.begin(), rows.end(), name,
                              [](const OpRow& r, std::string_view n) { return r.name < n; });
  for (; row != rows.end() && row->name == name; ++row) {
    if (opset >= row->since && opset <= row->until) return &*row;
  }
  return nullptr;
}

std::optional<int> first_opset(std::string_view name) {
  for (const OpRow& row : all_rows()) {
    if (row.name == name) return row.since;
  }
  return std::nullopt;
}

}  // namespace ingot::onnx
