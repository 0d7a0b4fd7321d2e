#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# `ingot reduce` makes the digits model as small as a script allows: down to one node, or to the few
# that a pass needs to fire; what it gives is a model like any other. It says so when a script is of
# no use.
# shellcheck source=tests/e2e/scratch.bash
source "$(dirname "${BASH_SOURCE[0]}")/scratch.bash"
PATH=$(dirname "$INGOT"):$PATH
model=$INGOT_ROOT/examples/digits/digits.onnx
nodes() { grep -cE '= [a-z_0-9]+\(' "$1" || true; }
script() { { echo '#!/bin/sh'; cat; } >"$1" && chmod +x "$1"; }

script exp.sh <<<'grep -q "= exp(.*)" "$1" && ! grep -q "exp(.*: f32\[\]" "$1"'
ingot reduce "$model" --script ./exp.sh -o exp.ingot 2>log
[[ $(nodes exp.ingot) == 1 ]] || { cat exp.ingot && die "one exp would have been enough"; }
grep -q constant exp.ingot && die "an exp needs no constants"
ingot compile exp.ingot -o out >/dev/null || die "what is left cannot be compiled"

# As one who looks for what makes a pass fire.
before=$(ingot inspect "$model" | sed -n 's/^ *[0-9]* times //p' | head -n 1)
script fires.sh <<<"ingot inspect \"\$1\" | grep -q ' times $before'"
ingot reduce "$model" --script fires.sh >fires.ingot 2>log
(($(nodes fires.ingot) <= 3)) || { cat fires.ingot && die "more than three nodes are left for $before"; }
./fires.sh fires.ingot || die "$before does not fire any more"
all=$(ingot inspect "$model" | sed -n 's/^ops: \([0-9]*\) .*/\1/p')

script no.sh <<<'exit 3'
status=0
ingot reduce "$model" --script no.sh 2>log || status=$?
grep -q 'no.sh gives exit status 3 for the whole model' log && ((status == 2)) || die "$(cat log)"
echo "$all nodes become 1 with an exp, and $(nodes fires.ingot) for which $before fires"
