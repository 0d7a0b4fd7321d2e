// SPDX-License-Identifier: Apache-2.0
// What a row of the table sees of one ONNX node, and the table's shape.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "import/compose.h"
#include "import/onnx/onnx.pb.h"
#include "import/onnx/tensor_proto.h"

namespace ingot::onnx {

/// The attributes that a call of a local function gives to the nodes inside.
using AttributeBindings = std::map<std::string, const AttributeProto*, std::less<>>;

/// One node with its operands resolved. Absent optional inputs are invalid ValueIds.
class OnnxNode : public Composer {
 public:
  OnnxNode(Graph& graph, const NodeProto& proto, std::string node_name, std::int64_t opset,
           std::vector<ValueId> inputs, std::vector<Narrow> narrow, std::vector<bool> used_outputs,
           const AttributeBindings* bindings, const ExternalFolder& folder);

  std::string_view op_type() const { return proto_.op_type(); }
  std::int64_t opset() const { return opset_; }

  // --- inputs and outputs ---
  std::size_t input_count() const { return inputs_.size(); }
  bool has_input(std::size_t i) const { return i < inputs_.size() && inputs_[i].valid(); }
  /// Invalid when it is absent.
  ValueId input(std::size_t i) const { return has_input(i) ? inputs_[i] : ValueId{}; }
  const std::vector<ValueId>& inputs() const { return inputs_; }
  ValueId x() const { return input(0); }
  /// Of an input that holds integers of 2 or 4 bits; only rows that say so are given such.
  Narrow narrow(std::size_t i) const { return has_input(i) ? narrow_[i] : Narrow::none; }
  /// What the first output holds.
  Narrow result_narrow() const { return result_narrow_; }
  void set_result_narrow(Narrow narrow) { result_narrow_ = narrow; }
  std::size_t output_count() const { return used_outputs_.size(); }
  bool uses_output(std::size_t i) const { return i < used_outputs_.size() && used_outputs_[i]; }

  // --- attributes; a wrong kind is a failure ---
  bool has(std::string_view name) const { return find(name) != nullptr; }
  std::int64_t integer(std::string_view name, std::int64_t otherwise);
  bool flag(std::string_view name, bool otherwise) { return integer(name, otherwise) != 0; }
  double real(std::string_view name, double otherwise);
  std::string text(std::string_view name, const std::string& otherwise);
  std::optional<std::vector<std::int64_t>> integers(std::string_view name);
  std::optional<std::vector<double>> reals(std::string_view name);
  /// Empty when absent.
  std::vector<std::string> texts(std::string_view name);
  /// Fails when it is there and cannot be read. Integers of 2 and 4 bits are read where `narrow` is
  /// there to say so; here and below.
  std::optional<Tensor> tensor(std::string_view name, Narrow* narrow = nullptr);
  /// The attribute as an element type; none when absent.
  std::optional<DType> dtype_attribute(std::string_view name, Narrow* narrow = nullptr);
  const GraphProto* subgraph(std::string_view name);

  // --- operands that must be known when the model is compiled ---
  /// `what` names the operand in the message, as "shape".
  std::optional<std::vector<Dim>> known_dims(std::size_t i, std::string_view what);
  std::optional<std::vector<std::int64_t>> known_integers(std::size_t i, std::string_view what);
  std::optional<Tensor> known_constant(std::size_t i, std::string_view what);
  /// From an attribute in old opsets, from input `i` in newer ones; none when neither is there.
  std::optional<std::vector<std::int64_t>> integers_or_input(std::string_view name, std::size_t i);

 private:
  bool refuse_narrow(std::int32_t data_type, Narrow* narrow);
  void refuse_operand(std::size_t i, std::string_view what, std::string_view why);
  const AttributeProto* find(std::string_view name) const;
  const AttributeProto* find(std::string_view name, AttributeProto::Type type);

  const NodeProto& proto_;
  std::int64_t opset_;
  std::vector<ValueId> inputs_;
  std::vector<Narrow> narrow_;
  Narrow result_narrow_ = Narrow::none;
  std::vector<bool> used_outputs_;
  const AttributeBindings* bindings_;
  const ExternalFolder& folder_;
};

/// The values of a node's outputs; those left out can't be computed (training statistics, say).
struct Results {
  std::vector<ValueId> values;
  Results(ValueId value) : values{value} {}
  Results(std::vector<ValueId> several) : values(std::move(several)) {}
};

using Emit = Results (*)(OnnxNode&);

/// Rows begin at opset 6, but for ops that never changed before.
constexpr int newest_opset = 28;

/// What a row does with integers of 2 and 4 bits: nothing, it asks `narrow()` which operands are
/// such and says whether the result is, or it moves those of its first operand.
enum class NarrowUse : std::uint8_t { refuse, ask, move };

/// One op in the opsets `since` to `until`, in which it means the same.
struct OpRow {
  std::string_view name;
  int since;
  int until;
  int min_inputs;
  int max_inputs;  // -1: any number
  Emit emit;
  NarrowUse narrow = NarrowUse::refuse;
};

/// Which rows of an op hold; sorted by name.
std::span<const OpRow> all_rows();
/// Null when the op has no row at all, or none for the opset.
const OpRow* find_row(std::string_view name, std::int64_t opset);
/// The first opset from which an op has a row.
std::optional<int> first_opset(std::string_view name);

/// The standard ops that have no rows, each with what to do instead; sorted by name.
std::span<const RefusedOp> refused_ops();
/// Null for what is no op of the standard, as far as Ingot knows.
const RefusedOp* find_refused(std::string_view name);

/// The convolution that a node's attributes describe, of x [batch, channels, positions..] and w
/// [results, channels, taps..]; the bias may be invalid (rows_window.cpp).
ValueId convolve(OnnxNode& n, ValueId x, ValueId w, ValueId bias);

// The families of rows; called once (table.cpp).
void add_pointwise_rows(std::vector<OpRow>& rows);
void add_activation_rows(std::vector<OpRow>& rows);
void add_source_rows(std::vector<OpRow>& rows);
void add_shape_rows(std::vector<OpRow>& rows);
void add_slice_rows(std::vector<OpRow>& rows);
void add_reduce_rows(std::vector<OpRow>& rows);
void add_dense_rows(std::vector<OpRow>& rows);
void add_norm_rows(std::vector<OpRow>& rows);
void add_quantize_rows(std::vector<OpRow>& rows);
void add_window_rows(std::vector<OpRow>& rows);
void add_image_rows(std::vector<OpRow>& rows);
void add_index_rows(std::vector<OpRow>& rows);
void add_recurrent_rows(std::vector<OpRow>& rows);

}  // namespace ingot::onnx
