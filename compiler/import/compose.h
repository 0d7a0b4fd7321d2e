// SPDX-License-Identifier: Apache-2.0
// Builds what a foreign op means out of core ops. Both importers write their ops with it, so that a
// softmax from ONNX and one from TensorFlow are the same graph.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "import/resize.h"
#include "import/survey.h"
#include "ir/graph.h"
#include "ops/window.h"

namespace ingot {

using WindowAxes = std::vector<ops::WindowAxis>;
using Pads = std::pair<std::int64_t, std::int64_t>;  // at the beginning and at the end
enum class PadMode : std::uint8_t { constant, edge, reflect, symmetric, wrap };

/// The core ops of one foreign node. The first failure is kept: every later step does nothing and
/// gives an invalid ValueId, so that compositions read as formulas; `result` hands the failure out.
/// Reading types of invalid values is safe (f32, rank 0). Operands must be of one element type
/// unless stated; binary steps broadcast as numpy does.
class Composer {
 public:
  Composer(Graph& graph, std::string node_name) : graph_(graph), node_name_(std::move(node_name)) {}

  Graph& graph() { return graph_; }
  const std::string& node_name() const { return node_name_; }
  bool failed() const { return error_.has_value(); }
  const std::optional<Error>& error() const { return error_; }
  /// Records a failure, unless there is one already. What tensors and core ops find unsupported are
  /// element types.
  ValueId fail_with(Error error, Refused kind = Refused::element_type);
  template <class... Args>
  ValueId unsupported(Refused kind, fmt::format_string<Args...> format, Args&&... args) {
    return fail_with({ErrorCode::unsupported, fmt::format(format, std::forward<Args>(args)...)},
                     kind);
  }
  template <class... Args>
  ValueId invalid(fmt::format_string<Args...> format, Args&&... args) {
    return fail_with({ErrorCode::invalid_model, fmt::format(format, std::forward<Args>(args)...)});
  }
  /// Of a failure that is `unsupported`: what to do about it, where that is not the kind's advice.
  void advise(std::string advice) { advice_ = std::move(advice); }
  /// The same as a refusal of this node, without its op and place.
  Refusal refusal() const { return {kind_, {}, {}, {}, error_->message, advice_}; }
  Expected<ValueId> result(ValueId value) const;
  Expected<std::vector<ValueId>> results(std::vector<ValueId> values) const;

  // --- reading ---
  const TensorType& type(ValueId value) const;
  DType dtype(ValueId value) const { return type(value).dtype; }
  const Shape& shape(ValueId value) const { return type(value).shape; }
  std::size_t rank(ValueId value) const { return type(value).rank(); }
  /// -1 is the last axis; fails outside of [-rank, rank).
  std::size_t axis(std::int64_t axis, std::size_t rank);
  /// The same for a list: sorted, without repetitions.
  std::vector<std::int64_t> axes(const std::vector<std::int64_t>& axes, std::size_t rank);

  // --- constants ---
  /// Rank 0; the number is rounded once to the type.
  ValueId scalar(DType dtype, double number);
  /// The same, of the element type of a value.
  ValueId number(double number, ValueId like) { return scalar(dtype(like), number); }
  ValueId constant(Tensor tensor) { return graph_.add_constant(std::move(tensor)); }
  /// i64[len] with the numbers of dimension expressions; a constant where there are no symbols.
  ValueId dims(const Shape& values);
  /// The coordinate along the first axis of a shape.
  ValueId iota(Shape shape, DType dtype);
  /// The number of elements along axes (all of a shape) as rank 0 of any type.
  ValueId size(const Shape& dims, DType dtype);

  // --- core ops; those that would change nothing give their operand back ---
  ValueId op(std::string_view name, std::vector<ValueId> inputs, Attributes attributes = {});
  /// The same of an op with several results; `count` invalid ones where it failed.
  std::vector<ValueId> several(std::string_view name, std::vector<ValueId> inputs,
                               Attributes attributes, std::size_t count);
  ValueId add(ValueId a, ValueId b) { return op("add", {a, b}); }
  ValueId sub(ValueId a, ValueId b) { return op("sub", {a, b}); }
  ValueId mul(ValueId a, ValueId b) { return op("mul", {a, b}); }
  ValueId div(ValueId a, ValueId b) { return op("div", {a, b}); }
  ValueId cast(ValueId x, DType to);
  ValueId reshape(ValueId x, Shape shape);
  ValueId transpose(ValueId x, std::vector<std::int64_t> perm);
  ValueId broadcast(ValueId x, Shape shape);
  ValueId concat(const std::vector<ValueId>& parts, std::size_t axis);
  /// Elements start, start + step, ... of one axis, `size` of them, all within the axis.
  ValueId slice(ValueId x, std::size_t axis, Dim start, Dim size, const Dim& step = 1);
  /// reduce_sum, reduce_max, reduce_min, reduce_prod; axes sorted and non-negative.
  ValueId reduce(std::string_view op, ValueId x, const std::vector<std::int64_t>& axes,
                 bool keep_dims);
  /// numpy.matmul, 1-D operands included; bias [n] or invalid.
  ValueId matmul(ValueId a, ValueId b, ValueId bias = {});

  /// numpy.einsum: letters, ellipses, diagonals, implicit results. Each pair of operands from the
  /// left is one product (or, where nothing is summed, one multiplication).
  ValueId einsum(std::string_view equation, const std::vector<ValueId>& operands);

  // --- moving ---
  /// Inserts axes of size 1; `axes` are sorted positions in the result.
  ValueId unsqueeze(ValueId x, const std::vector<std::int64_t>& axes);
  ValueId squeeze(ValueId x, const std::vector<std::int64_t>& axes);
  /// Swaps the last two axes.
  ValueId transpose_matrix(ValueId x);
  /// [a, b, c, d] to [a * b, c * d] where `axis` is 2.
  ValueId flatten(ValueId x, std::size_t axis);
  /// Moves a vector [C] to [C, 1, 1] so that it broadcasts along `axis` of a value of `rank`.
  ValueId align(ValueId vector, std::size_t axis, std::size_t rank);
  /// Python's x[begin:end:step] on one axis: negative counts from the end, all is clamped. A step
  /// must not be 0. No begin or end: from or to the end in the direction of the step.
  ValueId strided_slice(ValueId x, std::size_t axis, const std::optional<Dim>& begin,
                        const std::optional<Dim>& end, std::int64_t step);
  /// x[index] on one axis, which goes; a negative index counts from the end.
  ValueId select(ValueId x, std::size_t axis, std::int64_t index);
  ValueId tile(ValueId x, const Shape& repeats);
  /// Entries `indices` of one axis, which is replaced by `indices_shape`; by slices, so a few.
  ValueId take(ValueId x, std::size_t axis, const std::vector<std::int64_t>& indices,
               const std::vector<std::int64_t>& indices_shape);

  /// Entries of one axis, which is replaced by the indices' shape. `wrap`: negative indices count
  /// from the end. Known indices become slices where a few will do.
  ValueId gather(ValueId data, ValueId indices, std::size_t axis, bool wrap);
  /// y[i, j] = x[indices[i, j], j] where axis is 0; both have as many axes. Negative indices count
  /// from the end.
  ValueId gather_elements(ValueId x, ValueId indices, std::size_t axis);
  /// The last axis of `indices` holds coordinates of x's leading axes, after `batch` common ones.
  ValueId gather_nd(ValueId x, ValueId indices, std::int64_t batch, bool wrap);
  /// The first place (or the last) of what `reduction`, reduce_max or reduce_min, finds along an
  /// axis, which stays as one of size 1; a NaN before all numbers. i64.
  ValueId place_of_extremum(ValueId x, std::string_view reduction, std::size_t axis, bool last);
  /// The first lengths[b] entries along axis `time` in reverse, for each b along axis `batch`.
  ValueId reverse_sequence(ValueId x, ValueId lengths, std::size_t time, std::size_t batch);
  /// Negative pads crop. `value` fills in mode constant (invalid: 0); reflect leaves the edge out,
  /// symmetric repeats it.
  ValueId pad(ValueId x, std::size_t axis, const Dim& begin, const Dim& end, PadMode mode,
              ValueId value = {});
  /// [batch, positions.., channels] from and to [batch, channels, positions..].
  ValueId channels_last(ValueId x);
  ValueId channels_first(ValueId x);
  /// Channels (last, or axis 1) to blocks of block x block positions, and back. `channel_major`:
  /// the block's places are the fastest part of a channel's number, not the slowest.
  ValueId depth_to_space(ValueId x, std::int64_t block, bool channels_last, bool channel_major);
  ValueId space_to_depth(ValueId x, std::int64_t block, bool channels_last);

  /// One axis to `out` elements; the sizes must be known, but for whole factors of mode nearest.
  ValueId resize(ValueId x, std::size_t axis, const Dim& out, double scale, const Resize& how);

  // --- windows ---
  /// Pads that give ceil(size / stride) positions, the odd one at the end (`upper`) or at the
  /// beginning; fails where they depend on a symbol.
  Pads same_pads(const Dim& size, const ops::WindowAxis& axis, bool upper);
  /// The same for one axis of x: where they are known, they become the window's; where a size decides
  /// how much, x is padded with `fill` (invalid: 0).
  ValueId pad_same(ValueId x, std::size_t place, ops::WindowAxis& axis, ValueId fill = {});
  /// x [batch, positions.., channels], w [taps.., channels / groups, results], bias [results] or
  /// invalid; an entry of `axes` for each axis of positions.
  ValueId conv(ValueId x, ValueId w, ValueId bias, const WindowAxes& axes, std::int64_t groups);
  /// What conv's gradient computes: input position i adds to positions i * stride - pad_begin +
  /// t * dilation of a result of sizes `out`; pads at the end follow from `out`. One convolution
  /// for each phase of the result modulo the strides.
  ValueId conv_transpose(ValueId x, ValueId w, ValueId bias, const WindowAxes& axes,
                         std::int64_t groups, const Shape& out);
  /// An entry of `axes` for each axis of x; taps in the padding are skipped.
  ValueId window_sum(ValueId x, const WindowAxes& axes);
  /// window_sum or window_prod of all entries up to each one along `axis`: y[i] = x[0] + .. + x[i],
  /// each from the first entry on (`reverse`: from the last), in that order. `exclusive` leaves
  /// x[i] out. Work grows with the square of the axis.
  ValueId cumulative(std::string_view window, ValueId x, std::size_t axis, bool exclusive,
                     bool reverse);
  ValueId max_pool(ValueId x, const WindowAxes& axes);
  /// Sum over the window, divided by the number of taps that meet the input or `counted` padding
  /// (an entry for each axis, or none at all).
  ValueId average_pool(ValueId x, const WindowAxes& axes, const std::vector<Pads>& counted = {});
  /// x / (bias + alpha * s)^beta, with s the sum of squares over places -before .. after of `axis`.
  ValueId local_response_norm(ValueId x, std::size_t axis, std::int64_t before, std::int64_t after,
                              double bias, double alpha, double beta);

  // --- pointwise compositions ---
  ValueId relu(ValueId x) { return op("max", {number(0, x), x}); }
  /// Either bound may be invalid: no bound.
  ValueId clip(ValueId x, ValueId lo, ValueId hi);
  ValueId clip(ValueId x, double lo, double hi);
  ValueId square(ValueId x) { return mul(x, x); }
  ValueId reciprocal(ValueId x) { return div(number(1, x), x); }
  ValueId rsqrt(ValueId x) { return reciprocal(op("sqrt", {x})); }
  ValueId leaky_relu(ValueId x, double alpha);
  ValueId elu(ValueId x, double alpha);
  ValueId selu(ValueId x, double alpha = 1.67326319217681884765625,
               double gamma = 1.05070102214813232421875);
  ValueId softplus(ValueId x);
  ValueId softsign(ValueId x);
  ValueId hard_sigmoid(ValueId x, double alpha, double beta);
  /// x * sigmoid(alpha * x)
  ValueId swish(ValueId x, double alpha = 1);
  ValueId erfc(ValueId x) { return sub(number(1, x), op("erf", {x})); }
  ValueId gelu(ValueId x);
  ValueId gelu_tanh(ValueId x);
  ValueId mish(ValueId x);

  // --- compositions over axes ---
  ValueId mean(ValueId x, const std::vector<std::int64_t>& axes, bool keep_dims);
  ValueId softmax(ValueId x, std::size_t axis);
  ValueId log_softmax(ValueId x, std::size_t axis);
  /// (x - mean) / sqrt(variance + epsilon), with statistics over axes.
  ValueId standardize(ValueId x, const std::vector<std::int64_t>& axes, double epsilon);
  /// Standardized over all but batch and groups of channels (axis `channel_axis`); then scale and
  /// bias, vectors along the channels or invalid.
  ValueId group_norm(ValueId x, std::size_t channel_axis, std::int64_t groups, double epsilon,
                     ValueId scale, ValueId bias);
  /// `on` where an index meets its place along the new `axis` of size `depth`, else `off`. With
  /// `wrap`, -1 is the last place; other indices out of range are `off` everywhere. Integers only.
  ValueId one_hot(ValueId indices, const Dim& depth, ValueId on, ValueId off, std::size_t axis,
                  bool wrap);
  /// Inference: x * s + t with s = scale / sqrt(variance + epsilon), t = bias - mean * s; the four
  /// are vectors along `axis` or already shaped to broadcast.
  ValueId batch_norm(ValueId x, ValueId scale, ValueId bias, ValueId mean, ValueId variance,
                     double epsilon, std::size_t axis);

 private:
  Dim smaller(const Dim& a, const Dim& b) const;
  Dim larger(const Dim& a, const Dim& b) const;
  ValueId window_count(const Dim& size, const ops::WindowAxis& axis, DType dtype);
  ValueId pad_side(ValueId x, std::size_t axis, const Dim& count, bool end, PadMode mode,
                   ValueId value);

  Graph& graph_;
  std::string node_name_;
  std::optional<Error> error_;
  Refused kind_ = Refused::op;
  std::string advice_;
};

/// An error of a core op as one of the node that it came from: `op` is the file's.
Error in_node(const Error& error, const std::string& node, const std::string& op);

/// Rank 0; the number is rounded once to the type, and saturates for integers.
Tensor number_tensor(DType dtype, double number);

/// numpy's common shape, for importers that need it before they build; none when sizes clash. Where
/// a symbol meets a number other than 1, the number wins (the op that follows demands equality).
std::optional<Shape> common_shape(const Shape& a, const Shape& b);

}  // namespace ingot
