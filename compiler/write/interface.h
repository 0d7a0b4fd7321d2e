// SPDX-License-Identifier: Apache-2.0
// What the outside learns about a compiled model: the one source of its descriptor, its header and
// its manifest, so that the three cannot disagree. compile.cpp fills it from the Plan.
#pragma once

#include <ingot/abi.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace ingot::write {

/// One axis. `text` is the expression as Dim::str() prints it.
struct AxisInterface {
  std::string text;
  std::int64_t value = -1;  // the number, or -1 when it depends on symbols
  int symbol = -1;          // index in Interface::symbols when it is one and nothing else
};

struct TensorInterface {
  std::string name;                // as in the model's file
  std::int32_t dtype = INGOT_F32;  // ingot_dtype; the enumerators of DType have the same numbers
  std::vector<AxisInterface> axes;
  std::uint32_t strided_axes = 0;  // see ingot_tensor_info
};

struct SymbolInterface {
  std::string name;
  std::int64_t lo = 0;
  std::int64_t hi = 0;
  bool data_dependent = false;
  bool rows = false;  // a batch: each row's result is independent of the others
  std::string bound;  // of a data-dependent symbol
};

struct PinInterface {
  std::uint32_t symbol = 0;
  std::int64_t lo = 0;
  std::int64_t hi = 0;
};

/// One way to run the model. Function names are names in the object; empty: not there.
struct VariantInterface {
  std::string name;  // "v3"
  std::int32_t device = INGOT_CPU;
  std::int32_t architecture = INGOT_X86_64;
  std::uint32_t level = 0;
  std::string features;
  std::vector<PinInterface> pins;
  bool other_bits = false;
  std::string run;
  std::string run_probed;
  std::string workspace_bytes;  // empty: the model's
};

struct KernelInterface {
  std::string name;
  std::string kind;
  std::string source;  // the model file's nodes, separated by spaces
  std::string flops;   // expressions in the symbols, or empty
  std::string bytes;
};

/// A piece of the workspace. For the manifest only.
struct BufferInterface {
  std::string name;
  std::string dtype;
  std::string shape;
  std::string offset;  // expressions in the symbols
  std::string bytes;
  std::uint32_t first_kernel = 0;  // lifetime: from the kernel that writes it first
  std::uint32_t last_kernel = 0;   // to the last that reads it
};

/// One constant in the packed weights. For the manifest only.
struct WeightInterface {
  std::string name;
  std::string shape;
  std::string packing;
  std::uint64_t offset = 0;
  std::uint64_t bytes = 0;
};

/// The arena of a call of so many rows, the other sizes being usual ones, and what any packing of
/// it would need. For the manifest only.
struct WorkspaceInterface {
  std::int64_t rows = 0;
  std::int64_t bytes = 0;
  std::int64_t least = 0;
};

/// A loop over rows. For the manifest only.
struct BlockInterface {
  std::uint32_t first_kernel = 0;
  std::uint32_t last_kernel = 0;
  std::string rows;  // an expression in the symbols
  std::int64_t size = 0;
};

/// What a pass did. For the manifest only.
struct PassInterface {
  std::string name;
  std::string numerics;  // exact, reassociates, approximates
  std::int64_t times = 0;
  std::int64_t nodes_before = 0;
  std::int64_t nodes_after = 0;
  std::vector<std::string> remarks;
};

struct SelfTestInterface {
  std::uint64_t seed = 0;
  std::vector<std::int64_t> symbols;  // one per symbol of the model
  std::uint64_t hash = 0;
};

struct Interface {
  std::string name;   // a C identifier that no other model of the object has
  std::string entry;  // its namespace in the object's; empty: it is alone, and that is the object's
  std::string signature;
  std::string source;   // the model file's name without folders
  std::string version;  // the user's own version text
  std::string ingot_version;
  std::string hash;  // provenance: 32 lower-case hexadecimal digits
  bool strict = false;

  std::vector<TensorInterface> inputs;
  std::vector<TensorInterface> outputs;
  std::vector<SymbolInterface> symbols;
  std::vector<std::string> constraints;
  std::vector<VariantInterface> variants;  // best first
  std::vector<KernelInterface> kernels;
  std::vector<SelfTestInterface> self_tests;

  std::string weights;  // names in the object; weights may be empty when there are no bytes
  std::uint64_t weights_bytes = 0;
  std::uint64_t weights_alignment = 64;
  std::string workspace_bytes;
  std::string shapes;
  std::string costs;  // may be empty
  std::string workspace_formula;

  // For the manifest only.
  std::vector<BufferInterface> buffers;
  std::vector<WeightInterface> constants;
  std::vector<WorkspaceInterface> workspaces;
  std::vector<BlockInterface> blocks;
  /// Of each fork, the first and last kernel of each part.
  std::vector<std::vector<std::pair<std::uint32_t, std::uint32_t>>> forks;
  std::vector<PassInterface> passes;
  /// The options that had a part in the result, as (flag, value).
  std::vector<std::pair<std::string, std::string>> options;
};

}  // namespace ingot::write
