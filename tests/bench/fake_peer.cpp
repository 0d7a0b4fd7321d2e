// SPDX-License-Identifier: Apache-2.0
// An engine whose model file is a factor: every output is the input of its number times that. Words
// in the settings make it fail or take its time.
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "peer.h"

#ifndef FAKE_VERSION
#define FAKE_VERSION 1
#endif

namespace {

struct Session {
  float factor = 0;
  bool fails = false, slow = false, half = false, measures = false;
  std::vector<ingot_peer_tensor> inputs;
  std::vector<ingot_peer_tensor> described;
  std::vector<std::vector<float>> results;
};

void* open(const ingot_peer_model* model, char* error, std::size_t error_bytes) {
  const std::string settings = model->settings;
  if (settings.find("refuses") != std::string::npos) {
    std::snprintf(error, error_bytes, "it refuses\nfor several reasons");
    return nullptr;
  }
  auto* session = new Session;
  std::ifstream(model->path) >> session->factor;
  session->fails = settings.find("fails") != std::string::npos;
  session->slow = settings.find("slow") != std::string::npos;
  session->half = settings.find("half") != std::string::npos;
  session->measures = settings.find("measures") != std::string::npos;
  session->inputs.assign(model->inputs, model->inputs + model->input_count);
  session->described.assign(model->outputs, model->outputs + model->output_count);
  for (const ingot_peer_tensor& input : session->inputs) {
    if (reinterpret_cast<std::uintptr_t>(input.data) % 64 != 0) session->fails = true;
  }
  session->results.resize(model->output_count);
  return session;
}

int run(void* opaque, char* error, std::size_t error_bytes) {
  auto* session = static_cast<Session*>(opaque);
  if (session->fails) {
    std::snprintf(error, error_bytes, "it fails");
    return 1;
  }
  if (session->slow) std::this_thread::sleep_for(std::chrono::milliseconds(2));
  for (std::size_t i = 0; i < session->results.size(); ++i) {
    const auto* from = static_cast<const float*>(session->inputs[i].data);
    session->results[i].assign(from, from + session->inputs[i].bytes / sizeof(float));
    for (float& value : session->results[i]) value *= session->factor;
  }
  return 0;
}

int output(void* opaque, std::uint32_t i, ingot_peer_tensor* tensor) {
  auto* session = static_cast<Session*>(opaque);
  if (i >= session->results.size() || session->results[i].empty()) return 1;
  *tensor = session->described[i];
  tensor->data = session->results[i].data();
  tensor->bytes = session->results[i].size() * sizeof(float) / (session->half ? 2 : 1);
  return 0;
}

void close(void* session) { delete static_cast<Session*>(session); }

std::int64_t measure(void* opaque, double seconds, double* microseconds, std::size_t capacity,
                     char* error, std::size_t error_bytes) {
  const auto* session = static_cast<const Session*>(opaque);
  if (!session->measures) return 0;
  if (session->half) {
    std::snprintf(error, error_bytes, "no clock");
    return -1;
  }
  for (std::size_t i = 0; i < 3 && i < capacity; ++i)
    microseconds[i] = seconds * static_cast<double>(i);
  return 3;
}

}  // namespace

extern "C" const ingot_peer ingot_peer_plugin = {FAKE_VERSION, "Fake", open,   run,
                                                 output,       close,  measure};
