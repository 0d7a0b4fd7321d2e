#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The dense production models of ../shared/models through model_sweep.
# usage: shared_models.sh MODEL_SWEEP MODELS_FOLDER
set -euo pipefail
[[ -d $2 ]] || { echo "skipped: $2 is not on this machine"; exit 77; }
cd "$2"
"$1" trackdnn-* ele-pfid-* photon-pfid-eb oiseeding-hb emtf-displ-10 l1-tau-3layer ticl-supercls \
  deeptau-2018v2p5-inner deeptau-2018v2p5-outer
