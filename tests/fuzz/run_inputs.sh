#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# usage: run_inputs.sh FUZZ_INPUTS NAME PROTOC
# The seeds and the committed inputs of one target.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
folders=()
case $2 in
  onnx | graphdef | tensor) "$here/make_seeds.sh" "$2" "$work" "$3" && folders+=("$work") ;;
  text) folders+=("$here/models") ;;
  saved_model)
    for model in "$here"/../keras/kept/*/model; do cp "$model/saved_model.pb" "$work/$(basename "${model%/model}").pb"; done
    folders+=("$work")
    ;;
esac
for folder in "$here/$2" "$here/corpus/$2"; do
  [[ ! -d $folder ]] || folders+=("$folder")
done
"$1" "$2" "${folders[@]}"
