#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Some of the models that tests/keras/saved_models.py writes give what TensorFlow gave: layers as
# Keras 2 and 3 export them, loops, branches and arrays.
set -euo pipefail
out=$("$INGOT" verify "$INGOT_ROOT/tests/keras/kept" --engine compiled) || { echo "$out"; exit 1; }
[[ $(tail -n 1 <<<"$out") =~ ^[1-9][0-9]*\ passed,\ 0\ failed,\ 0\ skipped$ ]] || { echo "$out"; exit 1; }
echo "$out"
