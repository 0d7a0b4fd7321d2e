#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The production models of ../shared/models through model_sweep: the small ones, or with --all the
# convolutional ones too, which the interpreter takes minutes for.
# usage: shared_models.sh MODEL_SWEEP MODELS_FOLDER [--all]
set -euo pipefail
[[ -d $2 ]] || { echo "skipped: $2 is not on this machine"; exit 77; }
small=(trackdnn-* ele-pfid-* photon-pfid-eb oiseeding-hb emtf-displ-10 l1-tau-3layer ticl-supercls
  deeptau-*-inner deeptau-*-outer dt-occupancy-cnn hgcal-* nnvtx-pattern)
large=(deeptau-*-core deepmet deepcore-2017 displaced-regional ecal-eem-resnet deepboostedjet-full
  higgs-interaction-net ticl-energy-id-tf)
cd "$2"
models=(${small[@]})
[[ ${3:-} == --all ]] && models+=(${large[@]})
"$1" "${models[@]}"
