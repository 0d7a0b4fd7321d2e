#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Makes the binary seeds of the fuzzers from readable ones, with protoc and our own schemas.
set -euo pipefail
cd "$(dirname "$0")"
import=../../compiler/import
protoc -I $import/onnx --encode=ingot.onnx.ModelProto $import/onnx/onnx.proto <<'TEXT' >model/dense.onnx
ir_version: 8
opset_import { version: 13 }
graph {
  name: "dense"
  node { op_type: "Gemm" name: "dense" input: "x" input: "w" input: "b" output: "h" }
  node { op_type: "Softmax" name: "softmax" input: "h" output: "y" attribute { name: "axis" type: INT i: 1 } }
  node { op_type: "Shape" input: "x" output: "s" }
  node { op_type: "Reshape" input: "y" input: "s2" output: "z" }
  initializer { name: "w" data_type: 1 dims: 3 dims: 2 float_data: [1, 2, 3, 4, 5, 6] }
  initializer { name: "b" data_type: 1 dims: 2 float_data: [0.5, -0.5] }
  initializer { name: "s2" data_type: 7 dims: 2 int64_data: [-1, 1] }
  input { name: "x" type { tensor_type { elem_type: 1 shape { dim { dim_param: "N" } dim { dim_value: 3 } } } } }
  output { name: "z" type { tensor_type { elem_type: 1 } } }
}
TEXT
protoc -I $import/tensorflow --encode=ingot.tensorflow.GraphDef $import/tensorflow/graphdef.proto <<'TEXT' >model/dense.pb
node { name: "x" op: "Placeholder" attr { key: "dtype" value { type: 1 } }
       attr { key: "shape" value { shape { dim { size: -1 } dim { size: 3 } } } } }
node { name: "w" op: "Const" attr { key: "dtype" value { type: 1 } }
       attr { key: "value" value { tensor { dtype: 1 tensor_shape { dim { size: 3 } dim { size: 2 } } float_val: [1, 2, 3] } } } }
node { name: "p" op: "MatMul" input: "x" input: "w" attr { key: "T" value { type: 1 } } }
node { name: "y" op: "Softmax" input: "p" attr { key: "T" value { type: 1 } } }
TEXT
