// SPDX-License-Identifier: Apache-2.0
// Front door of target/: plans become one object file for all CPU levels that were asked for, and
// objects become a shared object. No LLVM type in it.
//
// Thread-safe: any number of threads may call any of these at once. Nothing aborts or prints.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "base/constant_blob.h"
#include "base/expected.h"
#include "plan/plan.h"

namespace ingot::target {

enum class Instrument : std::uint8_t { none, thread, address };

struct Options {
  /// x86-64 levels of the psABI: 2, 3, 4. Level 2 has no FMA, so a plan of fused arithmetic is
  /// refused with it.
  std::vector<int> isa_levels{4, 3};
  /// Runs LLVM's thread or address sanitizer over the code; the object then needs its runtime.
  Instrument instrument = Instrument::none;
  bool want_llvm_text = false;
  bool want_assembly_text = false;
};

struct Object {
  std::vector<std::byte> elf;
  std::string llvm_text;      // after optimisation, on request
  std::string assembly_text;  // on request
};

/// A model of an object: its plan and what belongs to it.
struct Program {
  const plan::Plan& plan;
  /// Plans for some values of the symbols (plan/pin.h), with the plan's symbols. A call that fits
  /// one turns to it: to the first that it fits.
  std::span<const plan::Plan> pinned = {};
  /// Line of each kernel in the printed plans, for the line table: those of the plan, then those of
  /// the pinned ones; empty: kernel number + 1.
  std::vector<unsigned> kernel_lines = {};
  /// Its relocations name what Names names, and its symbol is global.
  ConstantBlob descriptor;
};

/// Names in the object, all local, of what the descriptor points to. A pinned plan has functions of
/// its own for all but `shapes` and `weights`.
struct Names {
  static std::string run(const plan::Plan& plan, int level);         // ingot_run
  static std::string run_probed(const plan::Plan& plan, int level);  // ingot_run
  static std::string workspace_bytes(const plan::Plan& plan);        // ingot_workspace_bytes
  static std::string shapes(const plan::Plan& plan);                 // ingot_shapes
  /// Of all plans of the object of this name, 64-byte aligned; none if there are no bytes.
  static std::string weights(const std::string& object);
};

/// One object of models whose plans have different names and count their offsets into the same
/// `weights`. The descriptors' symbols are its only global ones; what it does not define is at most
/// memcpy, memmove and memset. The same plans give the same bytes, wherever and whenever.
/// Errors: an ISA level that there is not, or that a plan's arithmetic excludes.
Expected<Object> generate(const std::string& name, std::span<const Program> programs,
                          std::span<const std::byte> weights, const Options& options = {});

/// The same of one plan with weights of its own, after which the object is called.
Expected<Object> generate(const plan::Plan& plan, const ConstantBlob& descriptor,
                          const Options& options = {});

/// An object of nothing but a constant: the `ingot_models` of a shared object.
Expected<Object> generate_constant(const ConstantBlob& constant);

/// The version of LLVM that this was built with, "19.1.7".
std::string llvm_version();

/// Links objects into a shared object that exports `exports` and nothing else.
Expected<std::vector<std::byte>> link_shared(std::span<const std::span<const std::byte>> objects,
                                             std::span<const std::string> exports);

}  // namespace ingot::target
