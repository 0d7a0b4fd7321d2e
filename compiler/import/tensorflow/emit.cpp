// SPDX-License-Identifier: Apache-2.0
// A node's attributes and steering operands, and the table of all ops.
#include "import/tensorflow/emit.h"

#include <unordered_map>

#include "import/tensorflow/graphdef.pb.h"
#include "import/tensorflow/tensor.h"
#include "ops/shape_arithmetic.h"

namespace ingot::tensorflow {

NodeContext::NodeContext(Graph& graph, const NodeDef& def, std::string_view core,
                         std::span<const ValueId> operands)
    : Composer(graph, def.name()), def_(def), core_(core), operands_(operands) {}

const AttrValue* NodeContext::find(std::string_view attribute) const {
  const auto it = def_.attr().find(std::string(attribute));
  return it == def_.attr().end() ? nullptr : &it->second;
}

bool NodeContext::flag(std::string_view attribute, bool otherwise) const {
  const AttrValue* value = find(attribute);
  return value == nullptr ? otherwise : value->b();
}

std::int64_t NodeContext::integer(std::string_view attribute, std::int64_t otherwise) const {
  const AttrValue* value = find(attribute);
  return value == nullptr ? otherwise : value->i();
}

double NodeContext::real(std::string_view attribute, double otherwise) const {
  const AttrValue* value = find(attribute);
  return value == nullptr ? otherwise : static_cast<double>(value->f());
}

std::string_view NodeContext::text(std::string_view attribute, std::string_view otherwise) const {
  const AttrValue* value = find(attribute);
  return value == nullptr ? otherwise : std::string_view(value->s());
}

std::vector<std::int64_t> NodeContext::integers(std::string_view attribute) const {
  const AttrValue* value = find(attribute);
  if (value == nullptr) return {};
  return {value->list().i().begin(), value->list().i().end()};
}

std::vector<float> NodeContext::reals(std::string_view attribute) const {
  const AttrValue* value = find(attribute);
  if (value == nullptr) return {};
  return {value->list().f().begin(), value->list().f().end()};
}

std::optional<std::vector<std::int64_t>> NodeContext::shape_of(std::string_view attribute) const {
  const AttrValue* value = find(attribute);
  if (value == nullptr || value->shape().unknown_rank()) return std::nullopt;
  std::vector<std::int64_t> sizes;
  for (const auto& dim : value->shape().dim()) sizes.push_back(dim.size());
  return sizes;
}

DType NodeContext::dtype_of(std::string_view attribute, DType otherwise) {
  const AttrValue* value = find(attribute);
  if (value == nullptr) return otherwise;
  const std::optional<DType> dtype = dtype_from_file(value->type());
  if (!dtype) unsupported(Refused::element_type, "element type {}", dtype_name(value->type()));
  return dtype.value_or(DType::f32);
}

Shape NodeContext::known(std::size_t operand, std::string_view what) {
  if (failed()) return {};
  std::optional<std::vector<Dim>> dims = ops::known_dims(graph(), in(operand));
  if (!dims) {
    unsupported(Refused::constant_operand, "its {} (input {}, '{}') depends on data", what, operand,
                def_.input(static_cast<int>(operand)));
    return {};
  }
  return std::move(*dims);
}

std::vector<std::int64_t> NodeContext::known_integers(std::size_t operand, std::string_view what) {
  const Shape dims = known(operand, what);
  const auto numbers = static_shape(dims);
  if (!numbers) {
    unsupported(Refused::known_size, "its {} (input {}, '{}') is not constant", what, operand,
                def_.input(static_cast<int>(operand)));
    return {};
  }
  return *numbers;
}

std::int64_t NodeContext::known_integer(std::size_t operand, std::string_view what) {
  const std::vector<std::int64_t> numbers = known_integers(operand, what);
  if (numbers.size() == 1) return numbers.front();
  invalid("its {} (input {}) has {} elements, not one", what, operand, numbers.size());
  return 0;
}

std::size_t NodeContext::known_axis(std::size_t operand, std::size_t rank) {
  const std::int64_t number = known_integer(operand, "axis");
  return failed() ? 0 : axis(number, rank);
}

std::size_t NodeContext::channel_axis(std::size_t rank) {
  const std::string_view format = text("data_format", "NHWC");
  if (rank < 2) {
    invalid("its first operand has {} axes", rank);
    return 0;
  }
  if (format == "NHWC" || format == "NDHWC") return rank - 1;
  if (format == "NCHW" || format == "NCDHW") return 1;
  unsupported(Refused::attribute, "data format '{}'", format);
  return 0;
}

std::vector<std::span<const OpRow>> row_families() {
  return {pointwise_rows(), shape_rows(),    slice_rows(), dense_rows(), window_rows(),
          space_rows(),     quantize_rows(), index_rows(), count_rows()};
}

const OpRow* find_row(std::string_view op) {
  static const std::unordered_map<std::string_view, const OpRow*> rows = [] {
    std::unordered_map<std::string_view, const OpRow*> table;
    for (const auto& family : row_families()) {
      for (const OpRow& row : family) {
        INGOT_CHECK(table.emplace(row.name, &row).second, "two rows for op '{}'", row.name);
      }
    }
    return table;
  }();
  const auto it = rows.find(op);
  return it == rows.end() ? nullptr : it->second;
}

}  // namespace ingot::tensorflow
