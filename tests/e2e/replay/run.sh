#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# usage: run.sh. `./dev replay` in a copy of the tree with a history of its own: nothing to compile where
# only documents and tests differ, no difference where a comment of a pass does, and a seeded fault of
# that pass in the one model of three that it concerns, whether it is committed or not. Builds the tool
# once and twice a file of it: minutes.
set -euo pipefail
root=$(readlink -f "$(dirname "$(readlink -f "$0")")/../../..")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
die() { echo "failed: $*" && exit 1; }

mkdir "$work/ingot"
(cd "$root" && git ls-files -z --cached --others --exclude-standard | xargs -0 ls -d 2>/dev/null | tar -cf - -T -) |
  tar -xf - -C "$work/ingot"
cd "$work/ingot"
git init -q -b main
git config user.name replay
git config user.email replay@example.org
commit() { git add -A && git commit -q -m "$1"; }
commit 'the tree'

# replay ARGUMENT...: what it says stands in $said.
only='^(slices|embedding|fold_scales[.]01)$'
replay() {
  echo "\$ ./dev replay $*"
  said=$(./dev replay "$@" 2>&1) || die "$said"
  echo "$said"
}
# changed: the models that are listed.
changed() { awk '/^model / { on = 1; next } /^dev:/ { on = 0 } on { printf "%s ", $1 }' <<<"$said"; }

echo '<!-- -->' >>docs/numerics.md
echo '// A line more.' >>compiler/passes/pipeline_test.cpp
echo '// A line more.' >>tests/abi/face_test.cpp
commit 'documents and tests'
replay HEAD~1 HEAD
[[ $said == *'nothing that plans and assembly depend on changes'* ]] || die "only documents and tests differ"
[[ ! -e build/replay/tree ]] || die "something was built for documents and tests"

echo '// A line more.' >>compiler/passes/fold_scales.cpp
commit 'a comment'
replay HEAD~1 HEAD --only "$only"
[[ $said == *'0 of 3 models change'* && -z $(changed) ]] || die "a comment changes nothing"

git apply tests/faults/07_scale_sign.patch
replay --only "$only"
[[ $said == *'1 of 3 models change'*'to the working tree'* && $(changed) == 'fold_scales.01 ' ]] ||
  die "the fault is in fold_scales"
before=$(changed)
[[ -s build/replay/diff/fold_scales.01.asm ]] || die "the difference is not kept"
commit 'a fault'
rm -rf build/replay/tree/build
replay HEAD~1 HEAD --only "$only"
[[ $said == *'1 of 3 models change'* && $(changed) == "$before" ]] || die "committed, the fault is as it was before"
[[ ! -e build/replay/tree/build ]] || die "what is known of a state was made again"

status=0
said=$(./dev replay HEAD~2 HEAD --only no-such-model 2>&1) || status=$?
[[ $status == 1 && $said == *"no model's name matches 'no-such-model'; there are: digits "* ]] || die "$said"
echo "./dev replay says what changes, and only that"
