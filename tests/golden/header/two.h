// two: compiled by Ingot 0.1.0 from fake.onnx. Do not edit.
//
// 2 models in one object, each in a namespace of its own: two::fake, two::class_.
// Weights that are equal are there once.
//
// ---- two::fake ----
//
//   inputs
//     pixels         float[N, 3]  in the model: 'pixels:0'
//     mask           bool[N]
//
//   outputs
//     dense_BiasAdd  float[N, 2]  in the model: 'dense/BiasAdd'
//     class_         int32[N]  in the model: 'class'
//
//   sizes
//     N              0 to 1000, rows independent of each other
//     k              0 to 64
//     where          N + 60 >= k
//
//   workspace        8*N + 64 bytes
//   weights          64 bytes
//   variants         v4, v3, v2
//   compile          3f9a70b1c2d4e5f60718293a4b5c6d7e
//   signature        serving_default
//   version          v2
//
// Link two.o and write
//
//   const two::fake::Model model;  // one for all threads
//   std::vector<std::byte> workspace(model.workspace_bytes({N, k}));  // one per thread
//   const auto status = model.run({N, k}, {pixels, mask}, {dense_BiasAdd, class_}, workspace);
//   if (!status.ok()) std::puts(status.message().c_str());
//
// ---- two::class_ ----
//
//   inputs
//     x          float[3]
//
//   outputs
//     y          float[2]
//
//   sizes
//     all fixed
//
//   workspace    0 bytes
//   weights      64 bytes
//   variants     v4, v3, v2
//   compile      3f9a70b1c2d4e5f60718293a4b5c6d7e
//   signature    class
//   version      v2
//
// Link two.o and write
//
//   const two::class_::Model model;  // one for all threads
//   std::vector<std::byte> workspace(model.workspace_bytes());  // one per thread
//   const auto status = model.run({x}, {y}, workspace);
//   if (!status.ok()) std::puts(status.message().c_str());
//
// Arguments convert from std::vector, std::array, std::span, arrays, and {pointer, size}.
// What follows the class is the same in every header that this version of Ingot writes.
#ifndef INGOT_MODEL_two_3f9a70b1c2d4e5f60718293a4b5c6d7e
#define INGOT_MODEL_two_3f9a70b1c2d4e5f60718293a4b5c6d7e

#ifdef __cplusplus
// ... the text of <ingot/span.h> ...

inline namespace ingot_abi_1_0 {
struct ingot_model;
struct ingot_variant;
}  // namespace ingot_abi_1_0

namespace two::fake {
// The start of the provenance hash: two compiles of one model can live in one program.
inline namespace compile_3f9a70b1c2d4e5f6 {

using Status = ::ingot::face_1::Status;
using Options = ::ingot::face_1::Options;
using FloatGuard = ::ingot::face_1::FloatGuard;
template <class T>
using Span = ::ingot::face_1::Span<T>;

/// The sizes of a call.
struct Sizes {
  ::ingot::face_1::Size N = {};  // 0 to 1000, rows independent of each other
  ::ingot::face_1::Size k = {};  // 0 to 64
};

/// What a call reads.
struct Inputs {
  Span<const float> pixels = {};  // [N, 3]
  Span<const bool> mask = {};  // [N]
};

/// What a call writes. It must not overlap the inputs or the workspace.
struct Outputs {
  Span<float> dense_BiasAdd = {};  // [N, 2]
  Span<std::int32_t> class_ = {};  // [N]
};

/// Elements of each tensor.
struct Counts {
  std::size_t pixels = 0;
  std::size_t mask = 0;
  std::size_t dense_BiasAdd = 0;
  std::size_t class_ = 0;
};

/// The model. Constant: any number of threads may use one at the same time, each with a workspace
/// and outputs of its own. Nothing throws, and only self_test() allocates.
class Model {
 public:
  /// Takes the best variant that this machine can run, or the one that the environment variable
  /// INGOT_ISA names. Some microseconds: make a model once, not per call.
  Model() noexcept;
  /// Takes the variant of this name: v4, v3, v2.
  explicit Model(const char* wanted) noexcept;

  /// Is there a variant? If not, each call answers INGOT_NO_VARIANT.
  bool ok() const noexcept { return variant_ != nullptr; }
  /// Its name; "" if there is none.
  const char* variant() const noexcept;

  /// The workspace that a call needs, so that it can be made before the first one. It never falls
  /// when a size grows. 0 for sizes that run() refuses.
  std::size_t workspace_bytes(Sizes sizes, std::uint32_t threads = 1) const noexcept;

  /// How many elements the inputs and outputs have; zeros for sizes that run() refuses.
  static Counts counts(Sizes sizes) noexcept;

  /// Computes the outputs. Every span must have exactly the elements that counts() says; zero is a
  /// number like any other. Any workspace will do that is large enough, whatever is in it.
  Status run(
      Sizes sizes, Inputs inputs, Outputs outputs, Span<std::byte> workspace) const noexcept;
  /// The same with threads, probes or a device's stream.
  Status run(
      Sizes sizes, Inputs inputs, Outputs outputs, Span<std::byte> workspace,
      const Options& options) const noexcept;

  /// Runs the model on inputs from a seed and compares the bits with the interpreter's.
  Status self_test() const noexcept;

  /// Everything about the model as data: docs/abi.md.
  static const ::ingot_abi_1_0::ingot_model& descriptor() noexcept;

 private:
  const ::ingot_abi_1_0::ingot_variant* variant_;
};

}  // namespace compile_3f9a70b1c2d4e5f6
}  // namespace two::fake

namespace two::class_ {
// The start of the provenance hash: two compiles of one model can live in one program.
inline namespace compile_3f9a70b1c2d4e5f6 {

using Status = ::ingot::face_1::Status;
using Options = ::ingot::face_1::Options;
using FloatGuard = ::ingot::face_1::FloatGuard;
template <class T>
using Span = ::ingot::face_1::Span<T>;

/// What a call reads.
struct Inputs {
  Span<const float> x = {};  // [3]
};

/// What a call writes. It must not overlap the inputs or the workspace.
struct Outputs {
  Span<float> y = {};  // [2]
};

/// Elements of each tensor.
struct Counts {
  std::size_t x = 0;
  std::size_t y = 0;
};

/// The model. Constant: any number of threads may use one at the same time, each with a workspace
/// and outputs of its own. Nothing throws, and only self_test() allocates.
class Model {
 public:
  /// Takes the best variant that this machine can run, or the one that the environment variable
  /// INGOT_ISA names. Some microseconds: make a model once, not per call.
  Model() noexcept;
  /// Takes the variant of this name: v4, v3, v2.
  explicit Model(const char* wanted) noexcept;

  /// Is there a variant? If not, each call answers INGOT_NO_VARIANT.
  bool ok() const noexcept { return variant_ != nullptr; }
  /// Its name; "" if there is none.
  const char* variant() const noexcept;

  /// The workspace that a call needs, so that it can be made before the first one. It never falls
  /// when a size grows. 0 for sizes that run() refuses.
  std::size_t workspace_bytes(std::uint32_t threads = 1) const noexcept;

  /// How many elements the inputs and outputs have; zeros for sizes that run() refuses.
  static Counts counts() noexcept;

  /// Computes the outputs. Every span must have exactly the elements that counts() says; zero is a
  /// number like any other. Any workspace will do that is large enough, whatever is in it.
  Status run(
      Inputs inputs, Outputs outputs, Span<std::byte> workspace) const noexcept;
  /// The same with threads, probes or a device's stream.
  Status run(
      Inputs inputs, Outputs outputs, Span<std::byte> workspace,
      const Options& options) const noexcept;

  /// Runs the model on inputs from a seed and compares the bits with the interpreter's.
  Status self_test() const noexcept;

  /// Everything about the model as data: docs/abi.md.
  static const ::ingot_abi_1_0::ingot_model& descriptor() noexcept;

 private:
  const ::ingot_abi_1_0::ingot_variant* variant_;
};

}  // namespace compile_3f9a70b1c2d4e5f6
}  // namespace two::class_
#endif

// ... the text of <ingot/abi.h> ...

// If the linker does not find this name, two.h and two.o come from different compiles.
#ifdef __cplusplus
extern "C" const ::ingot_abi_1_0::ingot_model
    two_fake_header_and_object_are_from_one_ingot_compile_3f9a70b1c2d4e5f6;
#else
extern const ingot_model
    two_fake_header_and_object_are_from_one_ingot_compile_3f9a70b1c2d4e5f6;
static inline const ingot_model* two_fake_model(void) {
  return &two_fake_header_and_object_are_from_one_ingot_compile_3f9a70b1c2d4e5f6;
}
#endif

// If the linker does not find this name, two.h and two.o come from different compiles.
#ifdef __cplusplus
extern "C" const ::ingot_abi_1_0::ingot_model
    two_class_header_and_object_are_from_one_ingot_compile_3f9a70b1c2d4e5f6;
#else
extern const ingot_model
    two_class_header_and_object_are_from_one_ingot_compile_3f9a70b1c2d4e5f6;
static inline const ingot_model* two_class_model(void) {
  return &two_class_header_and_object_are_from_one_ingot_compile_3f9a70b1c2d4e5f6;
}
#endif

#ifdef __cplusplus
// ... the text of <ingot/cpu.h> ...

// ... the text of <ingot/self_test.h> ...

// ... the text of <ingot/face.h> ...


namespace two::fake {
inline namespace compile_3f9a70b1c2d4e5f6 {

inline const ::ingot_abi_1_0::ingot_model& Model::descriptor() noexcept {
  return two_fake_header_and_object_are_from_one_ingot_compile_3f9a70b1c2d4e5f6;
}

inline Model::Model() noexcept : Model(nullptr) {}
inline Model::Model(const char* wanted) noexcept
    : variant_(::ingot::face_1::choose_variant(descriptor(), wanted)) {}

inline const char* Model::variant() const noexcept {
  return variant_ != nullptr ? variant_->name : "";
}

inline std::size_t Model::workspace_bytes(Sizes sizes, std::uint32_t threads) const noexcept {
  const std::int64_t symbols[] = {sizes.N.value, sizes.k.value};
  std::uint64_t bytes = 0;
  const Status status = ::ingot::face_1::workspace_bytes(descriptor(), variant_, symbols,
                                                         threads, bytes);
  return status.ok() ? static_cast<std::size_t>(bytes) : 0;
}

inline Counts Model::counts(Sizes sizes) noexcept {
  const std::int64_t symbols[] = {sizes.N.value, sizes.k.value};
  std::int64_t dims[6];
  std::uint64_t elements[4];
  (void)::ingot::face_1::element_counts(descriptor(), symbols, dims, elements);
  return {
      static_cast<std::size_t>(elements[0]),
      static_cast<std::size_t>(elements[1]),
      static_cast<std::size_t>(elements[2]),
      static_cast<std::size_t>(elements[3]),
  };
}

inline Status Model::run(
    Sizes sizes, Inputs inputs, Outputs outputs, Span<std::byte> workspace) const noexcept {
  const std::int64_t symbols[] = {sizes.N.value, sizes.k.value};
  const ::ingot_abi_1_0::ingot_tensor input_tensors[] = {
      ::ingot::face_1::input_tensor(inputs.pixels, 2),
      ::ingot::face_1::input_tensor(inputs.mask, 1),
  };
  const ::ingot_abi_1_0::ingot_tensor output_tensors[] = {
      ::ingot::face_1::output_tensor(outputs.dense_BiasAdd, 2),
      ::ingot::face_1::output_tensor(outputs.class_, 1),
  };
  auto call = ::ingot::face_1::make_call(symbols, input_tensors, output_tensors, workspace);
  return ::ingot::face_1::run_call(descriptor(), variant_, call);
}

inline Status Model::run(
    Sizes sizes, Inputs inputs, Outputs outputs, Span<std::byte> workspace,
    const Options& options) const noexcept {
  const std::int64_t symbols[] = {sizes.N.value, sizes.k.value};
  const ::ingot_abi_1_0::ingot_tensor input_tensors[] = {
      ::ingot::face_1::input_tensor(inputs.pixels, 2),
      ::ingot::face_1::input_tensor(inputs.mask, 1),
  };
  const ::ingot_abi_1_0::ingot_tensor output_tensors[] = {
      ::ingot::face_1::output_tensor(outputs.dense_BiasAdd, 2),
      ::ingot::face_1::output_tensor(outputs.class_, 1),
  };
  auto call = ::ingot::face_1::make_call(symbols, input_tensors, output_tensors, workspace);
  ::ingot::face_1::add_options(call, options);
  return ::ingot::face_1::run_call(descriptor(), variant_, call);
}

inline Status Model::self_test() const noexcept {
  return ::ingot::face_1::self_test(descriptor(), variant_);
}

}  // namespace compile_3f9a70b1c2d4e5f6
}  // namespace two::fake

namespace two::class_ {
inline namespace compile_3f9a70b1c2d4e5f6 {

inline const ::ingot_abi_1_0::ingot_model& Model::descriptor() noexcept {
  return two_class_header_and_object_are_from_one_ingot_compile_3f9a70b1c2d4e5f6;
}

inline Model::Model() noexcept : Model(nullptr) {}
inline Model::Model(const char* wanted) noexcept
    : variant_(::ingot::face_1::choose_variant(descriptor(), wanted)) {}

inline const char* Model::variant() const noexcept {
  return variant_ != nullptr ? variant_->name : "";
}

inline std::size_t Model::workspace_bytes(std::uint32_t threads) const noexcept {
  const ::ingot::face_1::Span<const std::int64_t> symbols;
  std::uint64_t bytes = 0;
  const Status status = ::ingot::face_1::workspace_bytes(descriptor(), variant_, symbols,
                                                         threads, bytes);
  return status.ok() ? static_cast<std::size_t>(bytes) : 0;
}

inline Counts Model::counts() noexcept {
  const ::ingot::face_1::Span<const std::int64_t> symbols;
  std::int64_t dims[2];
  std::uint64_t elements[2];
  (void)::ingot::face_1::element_counts(descriptor(), symbols, dims, elements);
  return {
      static_cast<std::size_t>(elements[0]),
      static_cast<std::size_t>(elements[1]),
  };
}

inline Status Model::run(
    Inputs inputs, Outputs outputs, Span<std::byte> workspace) const noexcept {
  const ::ingot::face_1::Span<const std::int64_t> symbols;
  const ::ingot_abi_1_0::ingot_tensor input_tensors[] = {
      ::ingot::face_1::input_tensor(inputs.x, 1),
  };
  const ::ingot_abi_1_0::ingot_tensor output_tensors[] = {
      ::ingot::face_1::output_tensor(outputs.y, 1),
  };
  auto call = ::ingot::face_1::make_call(symbols, input_tensors, output_tensors, workspace);
  return ::ingot::face_1::run_call(descriptor(), variant_, call);
}

inline Status Model::run(
    Inputs inputs, Outputs outputs, Span<std::byte> workspace,
    const Options& options) const noexcept {
  const ::ingot::face_1::Span<const std::int64_t> symbols;
  const ::ingot_abi_1_0::ingot_tensor input_tensors[] = {
      ::ingot::face_1::input_tensor(inputs.x, 1),
  };
  const ::ingot_abi_1_0::ingot_tensor output_tensors[] = {
      ::ingot::face_1::output_tensor(outputs.y, 1),
  };
  auto call = ::ingot::face_1::make_call(symbols, input_tensors, output_tensors, workspace);
  ::ingot::face_1::add_options(call, options);
  return ::ingot::face_1::run_call(descriptor(), variant_, call);
}

inline Status Model::self_test() const noexcept {
  return ::ingot::face_1::self_test(descriptor(), variant_);
}

}  // namespace compile_3f9a70b1c2d4e5f6
}  // namespace two::class_
#endif
#endif
