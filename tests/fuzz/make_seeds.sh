#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# usage: make_seeds.sh onnx|graphdef|tensor FOLDER [PROTOC]
# Makes the seeds of a fuzzer of a protobuf format, with protoc and our own schemas; those of models
# from the lines of seeds/*.txt.
set -euo pipefail
kind=$1
out=$2
protoc=${3:-protoc}
here=$(dirname "$(readlink -f "$0")")
import=$here/../../compiler/import
mkdir -p "$out"

# A line becomes the text form of its message on one line.
texts() {
  if [[ $kind != tensor ]]; then
    awk -v kind="$kind" -f "$here/seed_text.awk" "$here/seeds/$kind.txt"
    return
  fi
  cat <<'TEXT'
dims: 2 data_type: 1 float_data: [1, 2] name: "x"
dims: 0 data_type: 7
data_type: 11 double_data: 3
dims: [2, 2] data_type: 2 raw_data: "abcd"
dims: 3 data_type: 10 int32_data: [15360, 1, 2]
dims: 1 data_type: 13 uint64_data: 5
dims: 2 data_type: 1 data_location: EXTERNAL external_data { key: "location" value: "x.bin" }
TEXT
}

case $kind in
  onnx) schema=(onnx/onnx.proto ingot.onnx.ModelProto) ;;
  graphdef) schema=(tensorflow/graphdef.proto ingot.tensorflow.GraphDef) ;;
  tensor) schema=(onnx/onnx.proto ingot.onnx.TensorProto) ;;
  *) echo "no seeds are made for $kind" >&2 && exit 2 ;;
esac
number=0
while IFS= read -r text; do
  number=$((number + 1))
  "$protoc" -I "$import" --encode="${schema[1]}" "${schema[0]}" <<<"$text" >"$out/$number.pb"
done < <(texts)
