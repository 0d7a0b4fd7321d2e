// SPDX-License-Identifier: Apache-2.0
// ONNX products and normalisations: what dense networks are made of.
#include "import/onnx/node.h"

namespace ingot::onnx {
namespace {

Results matmul(OnnxNode& n) { return n.matmul(n.x(), n.input(1)); }

Results einsum(OnnxNode& n) { return n.einsum(n.text("equation", ""), n.inputs()); }

/// alpha * A * B + beta * C; a plain row vector C is the product's bias.
Results gemm(OnnxNode& n) {
  ValueId a = n.x();
  ValueId b = n.input(1);
  ValueId c = n.input(2);
  if (n.rank(a) != 2 || n.rank(b) != 2) return n.invalid("its factors are not matrices");
  if (n.flag("transA", false)) a = n.transpose_matrix(a);
  if (n.flag("transB", false)) b = n.transpose_matrix(b);
  const double alpha = n.real("alpha", 1);
  const double beta = n.real("beta", 1);
  if (beta == 0) c = {};
  if (n.failed()) return ValueId{};

  const Dim width = n.shape(b)[1];
  const Shape& bias = n.shape(c);
  const bool row =
      c.valid() && !bias.empty() && bias.back() == width && n.type(c).elements() == width;
  if (row && alpha == 1 && beta == 1) return n.matmul(a, b, n.reshape(c, {width}));
  ValueId y = n.matmul(a, b);
  if (alpha != 1) y = n.mul(n.number(alpha, y), y);
  if (!c.valid()) return y;
  return n.add(y, beta == 1 ? c : n.mul(n.number(beta, c), c));
}

/// Parameters are [C], or [C, ...] where `spatial` is 0 in old opsets.
Results batch_norm(OnnxNode& n) {
  if (n.flag("training_mode", false)) {
    return n.unsupported(Refused::training, "it computes statistics (training_mode)");
  }
  if (n.rank(n.x()) < 2) return n.invalid("its input has no channels");
  return n.batch_norm(n.x(), n.input(1), n.input(2), n.input(3), n.input(4),
                      n.real("epsilon", 1e-5F), 1);
}

/// The axes from `axis` on, and the type in which statistics are computed.
struct Normalised {
  std::vector<std::int64_t> axes;
  ValueId x;
};

Normalised normalised(OnnxNode& n) {
  Normalised result;
  const std::size_t rank = n.rank(n.x());
  const std::size_t first = n.axis(n.integer("axis", -1), rank);
  for (std::size_t d = first; d < rank; ++d) result.axes.push_back(static_cast<std::int64_t>(d));
  const DType dtype = n.dtype(n.x());
  const bool narrow = dtype == DType::f16 || dtype == DType::bf16;
  const bool wide = narrow && n.integer("stash_type", 1) == 1;
  result.x = wide ? n.cast(n.x(), DType::f32) : n.x();
  return result;
}

ValueId inverse_deviation(OnnxNode& n, ValueId variance) {
  return n.rsqrt(n.add(variance, n.number(n.real("epsilon", 1e-5F), variance)));
}

Results layer_norm(OnnxNode& n) {
  const auto [axes, x] = normalised(n);
  const ValueId mean = n.mean(x, axes, true);
  const ValueId centred = n.sub(x, mean);
  const ValueId inverse = inverse_deviation(n, n.mean(n.square(centred), axes, true));
  ValueId y = n.mul(n.cast(n.mul(centred, inverse), n.dtype(n.x())), n.input(1));
  if (n.has_input(2)) y = n.add(y, n.input(2));
  return std::vector{y, mean, inverse};
}

Results rms_norm(OnnxNode& n) {
  const auto [axes, x] = normalised(n);
  const ValueId inverse = inverse_deviation(n, n.mean(n.square(x), axes, true));
  return n.mul(n.cast(n.mul(x, inverse), n.dtype(n.x())), n.input(1));
}

/// Pairs of a head's elements turned by the angles of their position: neighbours (interleaved), or
/// element i and i + half. x is [batch, heads, sequence, size] or [batch, sequence, heads * size].
Results rotary_embedding(OnnxNode& n) {
  const Shape whole = n.shape(n.x());
  ValueId x = n.x();
  const bool flat = whole.size() == 3;
  if (flat) {
    const std::int64_t heads = n.integer("num_heads", 0);
    const auto size = heads < 1 ? std::nullopt : Dim::exact_div(whole[2], heads);
    if (!size) return n.invalid("{} heads of {}", heads, whole[2].str());
    x = n.reshape(x, {whole[0], whole[1], heads, *size});
  }
  if (n.failed() || n.rank(x) != 4) return n.invalid("its input is {}", str(whole));
  const auto size = n.shape(x)[3].value();
  if (!size) return n.unsupported(Refused::known_size, "heads of symbolic size");
  std::int64_t turned = n.integer("rotary_embedding_dim", 0);
  if (turned == 0) turned = *size;
  if (turned < 0 || turned > *size || turned % 2 != 0)
    return n.invalid("{} of {} elements to turn", turned, *size);
  const std::int64_t half = turned / 2;

  // The cosines of a position: [batch, sequence, 1, half], or with heads before the sequence.
  auto angles = [&](std::size_t i) {
    ValueId cache = n.input(i);
    if (n.has_input(3)) cache = n.gather(cache, n.input(3), 0, false);
    if (n.rank(cache) != 3) return n.failed() ? ValueId{} : n.invalid("input {} has no rows", i);
    cache = n.slice(cache, 2, 0, half);
    return n.unsqueeze(cache, {flat ? 2 : 1});
  };
  const ValueId cosine = angles(1), sine = angles(2);
  if (n.failed()) return ValueId{};
  const bool interleaved = n.flag("interleaved", false);
  const ValueId a = n.slice(x, 3, 0, half, interleaved ? 2 : 1);
  const ValueId b = n.slice(x, 3, interleaved ? 1 : half, half, interleaved ? 2 : 1);
  const ValueId real_a = n.mul(cosine, a), real_b = n.mul(sine, b);
  const ValueId imaginary_a = n.mul(sine, a), imaginary_b = n.mul(cosine, b);
  const ValueId real = n.sub(real_a, real_b), imaginary = n.add(imaginary_a, imaginary_b);
  ValueId y;
  if (interleaved) {
    const ValueId first = n.unsqueeze(real, {4}), second = n.unsqueeze(imaginary, {4});
    y = n.concat({first, second}, 4);
    if (n.failed()) return ValueId{};
    const Shape pairs = n.shape(y);
    y = n.reshape(y, {pairs[0], pairs[1], pairs[2], turned});
  } else {
    y = n.concat({real, imaginary}, 3);
  }
  if (turned < *size) y = n.concat({y, n.slice(x, 3, turned, *size - turned)}, 3);
  return n.reshape(y, whole);
}

}  // namespace

void add_dense_rows(std::vector<OpRow>& rows) {
  rows.insert(rows.end(), {
                              {"BatchNormalization", 6, newest_opset, 5, 5, batch_norm},
                              {"Einsum", 12, newest_opset, 1, -1, einsum},
                              {"Gemm", 6, 10, 3, 3, gemm},
                              {"Gemm", 11, newest_opset, 2, 3, gemm},
                              {"LayerNormalization", 17, newest_opset, 2, 3, layer_norm},
                              {"MatMul", 6, newest_opset, 2, 2, matmul},
                              {"RMSNormalization", 23, newest_opset, 2, 2, rms_norm},
                              {"RotaryEmbedding", 23, newest_opset, 3, 4, rotary_embedding},
                          });
}

}  // namespace ingot::onnx
