/* SPDX-License-Identifier: Apache-2.0 */
/* What `ingot bench` knows of an engine of others: a shared object with one symbol,
 * `ingot_peer_plugin`, which wraps the engine's own C or C++ interface and is built against the
 * engine's own headers by
 * `./dev peers-setup`. So the tool needs none of them, and an engine that is not here yet is a file
 * beside these. One thread at a time. Nothing prints; no function throws. */
#ifndef INGOT_BENCH_PEER_H
#define INGOT_BENCH_PEER_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A dense, row-major tensor. dtype as ingot_dtype of <ingot/abi.h>. */
typedef struct ingot_peer_tensor {
  const char* name; /* as in the model's file */
  int32_t dtype;
  uint32_t rank;
  const int64_t* shape;
  void* data;
  uint64_t bytes;
} ingot_peer_tensor;

typedef struct ingot_peer_model {
  const char* path;     /* what prepare.py made for this engine */
  const char* settings; /* the engine's part of settings.yaml, as JSON */
  const ingot_peer_tensor* inputs;
  uint32_t input_count;
  const ingot_peer_tensor* outputs; /* names, dtypes and shapes as Ingot has them; data is null */
  uint32_t output_count;
} ingot_peer_model;

typedef struct ingot_peer {
  uint32_t version; /* of this interface: 1 */
  const char* name;
  /* Reads, compiles and holds the model. Null on failure, with the reason in `error`. The tensors
   * of `model` outlive the session. */
  void* (*open)(const ingot_peer_model* model, char* error, size_t error_bytes);
  /* One call as a user makes it, inputs read from the caller's memory and outputs ready to be read:
   * bound or copied, whatever is faster for this engine. 0 or a failure. */
  int (*run)(void* session, char* error, size_t error_bytes);
  /* Output i of the last run, valid until the next one. 0 or a failure. */
  int (*output)(void* session, uint32_t i, ingot_peer_tensor* tensor);
  void (*close)(void* session);
  /* For an engine that is timed by a tool of its own, in a process of its own: fills at most
   * `capacity` times of a call in microseconds from about `seconds` of calls and says how many, or
   * a negative number. 0 or null for all others. */
  int64_t (*measure)(void* session, double seconds, double* microseconds, size_t capacity,
                     char* error, size_t error_bytes);
} ingot_peer;

extern __attribute__((visibility("default"))) const ingot_peer ingot_peer_plugin;

#ifdef __cplusplus
}
#endif

#endif
