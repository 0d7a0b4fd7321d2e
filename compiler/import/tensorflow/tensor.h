// SPDX-License-Identifier: Apache-2.0
// TensorFlow's element types and its TensorProto, in all encodings, as ours.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "ir/tensor.h"

namespace ingot::tensorflow {

class TensorProto;

/// None for strings, complex numbers, quantised and 4- and 8-bit floats, resources and variants.
/// Reference types (100 + n) are their element type.
std::optional<DType> dtype_from_file(int number);
/// TensorFlow's name for messages, e.g. `string`.
std::string dtype_name(int number);

/// Short lists repeat their last value, as TensorFlow reads them. What a file of a few bytes can
/// make us allocate is bounded by `expansion_budget`, bytes that are taken from it as they are
/// used. Errors: unsupported element type, contents that do not fit the shape, sizes beyond the
/// budget.
Expected<Tensor> decode_tensor(const TensorProto& proto, std::int64_t& expansion_budget);

}  // namespace ingot::tensorflow
