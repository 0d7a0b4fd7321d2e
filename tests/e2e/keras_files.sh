#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Keras' own files give what Keras gave, interpreted and compiled; inspect, check and run take them as
# any other model.
set -euo pipefail
files=$INGOT_ROOT/tests/keras/files
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
model=$files/Functional-3-keras3-keras/model.keras
if "$INGOT" check "$model" 2>&1 | grep -q 'was built without'; then
  echo "skipped: this build has no HDF5 or no libzip"
  exit 77
fi
for engine in interpreter compiled; do
  said=$("$INGOT" verify "$files" --engine $engine)
  echo "$engine: $said"
  [[ $said == *'16 passed, 0 failed, 0 skipped' ]]
done
"$INGOT" inspect "$model" >"$work/inspect"
grep -q 'out  concatenate  f32' "$work/inspect"
"$INGOT" check "$model" --json | jq -e '.compiles and (.format | startswith("Keras 3"))' >/dev/null
"$INGOT" compile "$files/RNN-1-keras2-h5/model.h5" -o "$work" --name rnn
[[ -s $work/rnn.o && -s $work/rnn.h ]]
