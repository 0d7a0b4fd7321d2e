#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The Keras files of ../shared/saved-models against their references.
set -euo pipefail
models=${INGOT_SHARED:-$INGOT_ROOT/../shared}/saved-models
if [[ ! -d $models ]]; then
  echo "skipped: no $models"
  exit 77
fi
folders=("$models"/{h5-keras2-lstm,h5-keras3-dense,zip-conv2d,zip-rnn})
if "$INGOT" check "${folders[0]}/model.h5" 2>&1 | grep -q 'was built without'; then
  echo "skipped: this build has no HDF5"
  exit 77
fi
for engine in interpreter compiled; do
  said=$("$INGOT" verify "${folders[@]}" --engine $engine)
  echo "$engine: $said"
  [[ $said == *'12 passed, 0 failed, 0 skipped' ]]
done
