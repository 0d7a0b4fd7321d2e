// SPDX-License-Identifier: Apache-2.0
// The interface of the model that tests/abi/fake_model.cpp is by hand: two inputs, two outputs with
// awkward names, two symbols, a constraint.
#pragma once

#include "write/interface.h"

namespace ingot {

inline write::Interface fake_interface() {
  write::Interface model;
  model.name = "fake";
  model.signature = "serving_default";
  model.source = "fake.onnx";
  model.version = "v2";
  model.ingot_version = "0.1.0";
  model.hash = "3f9a70b1c2d4e5f60718293a4b5c6d7e";
  const write::AxisInterface rows{"N", -1, 0};
  model.inputs = {{"pixels:0", INGOT_F32, {rows, {"3", 3, -1}}, 0},
                  {"mask", INGOT_BOOL, {rows}, 0}};
  model.outputs = {{"dense/BiasAdd", INGOT_F32, {rows, {"2", 2, -1}}, 0},
                   {"class", INGOT_I32, {rows}, 0}};
  model.symbols = {{"N", 0, 1000, false, true, ""}, {"k", 0, 64, false, false, ""}};
  model.constraints = {"N + 60 >= k"};
  model.variants = {{"v4", INGOT_CPU, INGOT_X86_64, 4, "", {}, false, "run_v4", "probed_v4", ""},
                    {"v3", INGOT_CPU, INGOT_X86_64, 3, "", {{0, 1, 1}}, false, "run_v3", "", ""},
                    {"v2", INGOT_CPU, INGOT_X86_64, 2, "", {}, false, "run_v3", "", ""}};
  model.kernels = {{"choose", "map", "Where Concat", "0", "21*N"}};
  model.self_tests = {{7, {3, 2}, 0xd7fcba23d3f23c69}};
  model.weights = "weights";
  model.weights_bytes = 64;
  model.workspace_bytes = "workspace";
  model.shapes = "shapes";
  model.workspace_formula = "8*N + 64";
  model.buffers = {{"sums", "f32", "[N, 2]", "0", "8*N", 0, 0}};
  model.constants = {{"w", "[4, 4]", "panels of 32", 0, 64}};
  model.passes = {{"fold-constants", "exact", 2, 12, 9, {"folded a Shape"}}};
  model.options = {{"--isa", "v2,v3,v4"}};
  return model;
}

/// Two models of one object, `two`: the same under another name, and one with nothing to choose.
inline std::vector<write::Interface> fake_interfaces() {
  write::Interface fake = fake_interface(), plain = fake_interface();
  fake.name = "two_fake";
  fake.entry = "fake";
  plain.name = "two_class";
  plain.entry = "class_";
  plain.signature = "class";
  plain.symbols.clear();
  plain.constraints.clear();
  plain.variants[1].pins.clear();
  plain.self_tests.clear();
  plain.inputs = {{"x", INGOT_F32, {{"3", 3, -1}}, 0}};
  plain.outputs = {{"y", INGOT_F32, {{"2", 2, -1}}, 0}};
  plain.workspace_formula = "0";
  return {fake, plain};
}

}  // namespace ingot
