// SPDX-License-Identifier: Apache-2.0
// A model file with import options in it: texts in field 1000, which no importer reads. `outputs
// y`, `input x=f32[N, 3]`, `constant x=2`, `dim N=1:8`.
#pragma once

#include "target.h"

namespace ingot::fuzz {

/// Imports a model with its options; what comes of it must keep its promises.
void import_case(Bytes data);

/// The same of a saved_model.pb, which `tag a,b` and `signature f` are options of, too. Its
/// variables are those of a small checkpoint.
void import_saved_case(Bytes data);

}  // namespace ingot::fuzz
