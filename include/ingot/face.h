// SPDX-License-Identifier: Apache-2.0
// Calling any compiled model from C++17: statuses with their texts, the choice of a variant, the
// call itself, the self-test. Generated classes and the loader are thin covers of this. Nothing
// throws, and only self_test() allocates. Part of every generated header.
#ifndef INGOT_FACE_1
#define INGOT_FACE_1

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <initializer_list>
#include <memory>
#include <new>

#include <ingot/abi.h>
#include <ingot/cpu.h>
#include <ingot/self_test.h>
#include <ingot/span.h>

namespace ingot {
inline namespace face_1 {

namespace abi = ::ingot_abi_1_0;

// ---- reading a descriptor ----------------------------------------------------------------------

/// Item i of a table of the descriptor. Needs: i < array.count.
template <class Item>
const Item& item(const abi::ingot_array& array, std::uint32_t i) noexcept {
  return *static_cast<const Item*>(abi::ingot_item(&array, i));
}

/// "f32", or "no known type".
inline const char* dtype_name(std::int64_t dtype) noexcept {
  constexpr const char* names[] = {"f32", "f64", "f16", "bf16", "i8",  "i16", "i32",
                                   "i64", "u8",  "u16", "u32",  "u64", "bool"};
  return dtype >= 1 && dtype <= 13 ? names[dtype - 1] : "no known type";
}

/// The ingot_dtype of a C++ type.
template <class T>
inline constexpr std::int32_t dtype_of = 0;
template <>
inline constexpr std::int32_t dtype_of<float> = abi::INGOT_F32;
template <>
inline constexpr std::int32_t dtype_of<double> = abi::INGOT_F64;
template <>
inline constexpr std::int32_t dtype_of<Float16> = abi::INGOT_F16;
template <>
inline constexpr std::int32_t dtype_of<BFloat16> = abi::INGOT_BF16;
template <>
inline constexpr std::int32_t dtype_of<std::int8_t> = abi::INGOT_I8;
template <>
inline constexpr std::int32_t dtype_of<std::int16_t> = abi::INGOT_I16;
template <>
inline constexpr std::int32_t dtype_of<std::int32_t> = abi::INGOT_I32;
template <>
inline constexpr std::int32_t dtype_of<std::int64_t> = abi::INGOT_I64;
template <>
inline constexpr std::int32_t dtype_of<std::uint8_t> = abi::INGOT_U8;
template <>
inline constexpr std::int32_t dtype_of<std::uint16_t> = abi::INGOT_U16;
template <>
inline constexpr std::int32_t dtype_of<std::uint32_t> = abi::INGOT_U32;
template <>
inline constexpr std::int32_t dtype_of<std::uint64_t> = abi::INGOT_U64;
template <>
inline constexpr std::int32_t dtype_of<bool> = abi::INGOT_BOOL;

// ---- statuses ----------------------------------------------------------------------------------

/// A text of limited length in a place of its own; what does not fit is cut off.
class Text {
 public:
  const char* c_str() const noexcept { return text_; }
  std::size_t size() const noexcept { return size_; }

  Text& operator<<(const char* text) noexcept {
    while (*text != '\0' && size_ + 1 < sizeof text_) text_[size_++] = *text++;
    return *this;
  }
  Text& operator<<(std::int64_t number) noexcept {
    char digits[24];
    std::size_t at = sizeof digits;
    digits[--at] = '\0';
    auto rest = static_cast<std::uint64_t>(number);
    if (number < 0) rest = 0 - rest;
    do {
      digits[--at] = static_cast<char>('0' + static_cast<int>(rest % 10));
      rest /= 10;
    } while (rest != 0);
    if (number < 0) digits[--at] = '-';
    return *this << &digits[at];
  }

 private:
  std::size_t size_ = 0;
  char text_[504] = {};
};

/// How a call went: INGOT_OK, or a code of ingot_status with what it is about.
class [[nodiscard]] Status {
 public:
  Status() noexcept = default;
  /// `model` gives message() the names; it may be null, else it must live as long as the status.
  Status(const abi::ingot_error& details, const abi::ingot_model* model) noexcept
      : details_(details), model_(model) {}
  Status(std::int32_t code, const abi::ingot_model* model) noexcept : model_(model) {
    details_.status = code;
  }

  bool ok() const noexcept { return details_.status == abi::INGOT_OK; }
  std::int32_t code() const noexcept { return details_.status; }
  const abi::ingot_error& details() const noexcept { return details_; }

  /// One line: what, where, and the values; "ok" for success.
  Text message() const noexcept;

 private:
  const char* place() const noexcept;

  abi::ingot_error details_ = {sizeof(abi::ingot_error), 0, 0, 0, 0, -1, 0, 0};
  const abi::ingot_model* model_ = nullptr;
};

/// The name of what details().index counts, or "".
inline const char* Status::place() const noexcept {
  if (model_ == nullptr) return "";
  const std::uint32_t i = details_.index;
  switch (details_.where) {
    case abi::INGOT_AT_SYMBOL:
      return i < model_->symbols.count ? item<abi::ingot_symbol>(model_->symbols, i).name : "";
    case abi::INGOT_AT_CONSTRAINT:
      return i < model_->constraints.count
                 ? item<abi::ingot_constraint>(model_->constraints, i).text
                 : "";
    case abi::INGOT_AT_INPUT:
      return i < model_->inputs.count ? item<abi::ingot_tensor_info>(model_->inputs, i).name : "";
    case abi::INGOT_AT_OUTPUT:
      return i < model_->outputs.count ? item<abi::ingot_tensor_info>(model_->outputs, i).name : "";
    case abi::INGOT_AT_KERNEL:
      return i < model_->kernels.count ? item<abi::ingot_kernel>(model_->kernels, i).name : "";
    default:
      return "";
  }
}

inline Text Status::message() const noexcept {
  const abi::ingot_error& d = details_;
  Text text;
  if (ok()) return text << "ok";
  if (model_ != nullptr) text << model_->name << ": ";
  if (d.status == abi::INGOT_WRONG_COUNT) {
    return text << d.value
                << (d.where == abi::INGOT_AT_INPUT    ? " inputs"
                    : d.where == abi::INGOT_AT_OUTPUT ? " outputs"
                                                      : " symbols")
                << " were given, the model has " << d.limit;
  }
  switch (d.where) {
    case abi::INGOT_AT_SYMBOL:
      text << "symbol '" << place() << "' ";
      break;
    case abi::INGOT_AT_CONSTRAINT:
      text << "constraint '" << place() << "' ";
      break;
    case abi::INGOT_AT_INPUT:
      text << "input '" << place() << "' ";
      break;
    case abi::INGOT_AT_OUTPUT:
      text << "output '" << place() << "' ";
      break;
    case abi::INGOT_AT_WORKSPACE:
      text << "workspace ";
      break;
    case abi::INGOT_AT_KERNEL:
      text << "op '" << place() << "' ";
      break;
    default:
      break;
  }
  // The functions that size a call say why they refuse, not where.
  if (d.where == abi::INGOT_AT_CALL && d.status == abi::INGOT_SYMBOL_OUT_OF_RANGE)
    return text << "a size is outside the range that the model was compiled for";
  if (d.where == abi::INGOT_AT_CALL && d.status == abi::INGOT_CONSTRAINT_VIOLATED)
    return text << "the sizes break one of the model's constraints";
  switch (d.status) {
    case abi::INGOT_BAD_CALL:
      return text
             << "was called with a struct that is too short; set struct_bytes and tensor_bytes";
    case abi::INGOT_SYMBOL_OUT_OF_RANGE:
      return text << "is " << d.value << ", must be at " << (d.value < d.limit ? "least " : "most ")
                  << d.limit;
    case abi::INGOT_CONSTRAINT_VIOLATED:
      return text << "does not hold: " << d.value << " against " << d.limit;
    case abi::INGOT_SIZE_OVERFLOW:
      return text << "needs more bytes than can be addressed";
    case abi::INGOT_WRONG_DTYPE:
      return text << "has elements of " << dtype_name(d.value) << ", must have "
                  << dtype_name(d.limit);
    case abi::INGOT_WRONG_RANK:
      return text << "has " << d.value << " axes, must have " << d.limit;
    case abi::INGOT_WRONG_DEVICE:
      return text << "is on device kind " << d.value << ", must be on " << d.limit;
    case abi::INGOT_WRONG_STRIDES:
      return text << "cannot have stride " << d.value << " at axis " << d.position << ", needs "
                  << d.limit;
    case abi::INGOT_WRONG_BYTES:
      return text << "has " << d.value << " bytes, needs " << d.limit;
    case abi::INGOT_NULL_DATA:
      return text << "is null, needs " << d.limit << " bytes";
    case abi::INGOT_WORKSPACE_TOO_SMALL:
      return text << "has " << d.value << " bytes, needs " << d.limit;
    case abi::INGOT_INDEX_OUT_OF_RANGE:
      return text << "at element " << d.position << ": index " << d.value << " is outside of [0, "
                  << d.limit << ")";
    case abi::INGOT_LIMIT_EXCEEDED:
      return text << "reached " << d.value << ", above its bound " << d.limit;
    case abi::INGOT_CANCELLED:
      return text << "was cancelled by the caller's callback with " << d.value;
    case abi::INGOT_UNSUPPORTED_OPTION:
      return text << "this variant does not have what the call's options ask for";
    case abi::INGOT_DEVICE_FAILED:
      return text << "the device failed with its code " << d.value;
    case abi::INGOT_INTERNAL:
      return text << "a bug in ingot; please report it";
    case abi::INGOT_NO_VARIANT:
      return text << "no variant that was asked for (by name or INGOT_ISA) runs on this machine";
    case abi::INGOT_SELF_TEST_FAILED:
      return text << "self-test " << d.value << " gave other bits than the interpreter";
    case abi::INGOT_NOT_LOADED:
      return text << "no model is loaded";
    case abi::INGOT_OUT_OF_MEMORY:
      return text << "could not allocate " << d.value << " bytes";
    default:
      return text << "failed with status " << d.status << " (" << d.value << " against " << d.limit
                  << ")";
  }
}

// ---- choosing a variant ------------------------------------------------------------------------

/// The variant named `wanted` if `cpu` can run it; without a name, the first of the model's list
/// that it can. Null if there is none.
inline const abi::ingot_variant* choose_variant(const abi::ingot_model& model, const Cpu& cpu,
                                                const char* wanted) noexcept {
  for (std::uint32_t i = 0; i < model.variants.count; ++i) {
    const auto& variant = item<abi::ingot_variant>(model.variants, i);
    if (!can_run(cpu, variant)) continue;
    if (wanted != nullptr) {
      if (std::strcmp(variant.name, wanted) == 0) return &variant;
    } else if (variant.pins.count == 0 && (variant.flags & abi::INGOT_VARIANT_OTHER_BITS) == 0) {
      return &variant;
    }
  }
  return nullptr;
}

/// The same for this machine; `wanted` null or empty: what the environment variable INGOT_ISA
/// names, if it is set.
inline const abi::ingot_variant* choose_variant(const abi::ingot_model& model,
                                                const char* wanted = nullptr) noexcept {
  if (wanted == nullptr || *wanted == '\0') wanted = std::getenv("INGOT_ISA");
  if (wanted != nullptr && *wanted == '\0') wanted = nullptr;
  return choose_variant(model, detect_cpu(), wanted);
}

// ---- calling -----------------------------------------------------------------------------------

/// What a call may have besides its tensors; see ingot_call.
struct Options {
  std::uint32_t threads = 1;  // the same that workspace_bytes() was asked for
  abi::ingot_parallel_for parallel_for = nullptr;
  void* parallel_user = nullptr;
  abi::ingot_probe probe = nullptr;  // if set, the variant's probed entry runs
  void* probe_user = nullptr;
  std::int64_t* true_symbols = nullptr;
  void* stream = nullptr;
  void* instance = nullptr;
};

/// Entries of a call for dense memory on the CPU.
template <class T>
abi::ingot_tensor input_tensor(Span<const T> elements, std::uint32_t rank) noexcept {
  return {const_cast<T*>(elements.data()),
          elements.size() * sizeof(T),
          nullptr,
          dtype_of<T>,
          rank,
          abi::INGOT_CPU,
          0};
}
template <class T>
abi::ingot_tensor output_tensor(Span<T> elements, std::uint32_t rank) noexcept {
  return {
      elements.data(), elements.size() * sizeof(T), nullptr, dtype_of<T>, rank, abi::INGOT_CPU, 0};
}

/// Runs `call` on `variant`, by its probed entry if the call has a probe. Sets call.error.
inline Status run_call(const abi::ingot_model& model, const abi::ingot_variant* variant,
                       abi::ingot_call& call) noexcept {
  if (variant == nullptr) return {abi::INGOT_NO_VARIANT, &model};
  const bool probed = call.struct_bytes >= sizeof(abi::ingot_call) && call.probe != nullptr;
  const abi::ingot_run run = probed ? variant->run_probed : variant->run;
  if (run == nullptr) return {abi::INGOT_UNSUPPORTED_OPTION, &model};
  abi::ingot_error error = {sizeof(abi::ingot_error), 0, 0, 0, 0, -1, 0, 0};
  call.error = &error;
  const std::int32_t code = run(&call);
  call.error = nullptr;
  if (code == abi::INGOT_OK) return {};
  error.status = code;
  return {error, &model};
}

/// The part of a call that every call has. Options are added to it by add_options().
inline abi::ingot_call make_call(Span<const std::int64_t> symbols,
                                 Span<const abi::ingot_tensor> inputs,
                                 Span<const abi::ingot_tensor> outputs,
                                 Span<std::byte> workspace) noexcept {
  abi::ingot_call call = {};
  call.struct_bytes = abi::INGOT_CALL_REQUIRED_BYTES;
  call.symbol_count = static_cast<std::uint32_t>(symbols.size());
  call.tensor_bytes = sizeof(abi::ingot_tensor);
  call.symbols = symbols.data();
  call.inputs = inputs.data();
  call.outputs = outputs.data();
  call.input_count = static_cast<std::uint32_t>(inputs.size());
  call.output_count = static_cast<std::uint32_t>(outputs.size());
  call.workspace = workspace.data();
  call.workspace_bytes = workspace.size();
  return call;
}

inline void add_options(abi::ingot_call& call, const Options& options) noexcept {
  call.struct_bytes = sizeof(abi::ingot_call);
  call.true_symbols = options.true_symbols;
  call.threads = options.threads;
  call.parallel_for = options.parallel_for;
  call.parallel_user = options.parallel_user;
  call.probe = options.probe;
  call.probe_user = options.probe_user;
  call.stream = options.stream;
  call.instance = options.instance;
}

/// The bytes of workspace that a call needs; OK or why there is no such call.
inline Status workspace_bytes(const abi::ingot_model& model, const abi::ingot_variant* variant,
                              Span<const std::int64_t> symbols, std::uint32_t threads,
                              std::uint64_t& bytes) noexcept {
  bytes = 0;
  if (variant == nullptr) return {abi::INGOT_NO_VARIANT, &model};
  const auto ask =
      variant->workspace_bytes != nullptr ? variant->workspace_bytes : model.workspace_bytes;
  return {ask(symbols.data(), static_cast<std::uint32_t>(symbols.size()), threads, &bytes), &model};
}

/// How many numbers ingot_model.shapes writes.
inline std::size_t total_rank(const abi::ingot_model& model) noexcept {
  std::size_t rank = 0;
  for (const abi::ingot_array* tensors : {&model.inputs, &model.outputs}) {
    for (std::uint32_t i = 0; i < tensors->count; ++i) {
      rank += item<abi::ingot_tensor_info>(*tensors, i).dims.count;
    }
  }
  return rank;
}

/// Elements of all inputs, then of all outputs; zeros if there are no such shapes. Symbols as for
/// ingot_model.shapes.
/// Needs: room for total_rank(model) numbers at `dims`, and for one per tensor at `counts`.
inline Status element_counts(const abi::ingot_model& model, Span<const std::int64_t> symbols,
                             std::int64_t* dims, std::uint64_t* counts) noexcept {
  const std::int32_t code =
      model.shapes(symbols.data(), static_cast<std::uint32_t>(symbols.size()), dims);
  for (const abi::ingot_array* tensors : {&model.inputs, &model.outputs}) {
    for (std::uint32_t i = 0; i < tensors->count; ++i) {
      std::uint64_t count = code == abi::INGOT_OK ? 1 : 0;
      const auto& info = item<abi::ingot_tensor_info>(*tensors, i);
      for (std::uint32_t axis = 0; axis < info.dims.count && count != 0; ++axis) {
        count *= static_cast<std::uint64_t>(dims[axis]);
      }
      dims += info.dims.count;
      *counts++ = count;
    }
  }
  return {code, &model};
}

// ---- the self-test -----------------------------------------------------------------------------

/// Memory for the self-test: null where there is none left.
template <class T>
std::unique_ptr<T[]> try_allocate(std::uint64_t count) noexcept {
  return std::unique_ptr<T[]>(new (std::nothrow) T[static_cast<std::size_t>(count)]());
}

/// Runs self-test number `index` of the model on `variant`.
inline Status self_test(const abi::ingot_model& model, const abi::ingot_variant* variant,
                        std::uint32_t index) noexcept {
  const auto& test = item<abi::ingot_self_test>(model.self_tests, index);
  const Span<const std::int64_t> symbols(test.symbols, model.symbols.count);
  const std::uint32_t inputs = model.inputs.count;
  const std::uint32_t tensors = inputs + model.outputs.count;
  const auto out_of_memory = [&](std::uint64_t bytes) {
    return Status({sizeof(abi::ingot_error), abi::INGOT_OUT_OF_MEMORY, abi::INGOT_AT_CALL, 0, 0, -1,
                   static_cast<std::int64_t>(bytes), 0},
                  &model);
  };

  const auto counts = try_allocate<std::uint64_t>(tensors);
  const auto table = try_allocate<abi::ingot_tensor>(tensors);
  const auto true_symbols = try_allocate<std::int64_t>(symbols.size());
  const auto dims = try_allocate<std::int64_t>(total_rank(model));
  if (dims == nullptr || counts == nullptr || table == nullptr || true_symbols == nullptr)
    return out_of_memory(0);
  std::uint64_t workspace_size = 0;
  if (Status s = workspace_bytes(model, variant, symbols, 1, workspace_size); !s.ok()) return s;
  if (Status s = element_counts(model, symbols, dims.get(), counts.get()); !s.ok()) return s;

  // Everything in one piece of memory, each part on a cache line of its own.
  constexpr std::uint64_t line = 64;
  std::uint64_t total = line;
  for (std::uint32_t i = 0; i < tensors; ++i) {
    const auto& info = i < inputs ? item<abi::ingot_tensor_info>(model.inputs, i)
                                  : item<abi::ingot_tensor_info>(model.outputs, i - inputs);
    table[i].bytes = counts[i] * element_bytes(info.dtype);
    table[i].dtype = info.dtype;
    table[i].rank = info.dims.count;
    total += (table[i].bytes + line - 1) / line * line;
  }
  total += workspace_size;
  const auto memory = try_allocate<std::byte>(total);
  if (memory == nullptr) return out_of_memory(total);
  std::byte* next = memory.get();
  next += (line - reinterpret_cast<std::uintptr_t>(next) % line) % line;
  std::uint64_t drawn = 0;
  for (std::uint32_t i = 0; i < tensors; ++i) {
    table[i].data = next;
    next += (table[i].bytes + line - 1) / line * line;
    if (i >= inputs) continue;
    self_test_fill(table[i].dtype, test.seed, drawn, table[i].data, counts[i]);
    drawn += counts[i];
  }

  abi::ingot_call call =
      make_call(symbols, {table.get(), inputs}, {table.get() + inputs, model.outputs.count},
                {next, static_cast<std::size_t>(workspace_size)});
  Options options;
  options.true_symbols = true_symbols.get();
  add_options(call, options);
  if (Status s = run_call(model, variant, call); !s.ok()) return s;

  SelfTestHash hash;
  bool data_dependent = false;
  for (std::uint32_t i = 0; i < model.symbols.count; ++i) {
    if ((item<abi::ingot_symbol>(model.symbols, i).flags & abi::INGOT_SYMBOL_DATA_DEPENDENT) == 0) {
      continue;
    }
    data_dependent = true;
    hash.add_symbol(true_symbols[i]);
  }
  if (data_dependent) {
    if (Status s =
            element_counts(model, {true_symbols.get(), symbols.size()}, dims.get(), counts.get());
        !s.ok()) {
      return s;
    }
  }
  for (std::uint32_t i = inputs; i < tensors; ++i) {
    hash.add(table[i].dtype, table[i].data, counts[i]);
  }
  if (hash.value() == test.hash) return {};
  return {{sizeof(abi::ingot_error), abi::INGOT_SELF_TEST_FAILED, abi::INGOT_AT_CALL, 0, 0, -1,
           static_cast<std::int64_t>(index), 0},
          &model};
}

/// Does `variant` serve calls with these symbols?
inline bool fits(const abi::ingot_variant& variant, const std::int64_t* symbols) noexcept {
  for (std::uint32_t i = 0; i < variant.pins.count; ++i) {
    const auto& pin = item<abi::ingot_pin>(variant.pins, i);
    if (symbols[pin.symbol] < pin.lo || symbols[pin.symbol] > pin.hi) return false;
  }
  return true;
}

/// Runs all self-tests of the model that fit `variant`: OK if each gives the interpreter's bits,
/// and for a model that carries none. Allocates and frees; needs round-to-nearest without FTZ and
/// DAZ.
inline Status self_test(const abi::ingot_model& model, const abi::ingot_variant* variant) noexcept {
  if (variant == nullptr) return {abi::INGOT_NO_VARIANT, &model};
  for (std::uint32_t i = 0; i < model.self_tests.count; ++i) {
    if (!fits(*variant, item<abi::ingot_self_test>(model.self_tests, i).symbols)) continue;
    if (Status s = self_test(model, variant, i); !s.ok()) return s;
  }
  return {};
}

// ---- the floating-point environment ------------------------------------------------------------

/// While it lives, this thread rounds to nearest and keeps subnormal numbers, as every call
/// assumes; afterwards it does what it did before. Not needed where nothing changed the defaults.
/// Enabled traps stay enabled, and exceptions that were raised stay raised.
class FloatGuard {
 public:
  FloatGuard() noexcept : saved_(get()) { set(saved_ & ~changed); }
  ~FloatGuard() { set((get() & ~changed) | (saved_ & changed)); }
  FloatGuard(const FloatGuard&) = delete;
  FloatGuard& operator=(const FloatGuard&) = delete;

 private:
#if defined(__x86_64__)
  using Register = std::uint32_t;
  static constexpr Register changed = 0xE040U;  // MXCSR: FTZ, rounding mode, DAZ
  static Register get() noexcept {
    Register value = 0;
    __asm__ volatile("stmxcsr %0" : "=m"(value) : : "memory");
    return value;
  }
  static void set(Register value) noexcept {
    __asm__ volatile("ldmxcsr %0" : : "m"(value) : "memory");
  }
#elif defined(__aarch64__)
  using Register = std::uint64_t;
  static constexpr Register changed = 0x3C80000U;  // FPCR: DN, FZ, rounding mode, FZ16
  static Register get() noexcept {
    Register value = 0;
    __asm__ volatile("mrs %0, fpcr" : "=r"(value) : : "memory");
    return value;
  }
  static void set(Register value) noexcept {
    __asm__ volatile("msr fpcr, %0" : : "r"(value) : "memory");
  }
#else
  using Register = int;
  static constexpr Register changed = 0;
  static Register get() noexcept { return 0; }
  static void set(Register) noexcept {}
#endif

  Register saved_;
};

}  // namespace face_1
}  // namespace ingot
#endif
