// SPDX-License-Identifier: Apache-2.0
// The text of a generated header, in which header.cpp replaces each @word@. Here it can be read as
// its users will.
#pragma once

#include <string_view>

namespace ingot::write {

inline constexpr std::string_view title_text =
    R"(// @object@: compiled by Ingot @ingot@ from @source@. Do not edit.
//
)";

// Of an object of several models, before the summary of each.
inline constexpr std::string_view several_text =
    R"(// @count@ models in one object, each in a namespace of its own: @namespaces@.
// Weights that are equal are there once.
//
)";
inline constexpr std::string_view one_of_several_text = R"(// ---- @namespace@ ----
//
)";

inline constexpr std::string_view summary_text =
    R"(//   inputs
@input lines@
//
//   outputs
@output lines@
//
//   sizes
@size lines@
//
@facts@
//
// Link @object@.o and write
//
//   const @namespace@::Model model;  // one for all threads
//   std::vector<std::byte> workspace(model.workspace_bytes(@sizes use@));  // one per thread
//   const auto status = model.run(@run use@);
//   if (!status.ok()) std::puts(status.message().c_str());
//
)";

inline constexpr std::string_view guard_text =
    R"(// Arguments convert from std::vector, std::array, std::span, arrays, and {pointer, size}.
// What follows the class is the same in every header that this version of Ingot writes.
#ifndef INGOT_MODEL_@object@_@hash@
#define INGOT_MODEL_@object@_@hash@

#ifdef __cplusplus
)";

// Declared before the ABI's text, so that the reader meets it first.
inline constexpr std::string_view declared_text = R"(
inline namespace ingot_abi_1_0 {
struct ingot_model;
struct ingot_variant;
}  // namespace ingot_abi_1_0
)";

inline constexpr std::string_view class_text = R"(
namespace @namespace@ {
// The start of the provenance hash: two compiles of one model can live in one program.
inline namespace compile_@short hash@ {

using Status = ::ingot::face_1::Status;
using Options = ::ingot::face_1::Options;
using FloatGuard = ::ingot::face_1::FloatGuard;
template <class T>
using Span = ::ingot::face_1::Span<T>;

@sizes struct@@found struct@/// What a call reads.
struct Inputs {
@input members@
};

/// What a call writes. It must not overlap the inputs or the workspace.
struct Outputs {
@output members@
};

/// Elements of each tensor.
struct Counts {
@count members@
};

/// The model. Constant: any number of threads may use one at the same time, each with a workspace
/// and outputs of its own. Nothing throws, and only self_test() allocates.
class Model {
 public:
  /// Takes the best variant that this machine can run, or the one that the environment variable
  /// INGOT_ISA names. Some microseconds: make a model once, not per call.
  Model() noexcept;
  /// Takes the variant of this name: @variants@.
  explicit Model(const char* wanted) noexcept;

  /// Is there a variant? If not, each call answers INGOT_NO_VARIANT.
  bool ok() const noexcept { return variant_ != nullptr; }
  /// Its name; "" if there is none.
  const char* variant() const noexcept;

  /// The workspace that a call needs, so that it can be made before the first one. It never falls
  /// when a size grows. 0 for sizes that run() refuses.
  std::size_t workspace_bytes(@sizes parameter,@std::uint32_t threads = 1) const noexcept;

  /// How many elements the inputs and outputs have; zeros for sizes that run() refuses.
  static Counts counts(@sizes parameter@) noexcept;

  /// Computes the outputs. Every span must have exactly the elements that counts() says; zero is a
  /// number like any other. Any workspace will do that is large enough, whatever is in it.
  Status run(
      @run parameters@) const noexcept;
  /// The same with threads, probes or a device's stream.
  Status run(
      @run parameters@,
      const Options& options) const noexcept;
@found methods@
  /// Runs the model on inputs from a seed and compares the bits with the interpreter's.
  Status self_test() const noexcept;

  /// Everything about the model as data: docs/abi.md.
  static const ::ingot_abi_1_0::ingot_model& descriptor() noexcept;

 private:
  const ::ingot_abi_1_0::ingot_variant* variant_;
};

}  // namespace compile_@short hash@
}  // namespace @namespace@
)";

inline constexpr std::string_view classes_end_text = R"(#endif

)";

inline constexpr std::string_view descriptor_text = R"(
// If the linker does not find this name, @object@.h and @object@.o come from different compiles.
#ifdef __cplusplus
extern "C" const ::ingot_abi_1_0::ingot_model
    @symbol@;
#else
extern const ingot_model
    @symbol@;
static inline const ingot_model* @name@_model(void) {
  return &@symbol@;
}
#endif
)";

inline constexpr std::string_view descriptors_end_text = R"(
#ifdef __cplusplus
)";

inline constexpr std::string_view definitions_text = R"(
namespace @namespace@ {
inline namespace compile_@short hash@ {

inline const ::ingot_abi_1_0::ingot_model& Model::descriptor() noexcept {
  return @symbol@;
}

inline Model::Model() noexcept : Model(nullptr) {}
inline Model::Model(const char* wanted) noexcept
    : variant_(::ingot::face_1::choose_variant(descriptor(), wanted)) {}

inline const char* Model::variant() const noexcept {
  return variant_ != nullptr ? variant_->name : "";
}

inline std::size_t Model::workspace_bytes(@sizes parameter,@std::uint32_t threads) const noexcept {
  @symbols array@
  std::uint64_t bytes = 0;
  const Status status = ::ingot::face_1::workspace_bytes(descriptor(), variant_, @symbols@,
                                                         threads, bytes);
  return status.ok() ? static_cast<std::size_t>(bytes) : 0;
}

inline Counts Model::counts(@sizes parameter@) noexcept {
  @symbols array@
  std::int64_t dims[@rank@];
  std::uint64_t elements[@tensors@];
  (void)::ingot::face_1::element_counts(descriptor(), @symbols@, dims, elements);
  return {
@count values@
  };
}

inline Status Model::run(
    @run arguments@) const noexcept {
  @symbols array@
  @input array@
  @output array@
  auto call = ::ingot::face_1::make_call(@symbols@, @input span@, @output span@, workspace);
  return ::ingot::face_1::run_call(descriptor(), variant_, call);
}

inline Status Model::run(
    @run arguments@,
    const Options& options) const noexcept {
  @symbols array@
  @input array@
  @output array@
  auto call = ::ingot::face_1::make_call(@symbols@, @input span@, @output span@, workspace);
  ::ingot::face_1::add_options(call, options);
  return ::ingot::face_1::run_call(descriptor(), variant_, call);
}

@found definitions@inline Status Model::self_test() const noexcept {
  return ::ingot::face_1::self_test(descriptor(), variant_);
}

}  // namespace compile_@short hash@
}  // namespace @namespace@
)";

inline constexpr std::string_view definitions_end_text = R"(#endif
#endif
)";

// Of models with sizes that data give.
inline constexpr std::string_view found_struct_text =
    R"(/// Sizes that a call finds in data. Outputs are made for the most that there can be, and hold what was
/// found at their start.
struct Found {
@found members@
};

)";

inline constexpr std::string_view found_methods_text = R"(
  /// The same, and says what sizes it found. They are left as they were if it fails.
  Status run(
      @run parameters@,
      Found& found) const noexcept;
  /// How many elements there were.
  static Counts counts(@sizes parameter,@Found found) noexcept;
)";

inline constexpr std::string_view found_definitions_text = R"(inline Status Model::run(
    @run arguments@,
    Found& found) const noexcept {
  std::int64_t truth[@symbol count@];
  Options options;
  options.true_symbols = truth;
  const Status status = run(@run forwarded@, options);
  if (status.ok()) found = {@found values@};
  return status;
}

inline Counts Model::counts(@sizes parameter,@Found found) noexcept {
  @true symbols array@
  std::int64_t dims[@rank@];
  std::uint64_t elements[@tensors@];
  (void)::ingot::face_1::element_counts(descriptor(), symbols, dims, elements);
  return {
@count values@
  };
}

)";

}  // namespace ingot::write
