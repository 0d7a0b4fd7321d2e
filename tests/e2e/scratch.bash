# shellcheck shell=bash disable=SC2034
# SPDX-License-Identifier: Apache-2.0
# What the scripts beside it begin with: a folder of their own to work in, gone when they end, and two
# ways to fail. $build is the build under test.
set -euo pipefail
build=$(dirname "$INGOT") work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
die() { echo "failed: $*"; exit 1; }
# quiet COMMAND...: what it says stands in ./log, and is shown if it fails.
quiet() { "$@" >log 2>&1 || { cat log; die "$*"; }; }
