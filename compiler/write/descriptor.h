// SPDX-License-Identifier: Apache-2.0
// The descriptor of a model (docs/abi.md) as bytes and addresses, laid out by the structs of
// <ingot/abi.h> themselves: target/ emits it without knowing any of them.
#pragma once

#include <span>
#include <string>

#include "base/constant_blob.h"
#include "write/interface.h"

namespace ingot::write {

/// The one global name of a model's object, e.g.
/// `digits_header_and_object_are_from_one_ingot_compile_3f9a70b1c2d4e5f6`: what the linker prints
/// when a header meets the object of another compile. Its tail is the start of the provenance hash.
std::string descriptor_symbol(const Interface& model);

/// An ingot_model at offset 0, with all that it points to behind it, for a global and visible
/// constant in a section that is read-only after relocation. Its relocations name the functions and
/// the weights that `model` names, which may all be local to the object.
/// Needs: as many variants, kernels and tensors as the object has; not checked here.
ConstantBlob make_descriptor(const Interface& model);

/// An ingot_model_list named `ingot_models` with the descriptors of these names: what a shared
/// object exports besides them.
ConstantBlob make_model_list(std::span<const std::string> descriptor_symbols);

}  // namespace ingot::write
