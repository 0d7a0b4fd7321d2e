#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Three signatures of a SavedModel of TensorFlow's in one object, against TensorFlow's results.
# shellcheck source=tests/e2e/scratch.bash
source "$(dirname "${BASH_SOURCE[0]}")/scratch.bash"

shared=$INGOT_ROOT/../shared/saved-models/module-three-signatures
[[ -d $shared ]] || { echo "no ../shared/saved-models: signatures of TensorFlow's were not tried"; exit 77; }
said=$("$INGOT" verify "$shared" --engine compiled --signature serving_default,embed,pair)
[[ $said == "9 passed, 0 failed, 0 skipped" ]] || die "verify of three in one object: $said"
said=$("$INGOT" verify "$shared" --engine compiled --signature pair)
[[ $said == "3 passed, 0 failed, 0 skipped" ]] || die "verify of one: $said"
said=$("$INGOT" verify "$shared" --engine compiled --signature pair,none 2>&1) && die "verify of one that is not there"
[[ $said == "ingot: --signature none: no case in $shared has it" ]] || die "verify of one that is not there: $said"

# What is equal in all three is there once.
bytes() { jq '.weights.bytes' "$1"; }
apart=0
for signature in serving_default embed pair; do
  "$INGOT" compile "$shared/model" -o "$signature" --name net --signature "$signature" >/dev/null
  apart=$((apart + $(bytes "$signature/net.json")))
done
"$INGOT" compile "$shared/model" -o all --name net --signature serving_default,embed,pair >/dev/null
together=$(bytes all/net.json)
((together > 0 && together < apart)) || die "$together bytes of weights together, $apart apart"
echo "$together bytes of weights together, $apart apart"
