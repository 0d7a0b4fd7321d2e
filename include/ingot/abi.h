// SPDX-License-Identifier: Apache-2.0
// The C ABI of a model compiled by Ingot: what a compiled object offers and how it is called.
// A file format in C: docs/abi.md explains every field; sizes and offsets never change within major
// version 1. Plain C99 and C++17, little-endian, 64-bit pointers, standard headers only.
//
// Growing. Within major 1 a struct is only ever appended to, and codes and flags are only added.
// Whoever makes a struct writes its size into it (struct_bytes, item_bytes, tensor_bytes); whoever
// reads it reads a field only if that size covers it. Reserved fields are written as zero.
//
// Meeting itself. Every generated header carries this text. In C++ the names live in the inline
// namespace of their version, so that several versions can meet in one translation unit; in C the
// first one included counts.
#ifndef INGOT_ABI_1_0
#define INGOT_ABI_1_0

#include <stddef.h>
#include <stdint.h>

#if defined(__cplusplus) || !defined(INGOT_ABI_IN_C)
#ifdef __cplusplus
inline namespace ingot_abi_1_0 {
extern "C" {
#else
#define INGOT_ABI_IN_C
#endif

enum { INGOT_ABI_MAJOR = 1, INGOT_ABI_MINOR = 0 };

// ---- codes -------------------------------------------------------------------------------------

// What a call answers. 1 to 99 come from compiled code, 100 and above from the face or the loader.
enum ingot_status {
  INGOT_OK = 0,
  INGOT_BAD_CALL = 1,     // the call struct, or a tensor's entry, is shorter than version 1.0
  INGOT_WRONG_COUNT = 2,  // where: inputs, outputs or symbols; value given, limit wanted
  INGOT_SYMBOL_OUT_OF_RANGE = 3,  // index: the symbol; value given, limit the bound that it breaks
  INGOT_CONSTRAINT_VIOLATED = 4,  // index: the constraint; value and limit: its two sides
  INGOT_SIZE_OVERFLOW = 5,        // a size is beyond 2^63 - 1 bytes
  INGOT_WRONG_DTYPE = 6,          // index: the tensor; value given, limit wanted
  INGOT_WRONG_RANK = 7,           // index: the tensor; value given, limit wanted
  INGOT_WRONG_DEVICE = 8,         // index: the tensor; value given, limit wanted
  INGOT_WRONG_STRIDES = 9,  // index: the tensor; position: the axis; value given, limit wanted
  INGOT_WRONG_BYTES = 10,   // index: the tensor; value given, limit wanted
  INGOT_NULL_DATA = 11,     // index: the tensor, or the workspace; limit: the bytes it must have
  INGOT_WORKSPACE_TOO_SMALL = 12,  // value given, limit wanted
  INGOT_INDEX_OUT_OF_RANGE = 13,   // index: the kernel; position: element; value, limit: first bad
  INGOT_LIMIT_EXCEEDED = 14,  // index: the kernel; a loop or data-dependent size passed its bound
  INGOT_CANCELLED = 15,       // a callback of the caller returned nonzero; value: what it returned
  INGOT_UNSUPPORTED_OPTION = 16,  // the call asks for what this variant does not have
  INGOT_DEVICE_FAILED = 17,       // value: the device library's own code
  INGOT_INTERNAL = 99,            // a bug in Ingot
  INGOT_NO_VARIANT = 100,         // no variant that was asked for runs on this machine
  INGOT_SELF_TEST_FAILED = 101,   // the outputs are not the interpreter's bits
  INGOT_NOT_LOADED = 102,         // a file is missing, is no compiled model, or is too new
  INGOT_OUT_OF_MEMORY = 103       // the face or the loader could not allocate; value: bytes
};

// Which table ingot_error.index counts in.
enum ingot_where {
  INGOT_AT_CALL = 0,
  INGOT_AT_SYMBOL = 1,
  INGOT_AT_CONSTRAINT = 2,
  INGOT_AT_INPUT = 3,
  INGOT_AT_OUTPUT = 4,
  INGOT_AT_WORKSPACE = 5,
  INGOT_AT_KERNEL = 6
};

// Element types; zero is none. A boolean is one byte: zero is false, anything else is read as true,
// and true is written as 1.
enum ingot_dtype {
  INGOT_F32 = 1,
  INGOT_F64 = 2,
  INGOT_F16 = 3,
  INGOT_BF16 = 4,
  INGOT_I8 = 5,
  INGOT_I16 = 6,
  INGOT_I32 = 7,
  INGOT_I64 = 8,
  INGOT_U8 = 9,
  INGOT_U16 = 10,
  INGOT_U32 = 11,
  INGOT_U64 = 12,
  INGOT_BOOL = 13
};

// Where a tensor's memory is, and what a variant runs on.
enum ingot_device { INGOT_CPU = 0, INGOT_CUDA = 1, INGOT_ROCM = 2 };

enum ingot_architecture { INGOT_X86_64 = 1, INGOT_AARCH64 = 2 };

// ---- a call ------------------------------------------------------------------------------------

// Memory of one input or output. The caller owns it; compiled code never writes to an input.
// 40 bytes; ingot_call.tensor_bytes is the distance from one entry to the next.
typedef struct ingot_tensor {
  void* data;              //  0  aligned for its elements; may be null when bytes is 0
  uint64_t bytes;          //  8  size of the memory: exact for dense tensors, else at least
  const int64_t* strides;  // 16  null: dense, last axis fastest; else one per axis, in elements
  int32_t dtype;           // 24  ingot_dtype
  uint32_t rank;           // 28
  int32_t device;          // 32  ingot_device
  int32_t device_index;    // 36  which of them; 0 on a CPU
} ingot_tensor;

// Why a call failed. Written only when the status is not INGOT_OK. 48 bytes.
typedef struct ingot_error {
  uint64_t struct_bytes;  //  0  set by the caller to sizeof(ingot_error)
  int32_t status;         //  8  ingot_status, the same that the call returns
  int32_t where;          // 12  ingot_where
  uint32_t index;         // 16  which symbol, constraint, input, output or kernel
  uint32_t reserved;      // 20
  int64_t position;       // 24  axis or element, as the status says, else -1
  int64_t value;          // 32  what was found
  int64_t limit;          // 40  what it must be, or the bound that it breaks
} ingot_error;

// One piece of work of a parallel call; context is compiled code's own. Returns an ingot_status.
typedef int32_t (*ingot_task)(void* context, uint32_t index);

// Runs task(context, i) once for each i below count, in any order, on any threads, and returns when
// all have finished: 0, or nonzero if a task did (then later ones may be left out) or to cancel.
// count is at most ingot_call.threads. A task never calls parallel_for.
typedef int32_t (*ingot_parallel_for)(void* user, uint32_t count, ingot_task task, void* context);

enum ingot_phase { INGOT_BEGIN = 0, INGOT_END = 1 };

// What a probe is told before and after each kernel, or each block of rows of a kernel. 64 bytes.
typedef struct ingot_probe_event {
  uint64_t struct_bytes;       //  0
  uint32_t kernel;             //  8  index in ingot_model.kernels
  int32_t phase;               // 12  ingot_phase
  uint32_t task;               // 16  index of the parallel task that runs it; 0 outside of one
  uint32_t value_count;        // 20  entries of values; 0 at INGOT_BEGIN
  const ingot_tensor* values;  // 24  what the kernel wrote, for reading until the probe returns
  uint64_t tensor_bytes;       // 32  distance from one entry of values to the next
  int64_t first_row;           // 40  rows of the leading symbol that this block holds,
  int64_t row_count;           // 48  all of them when the kernel does not run in blocks
  const int64_t* symbols;      // 56  the call's
} ingot_probe_event;

// Called by run_probed; concurrently where the call is parallel. Nonzero cancels the call.
typedef int32_t (*ingot_probe)(void* user, const ingot_probe_event* event);

// One call of a model. 136 bytes. Nothing is kept after the call returns.
typedef struct ingot_call {
  uint64_t struct_bytes;   //   0  sizeof(ingot_call), or INGOT_CALL_REQUIRED_BYTES
  uint32_t symbol_count;   //   8
  uint32_t tensor_bytes;   //  12  sizeof(ingot_tensor)
  const int64_t* symbols;  //  16  values, in ingot_model.symbols' order; data-dependent: ignored
  const ingot_tensor* inputs;   //  24
  const ingot_tensor* outputs;  //  32
  uint32_t input_count;         //  40
  uint32_t output_count;        //  44
  void* workspace;              //  48  any alignment; contents need not survive and mean nothing
  uint64_t workspace_bytes;     //  56  at least what workspace_bytes() says
  ingot_error* error;           //  64  optional: details of a failure
  // Optional from here on: all zero, or not covered by struct_bytes, means not used.
  int64_t* true_symbols;            //  72  receives all symbols, data-dependent ones as computed
  uint32_t threads;                 //  80  what workspace_bytes() was asked for; 0 means 1
  uint32_t reserved;                //  84
  ingot_parallel_for parallel_for;  //  88  null: everything on the calling thread
  void* parallel_user;              //  96
  ingot_probe probe;                // 104  used by run_probed, ignored by run
  void* probe_user;                 // 112
  void* stream;                     // 120  a device variant's queue (cudaStream_t); null on a CPU
  void* instance;                   // 128  what a device variant's init filled; null on a CPU
} ingot_call;

enum { INGOT_CALL_REQUIRED_BYTES = 72 };

// ---- a model -----------------------------------------------------------------------------------
// Everything from here on is constant data in the compiled object: never written, valid as long as
// the object is loaded, readable from any thread. Text is UTF-8, ends in zero and is never null.

// A table: count items, item_bytes apart. Read it with ingot_item(). 16 bytes.
typedef struct ingot_array {
  const void* items;    //  0  null when count is 0
  uint32_t count;       //  8
  uint32_t item_bytes;  // 12
} ingot_array;

// One axis of a tensor. 24 bytes.
typedef struct ingot_dim {
  const char* text;   //  0  "64", "N", "2*N + 1"
  int64_t value;      //  8  the number, or -1 when it depends on symbols
  int32_t symbol;     // 16  which symbol, when it is one and nothing else; otherwise -1
  uint32_t reserved;  // 20
} ingot_dim;

// An input or output. 40 bytes.
typedef struct ingot_tensor_info {
  const char* name;       //  0  as in the model's file
  ingot_array dims;       //  8  ingot_dim, one per axis
  int32_t dtype;          // 24  ingot_dtype
  uint32_t strided_axes;  // 28  so many leading axes may have any stride; the others are dense
  uint64_t flags;         // 32
} ingot_tensor_info;

enum {
  INGOT_SYMBOL_DATA_DEPENDENT = 1,  // computed by the call; hi is its bound
  INGOT_SYMBOL_ROWS = 2             // a batch: each row's result is independent of the others
};

// A symbol: a number that a call chooses, within bounds. 40 bytes.
typedef struct ingot_symbol {
  const char* name;   //  0
  int64_t lo;         //  8  inclusive
  int64_t hi;         // 16  inclusive
  const char* bound;  // 24  data-dependent: its largest value as an expression in others; else ""
  uint64_t flags;     // 32
} ingot_symbol;

// A condition on symbols beyond their ranges, checked at entry. 16 bytes.
typedef struct ingot_constraint {
  const char* text;  //  0  "n_pf >= 17"
  uint64_t flags;    //  8
} ingot_constraint;

// A unit of work in the plan. Its index is its id in probe events and errors. 40 bytes.
typedef struct ingot_kernel {
  const char* name;    //  0  unique in the model and stable: "dense_1_MatMul"
  const char* kind;    //  8  map, reduce, contract, window, move, loop, call
  const char* source;  // 16  names of the model file's nodes that it computes, separated by spaces
  const char* flops;   // 24  operations per call as an expression in the symbols, or ""
  const char* bytes;   // 32  bytes read and written per call, weights included, or ""
} ingot_kernel;

// A symbol held to a range in a variant. 24 bytes.
typedef struct ingot_pin {
  uint32_t symbol;    //  0
  uint32_t reserved;  //  4
  int64_t lo;         //  8
  int64_t hi;         // 16
} ingot_pin;

struct ingot_variant;

typedef int32_t (*ingot_run)(const ingot_call* call);
typedef int32_t (*ingot_init)(const struct ingot_variant* variant, void* instance, uint64_t bytes,
                              int32_t device_index, ingot_error* error);
typedef void (*ingot_release)(void* instance);

// The least workspace for a call with these symbols, run by so many threads (0 means 1). Never
// falls when a symbol grows. Answers INGOT_OK, or why there is no such call.
typedef int32_t (*ingot_workspace_bytes)(const int64_t* symbols, uint32_t symbol_count,
                                         uint32_t threads, uint64_t* bytes);
// All dims of all inputs, then of all outputs, one after the other. A data-dependent symbol given
// as -1 stands for its bound.
typedef int32_t (*ingot_shapes)(const int64_t* symbols, uint32_t symbol_count, int64_t* dims);
// Three numbers per kernel: operations, bytes read, bytes written.
typedef int32_t (*ingot_costs)(const int64_t* symbols, uint32_t symbol_count, uint64_t* costs);

enum {
  INGOT_VARIANT_OTHER_BITS =
      1  // rounds otherwise than the model's interpreter; never chosen unasked
};

// One way to run the model. 112 bytes. All variants read the same weights, and all without
// INGOT_VARIANT_OTHER_BITS give the same bits. They are listed best first: the first without
// pins that the machine has is the one to take. A variant with pins serves only the values in
// them; the others turn to it by themselves, so that it need not be chosen.
typedef struct ingot_variant {
  const char* name;      //   0  "v3", "v4", "neon"
  int32_t device;        //   8  ingot_device
  int32_t architecture;  //  12  ingot_architecture, of the host code
  uint32_t level;        //  16  x86-64: 2, 3, 4 as in the psABI; aarch64: 80 is Armv8.0
  uint32_t reserved;     //  20
  const char* features;  //  24  needed beyond the level, by /proc/cpuinfo's names, spaces between
  ingot_array pins;      //  32  ingot_pin
  uint64_t flags;        //  48
  ingot_run run;         //  56
  ingot_run run_probed;  //  64  the same with probes, at its own cost; null when left out
  ingot_workspace_bytes workspace_bytes;  //  72  null: the model's
  uint64_t instance_bytes;                //  80  0: no instance, and null for the next two
  ingot_init init;                        //  88
  ingot_release release;                  //  96
  uint64_t instance_alignment;            // 104
} ingot_variant;

// Inputs made from a seed and the hash of the outputs' bits that the interpreter got for them.
// <ingot/self_test.h> is the definition. 32 bytes.
typedef struct ingot_self_test {
  uint64_t seed;           //  0
  const int64_t* symbols;  //  8  a value for each symbol of the model
  uint64_t hash;           // 16
  uint64_t flags;          // 24
} ingot_self_test;

enum {
  INGOT_MODEL_STRICT = 1  // every multiply-add rounds twice, on all variants
};

// A compiled model. 248 bytes.
typedef struct ingot_model {
  uint64_t struct_bytes;       //   0
  uint32_t abi_major;          //   8
  uint32_t abi_minor;          //  12  of the compiler that made this
  const char* name;            //  16  a C identifier, the namespace of a model that is alone
  const char* signature;       //  24  which of the model file's signatures; "" when it has none
  const char* source;          //  32  the model file's name without folders
  const char* version;         //  40  the user's own version text, or ""
  const char* ingot_version;   //  48
  const char* hash;            //  56  provenance: 32 lower-case hexadecimal digits
  uint64_t flags;              //  64
  ingot_array symbols;         //  72  ingot_symbol
  ingot_array constraints;     //  88  ingot_constraint
  ingot_array inputs;          // 104  ingot_tensor_info
  ingot_array outputs;         // 120  ingot_tensor_info
  ingot_array variants;        // 136  ingot_variant, best first
  ingot_array kernels;         // 152  ingot_kernel
  ingot_array self_tests;      // 168  ingot_self_test
  const void* weights;         // 184  aligned to weights_alignment; shared by all variants
  uint64_t weights_bytes;      // 192
  uint64_t weights_alignment;  // 200
  ingot_workspace_bytes workspace_bytes;  // 208
  ingot_shapes shapes;                    // 216
  ingot_costs costs;                      // 224  may be null
  const char* workspace_formula;          // 232  an upper bound of it, as text
  const char* manifest;                   // 240  NAME.json's text, or ""
} ingot_model;

// What a shared object exports as `ingot_models`: one model per signature or bundled model.
typedef struct ingot_model_list {
  uint64_t struct_bytes;             //  0
  uint32_t abi_major;                //  8
  uint32_t count;                    // 12
  const ingot_model* const* models;  // 16
} ingot_model_list;

#ifdef __cplusplus
}  // extern "C"
#endif

// The i-th item, or null beyond the end.
static inline const void* ingot_item(const ingot_array* array, uint32_t i) {
  size_t offset = i;
  offset *= array->item_bytes;
#ifdef __cplusplus
  return i < array->count ? static_cast<const char*>(array->items) + offset : nullptr;
#else
  return i < array->count ? (const char*)array->items + offset : NULL;
#endif
}

#ifdef __cplusplus
}  // namespace ingot_abi_1_0
#endif
#endif
#endif
