// SPDX-License-Identifier: Apache-2.0
// The table of all ops, made once from the families.
#include <algorithm>

#include "ops/common.h"

namespace ingot {

std::span<const OpDef> all_ops() {
  static const std::vector<OpDef> table = [] {
    std::vector<OpDef> rows;
    ops::add_pointwise_ops(rows);
    ops::add_cast_op(rows);
    ops::add_move_ops(rows);
    ops::add_reduce_ops(rows);
    ops::add_contract_ops(rows);
    ops::add_window_ops(rows);
    ops::add_index_ops(rows);
    ops::add_loop_ops(rows);
    ops::add_measure_ops(rows);
    ops::add_source_ops(rows);
    std::sort(rows.begin(), rows.end(),
              [](const OpDef& a, const OpDef& b) { return a.name < b.name; });
    return rows;
  }();
  return table;
}

const OpDef* find_op(std::string_view name) {
  const std::span<const OpDef> table = all_ops();
  const auto place =
      std::lower_bound(table.begin(), table.end(), name,
                       [](const OpDef& row, std::string_view n) { return row.name < n; });
  return place != table.end() && place->name == name ? &*place : nullptr;
}

const OpDef& op(std::string_view name) {
  const OpDef* found = find_op(name);
  INGOT_CHECK(found != nullptr, "there is no op '{}'", name);
  return *found;
}

}  // namespace ingot
