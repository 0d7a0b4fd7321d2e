// SPDX-License-Identifier: Apache-2.0
// A model written by hand to docs/abi.md: what compiled code does at entry, in C++. It drives the
// tests of the face and of the loader without a compiler.
//   dense/BiasAdd[i] = {mask[i] ? pixels[i][0] : pixels[i][1], k},  class[i] = i
#include <ingot/abi.h>

#include <cstring>

namespace {

constexpr ingot_dim pixel_dims[] = {{"N", -1, 0, 0}, {"3", 3, -1, 0}};
constexpr ingot_dim row_dims[] = {{"N", -1, 0, 0}};
constexpr ingot_dim sum_dims[] = {{"N", -1, 0, 0}, {"2", 2, -1, 0}};
constexpr ingot_tensor_info inputs[] = {
    {"pixels:0", {pixel_dims, 2, sizeof(ingot_dim)}, INGOT_F32, 0, 0},
    {"mask", {row_dims, 1, sizeof(ingot_dim)}, INGOT_BOOL, 0, 0}};
constexpr ingot_tensor_info outputs[] = {
    {"dense/BiasAdd", {sum_dims, 2, sizeof(ingot_dim)}, INGOT_F32, 0, 0},
    {"class", {row_dims, 1, sizeof(ingot_dim)}, INGOT_I32, 0, 0}};
constexpr ingot_symbol symbols[] = {{"N", 0, 1000, "", INGOT_SYMBOL_ROWS}, {"k", 0, 64, "", 0}};
constexpr ingot_constraint constraints[] = {{"N + 60 >= k", 0}};
constexpr ingot_kernel kernels[] = {{"choose", "map", "Where Concat", "0", "21*N"}};
constexpr ingot_pin one_row[] = {{0, 0, 1, 1}};
constexpr int64_t self_test_symbols[] = {3, 2};
constexpr ingot_self_test self_tests[] = {{7, self_test_symbols, 0xd7fcba23d3f23c69, 0}};
alignas(64) constexpr char weights[64] = {};

int32_t fail(const ingot_call* call, int32_t status, int32_t where, uint32_t index, int64_t value,
             int64_t limit, int64_t position = -1) {
  ingot_error* error = call->error;
  if (error != nullptr) {
    error->status = status;
    error->where = where;
    error->index = index;
    error->position = position;
    error->value = value;
    error->limit = limit;
  }
  return status;
}

int32_t check_symbols(const ingot_call* call, const int64_t* values) {
  for (uint32_t i = 0; i < 2; ++i) {
    const bool low = values[i] < symbols[i].lo;
    if (!low && values[i] <= symbols[i].hi) continue;
    return fail(call, INGOT_SYMBOL_OUT_OF_RANGE, INGOT_AT_SYMBOL, i, values[i],
                low ? symbols[i].lo : symbols[i].hi);
  }
  if (values[0] + 60 < values[1]) {
    return fail(call, INGOT_CONSTRAINT_VIOLATED, INGOT_AT_CONSTRAINT, 0, values[0] + 60, values[1]);
  }
  return INGOT_OK;
}

const ingot_tensor* entry(const ingot_call* call, const ingot_tensor* list, uint32_t i) {
  return reinterpret_cast<const ingot_tensor*>(reinterpret_cast<const char*>(list) +
                                               size_t{i} * call->tensor_bytes);
}

int32_t check_tensors(const ingot_call* call, const ingot_tensor* list, int32_t where,
                      const ingot_tensor_info* infos) {
  for (uint32_t i = 0; i < 2; ++i) {
    const ingot_tensor* tensor = entry(call, list, i);
    const ingot_tensor_info& info = infos[i];
    uint64_t bytes = info.dtype == INGOT_BOOL ? 1 : 4;
    for (uint32_t axis = 0; axis < info.dims.count; ++axis) {
      const auto* dim = static_cast<const ingot_dim*>(ingot_item(&info.dims, axis));
      bytes *= static_cast<uint64_t>(dim->symbol >= 0 ? call->symbols[dim->symbol] : dim->value);
    }
    const auto wrong = [&](int32_t status, int64_t value, int64_t limit) {
      return fail(call, status, where, i, value, limit);
    };
    if (tensor->dtype != info.dtype) return wrong(INGOT_WRONG_DTYPE, tensor->dtype, info.dtype);
    if (tensor->rank != info.dims.count) {
      return wrong(INGOT_WRONG_RANK, tensor->rank, info.dims.count);
    }
    if (tensor->device != INGOT_CPU) return wrong(INGOT_WRONG_DEVICE, tensor->device, INGOT_CPU);
    if (tensor->strides != nullptr) return wrong(INGOT_WRONG_STRIDES, tensor->strides[0], 0);
    if (tensor->bytes != bytes) {
      return wrong(INGOT_WRONG_BYTES, static_cast<int64_t>(tensor->bytes),
                   static_cast<int64_t>(bytes));
    }
    if (tensor->data == nullptr && bytes != 0) {
      return wrong(INGOT_NULL_DATA, 0, static_cast<int64_t>(bytes));
    }
  }
  return INGOT_OK;
}

int32_t workspace_bytes(const int64_t* values, uint32_t count, uint32_t threads, uint64_t* bytes) {
  *bytes = 0;
  const ingot_call nothing = {};
  if (count != 2) return INGOT_WRONG_COUNT;
  if (const int32_t status = check_symbols(&nothing, values)) return status;
  *bytes = (8 * static_cast<uint64_t>(values[0]) + 64) * (threads > 1 ? threads : 1);
  return INGOT_OK;
}

int32_t shapes(const int64_t* values, uint32_t count, int64_t* dims) {
  const ingot_call nothing = {};
  if (count != 2) return INGOT_WRONG_COUNT;
  if (const int32_t status = check_symbols(&nothing, values)) return status;
  const int64_t n = values[0];
  const int64_t all[] = {n, 3, n, n, 2, n};
  std::memcpy(dims, all, sizeof all);
  return INGOT_OK;
}

struct Rows {
  const ingot_call* call;
  uint32_t tasks;
};

int32_t run_rows(void* context, uint32_t task) {
  const auto* rows = static_cast<const Rows*>(context);
  const ingot_call* call = rows->call;
  const int64_t n = call->symbols[0];
  const auto* pixels = static_cast<const float*>(entry(call, call->inputs, 0)->data);
  const auto* mask = static_cast<const uint8_t*>(entry(call, call->inputs, 1)->data);
  auto* sum = static_cast<float*>(entry(call, call->outputs, 0)->data);
  auto* index = static_cast<int32_t*>(entry(call, call->outputs, 1)->data);
  for (int64_t i = n * task / rows->tasks; i < n * (task + 1) / rows->tasks; ++i) {
    sum[2 * i] = mask[i] != 0 ? pixels[3 * i] : pixels[3 * i + 1];
    sum[2 * i + 1] = static_cast<float>(call->symbols[1]);
    index[i] = static_cast<int32_t>(i);
  }
  return INGOT_OK;
}

template <class Field>
bool covers(const ingot_call* call, const Field* field) {
  return call->struct_bytes >= static_cast<uint64_t>(reinterpret_cast<const char*>(field + 1) -
                                                     reinterpret_cast<const char*>(call));
}

int32_t run_any(const ingot_call* call, bool probed) {
  // A shorter call has no place for details.
  if (call->struct_bytes < INGOT_CALL_REQUIRED_BYTES) return INGOT_BAD_CALL;
  if (call->tensor_bytes < sizeof(ingot_tensor)) {
    return fail(call, INGOT_BAD_CALL, INGOT_AT_CALL, 0, call->tensor_bytes, sizeof(ingot_tensor));
  }
  const auto count = [&](int32_t where, uint32_t given) {
    return given == 2 ? INGOT_OK : fail(call, INGOT_WRONG_COUNT, where, 0, given, 2);
  };
  if (const int32_t s = count(INGOT_AT_SYMBOL, call->symbol_count)) return s;
  if (const int32_t s = count(INGOT_AT_INPUT, call->input_count)) return s;
  if (const int32_t s = count(INGOT_AT_OUTPUT, call->output_count)) return s;
  if (const int32_t s = check_symbols(call, call->symbols)) return s;
  if (const int32_t s = check_tensors(call, call->inputs, INGOT_AT_INPUT, inputs)) return s;
  if (const int32_t s = check_tensors(call, call->outputs, INGOT_AT_OUTPUT, outputs)) return s;
  const uint32_t threads = covers(call, &call->threads) && call->threads > 1 ? call->threads : 1;
  uint64_t needed = 0;
  workspace_bytes(call->symbols, 2, threads, &needed);
  if (call->workspace_bytes < needed) {
    return fail(call, INGOT_WORKSPACE_TOO_SMALL, INGOT_AT_WORKSPACE, 0,
                static_cast<int64_t>(call->workspace_bytes), static_cast<int64_t>(needed));
  }
  if (call->workspace == nullptr) {
    return fail(call, INGOT_NULL_DATA, INGOT_AT_WORKSPACE, 0, 0, static_cast<int64_t>(needed));
  }

  ingot_probe_event event = {};
  event.struct_bytes = sizeof event;
  event.tensor_bytes = call->tensor_bytes;
  event.row_count = call->symbols[0];
  event.symbols = call->symbols;
  const auto probe = [&](int32_t phase) {
    if (!probed || !covers(call, &call->probe_user) || call->probe == nullptr) return 0;
    event.phase = phase;
    event.values = phase == INGOT_END ? call->outputs : nullptr;
    event.value_count = phase == INGOT_END ? 2 : 0;
    return call->probe(call->probe_user, &event);
  };
  if (const int32_t stop = probe(INGOT_BEGIN)) {
    return fail(call, INGOT_CANCELLED, INGOT_AT_KERNEL, 0, stop, 0);
  }
  Rows rows = {call, threads};
  if (threads > 1 && covers(call, &call->parallel_user) && call->parallel_for != nullptr) {
    const int32_t stop = call->parallel_for(call->parallel_user, threads, run_rows, &rows);
    if (stop != 0) return fail(call, INGOT_CANCELLED, INGOT_AT_KERNEL, 0, stop, 0);
  } else {
    for (uint32_t task = 0; task < threads; ++task) run_rows(&rows, task);
  }
  if (const int32_t stop = probe(INGOT_END)) {
    return fail(call, INGOT_CANCELLED, INGOT_AT_KERNEL, 0, stop, 0);
  }
  if (covers(call, &call->true_symbols) && call->true_symbols != nullptr) {
    std::memcpy(call->true_symbols, call->symbols, 2 * sizeof(int64_t));
  }
  return INGOT_OK;
}

int32_t run(const ingot_call* call) { return run_any(call, false); }
int32_t run_probed(const ingot_call* call) { return run_any(call, true); }

#if defined(__aarch64__)
constexpr int32_t here = INGOT_AARCH64;
#else
constexpr int32_t here = INGOT_X86_64;
#endif

// "never" is for no machine that exists, "pinned" must not be chosen unasked.
constexpr ingot_variant variants[] = {{"never",
                                       INGOT_CPU,
                                       here,
                                       1000,
                                       0,
                                       "",
                                       {nullptr, 0, 0},
                                       0,
                                       run,
                                       nullptr,
                                       nullptr,
                                       0,
                                       nullptr,
                                       nullptr,
                                       0},
                                      {"pinned",
                                       INGOT_CPU,
                                       here,
                                       1,
                                       0,
                                       "",
                                       {one_row, 1, sizeof(ingot_pin)},
                                       0,
                                       run,
                                       nullptr,
                                       nullptr,
                                       0,
                                       nullptr,
                                       nullptr,
                                       0},
                                      {"loose",
                                       INGOT_CPU,
                                       here,
                                       1,
                                       0,
                                       "",
                                       {nullptr, 0, 0},
                                       INGOT_VARIANT_OTHER_BITS,
                                       run,
                                       nullptr,
                                       nullptr,
                                       0,
                                       nullptr,
                                       nullptr,
                                       0},
                                      {"plain",
                                       INGOT_CPU,
                                       here,
                                       1,
                                       0,
                                       "",
                                       {nullptr, 0, 0},
                                       0,
                                       run,
                                       run_probed,
                                       nullptr,
                                       0,
                                       nullptr,
                                       nullptr,
                                       0},
                                      {"second",
                                       INGOT_CPU,
                                       here,
                                       1,
                                       0,
                                       "",
                                       {nullptr, 0, 0},
                                       0,
                                       run,
                                       nullptr,
                                       nullptr,
                                       0,
                                       nullptr,
                                       nullptr,
                                       0}};

template <class Item, size_t N>
constexpr ingot_array table(const Item (&items)[N]) {
  return {items, N, sizeof(Item)};
}

}  // namespace

extern "C" {

extern const ingot_model fake_header_and_object_are_from_one_ingot_compile_3f9a70b1c2d4e5f6 = {
    sizeof(ingot_model),
    INGOT_ABI_MAJOR,
    INGOT_ABI_MINOR,
    "fake",
    "serving_default",
    "fake.onnx",
    "v2",
    "0.1.0",
    "3f9a70b1c2d4e5f60718293a4b5c6d7e",
    0,
    table(symbols),
    table(constraints),
    table(inputs),
    table(outputs),
    table(variants),
    table(kernels),
    table(self_tests),
    weights,
    sizeof weights,
    64,
    workspace_bytes,
    shapes,
    nullptr,
    "8*N + 64",
    ""};

#ifdef INGOT_FAKE_SHARED
static const ingot_model* const models[] = {
    &fake_header_and_object_are_from_one_ingot_compile_3f9a70b1c2d4e5f6};
extern const ingot_model_list ingot_models = {sizeof(ingot_model_list), INGOT_FAKE_SHARED, 1,
                                              models};
#endif
}
