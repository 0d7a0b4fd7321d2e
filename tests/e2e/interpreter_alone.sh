#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The interpreter is an oracle only if it knows nothing of what it is to check: no file of ops/, ir/
# and base/ sees a header of plan/, target/, write/ or passes/, or of LLVM, not even through others.
set -euo pipefail
cd "$INGOT_ROOT"
sources=$(find compiler/base compiler/ir compiler/ops -name '*.cpp' ! -name '*_test.cpp' ! -name '*_fuzz.cpp')
seen=$(for source in $sources; do
  "$CXX" -std=c++20 -MM -Icompiler -Iinclude "$source"
done | tr ' \\' '\n\n' | grep -E '\.(h|def|inc)$' | sort -u)
bad=$(grep -E 'compiler/(plan|target|write|passes|import)/|llvm' <<<"$seen" || true)
[[ -z $bad ]] || { echo "failed: the interpreter sees" $bad; exit 1; }
grep -q 'compiler/ops/interpret.h' <<<"$seen" || { echo "failed: the interpreter was not among the files"; exit 1; }
# The check sees what it is to see.
grep -q 'compiler/plan/' <<<"$("$CXX" -std=c++20 -MM -Icompiler -Iinclude compiler/plan/lower.cpp)" || exit 1
echo "$(wc -w <<<"$sources") files of base/, ir/ and ops/ include $(wc -l <<<"$seen") headers, none of plan/ or target/"
