// SPDX-License-Identifier: Apache-2.0
// Layers that multiply by a matrix or look rows of one up.
#include "import/keras/rows.h"

namespace ingot::keras {

Expected<void> has_kernel(LayerBuilder& b) {
  b.own("kernel");
  if (b.flag("use_bias", true)) b.own("bias");
  return {};
}

Flows dense(LayerContext& n) {
  const ValueId x = n.computed(n.x(1));
  const ValueId kernel = n.variable("kernel", 2);
  const ValueId bias = n.layer().variable("bias") != nullptr ? n.variable("bias", 1) : ValueId{};
  return {{n.activated(n.matmul(x, kernel, bias))}};
}

Expected<void> has_einsum_kernel(LayerBuilder& b) {
  b.own("kernel");
  if (!b.setting("bias_axes").is_null()) b.own("bias");
  return {};
}

Flows einsum_dense(LayerContext& n) {
  const ValueId x = n.computed(n.x());
  ValueId y = n.einsum(n.text("equation", ""), {x, n.variable("kernel")});
  if (n.layer().variable("bias") != nullptr) y = n.add(y, n.variable("bias"));
  return {{n.activated(y)}};
}

Expected<void> has_embeddings(LayerBuilder& b) {
  b.own("embeddings");
  if (b.layer().class_name == "ReversibleEmbedding" && !b.flag("tie_weights", true))
    b.own("reverse_embeddings");
  return {};
}

Flows embedding(LayerContext& n) {
  if (n.inputs().empty()) return {{n.x()}};
  ValueId places = n.inputs()[0].value;
  if (!is_integer(n.dtype(places))) places = n.cast(places, DType::i32);
  if (n.dtype(places) != DType::i64) places = n.cast(places, DType::i32);
  Flow y{n.gather(n.variable("embeddings", 2), places, 0, false)};
  if (n.flag("mask_zero", false)) y.mask = n.op("ne", {places, n.number(0, places)});
  return {y};
}

Flows reversible_embedding(LayerContext& n) {
  const Argument* reverse = n.argument("reverse");
  if (reverse == nullptr || reverse->literal != true) return embedding(n);
  if (n.has("reverse_dtype")) {
    n.unsupported(Refused::attribute, "its 'reverse_dtype' is set");
    return {};
  }
  const bool tied = n.layer().variable("reverse_embeddings") == nullptr;
  const ValueId matrix =
      tied ? n.transpose_matrix(n.variable("embeddings", 2)) : n.variable("reverse_embeddings", 2);
  ValueId y = n.matmul(n.x(1), matrix);
  if (n.has("logit_soft_cap")) {
    const ValueId cap = n.number(n.real("logit_soft_cap", 1), y);
    y = n.mul(n.op("tanh", {n.div(y, cap)}), cap);
  }
  return {{y}};
}

}  // namespace ingot::keras
