#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# usage: run.sh INGOT CALL ROOT PROTOC [PATTERN]. Runs the cases beside this script (those whose
# names fit the shell pattern), each in bounded time and memory; INGOT_BLESS=1 rewrites what they expect, and docs/errors.md, which lists them. A case is
# what a user did, in sections that begin with a line of three dashes:
#
#     The first lines say what is wrong.
#     --- onnx model.onnx        a file made from the text form of its protobuf message
#     --- graphdef model.pb      the same for TensorFlow
#     --- savedmodel m/saved_model.pb
#     --- tensor set/input_0.pb  the same of a data set's tensor
#     --- file notes.txt         a file as it stands
#     --- run                    commands; $DIGITS is the digits model, digits.so compiled from it,
#                                `call` makes a call as call.cpp says, `onnx` and `graphdef` make
#                                models from text
#     --- gives 3                the exit status of the last command, and all that was printed
set -uo pipefail
ingot=$1 call=$2 root=$3 protoc=$4 pattern=${5:-*}
here=$root/tests/errors
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export DIGITS=$root/examples/digits/digits.onnx
export PATH=$work/bin:$(dirname "$ingot"):$(dirname "$call"):$PATH
most_seconds=60 most_kilobytes=$((4 << 20))

# encode MESSAGE SCHEMA OUTPUT: standard input is the text form.
encode() {
  "$protoc" -I "$root/compiler" --encode="$1" "$root/compiler/$2" >"$3" 2>"$work/protoc.log" ||
    { cat "$work/protoc.log"; exit 1; }
}

mkdir "$work/bin"
for kind in onnx:onnx.ModelProto:onnx/onnx.proto graphdef:tensorflow.GraphDef:tensorflow/graphdef.proto; do
  IFS=: read -r name message schema <<<"$kind"
  printf '#!/bin/sh\nexec "%s" -I "%s/compiler/import" --encode=ingot.%s "%s/compiler/import/%s"\n' \
    "$protoc" "$root" "$message" "$root" "$schema" >"$work/bin/$name"
done
chmod +x "$work"/bin/*
"$ingot" compile "$DIGITS" -o "$work" --name digits --emit so >"$work/compile.log" 2>&1 ||
  { cat "$work/compile.log"; exit 1; }

failed=0 passed=0
for file in "$here"/cases/*/*.txt; do
  name=${file#"$here"/cases/} name=${name%.txt}
  # shellcheck disable=SC2053
  [[ $name == $pattern ]] || continue
  mkdir -p "$work/$name"
  cd "$work/$name" || exit 1
  section='' target='' expected_status='' command=''
  : >.section
  finish() {
    [[ $target == */* ]] && mkdir -p "$(dirname "$target")"
    case $section in
      onnx) encode ingot.onnx.ModelProto import/onnx/onnx.proto "$target" <.section ;;
      graphdef) encode ingot.tensorflow.GraphDef import/tensorflow/graphdef.proto "$target" <.section ;;
      savedmodel) encode ingot.tensorflow.SavedModel import/saved_model/saved_model.proto "$target" <.section ;;
      tensor) encode ingot.onnx.TensorProto import/onnx/onnx.proto "$target" <.section ;;
      file) cp .section "$target" ;;
      run) command=$(<.section) ;;
      gives) cp .section .expected ;;
    esac
    : >.section
  }
  while IFS= read -r line || [[ -n $line ]]; do
    if [[ $line == '--- '* ]]; then
      finish
      read -r _ section target <<<"$line"
      [[ $section == gives ]] && expected_status=$target
    else
      printf '%s\n' "$line" >>.section
    fi
  done <"$file"
  finish
  [[ $command == *digits.so* ]] && ln -s "$work/digits.so" .
  status=0
  (
    ulimit -v "$most_kilobytes"
    timeout "$most_seconds" bash -c "$command"
  ) >.actual 2>&1 </dev/null || status=$?
  # The folder of a run has no name that a file could expect.
  sed -i "s|$work/$name/||g; s|$root/||g" .actual
  if ((status >= 124)); then
    failed=$((failed + 1))
    echo "FAILED $name: $( ((status == 124)) && echo "not done after $most_seconds s" ||
      echo "ended by signal $((status - 128))")"
    cat .actual
  elif [[ ${INGOT_BLESS:-} ]]; then
    { sed '/^--- gives/,$d' "$file"; echo "--- gives $status"; cat .actual; } >.blessed
    cp .blessed "$file"
  elif [[ $status == "$expected_status" ]] && cmp -s .actual .expected; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    echo "FAILED $name: status $status, expected $expected_status"
    diff -u --label expected --label actual .expected .actual
  fi
  cd "$work" || exit 1
done

bash "$here/page.sh" >"$work/errors.md"
[[ ${INGOT_BLESS:-} ]] && cp "$work/errors.md" "$root/docs/errors.md"
[[ $pattern != "*" ]] || cmp -s "$work/errors.md" "$root/docs/errors.md" || {
  failed=$((failed + 1))
  echo "FAILED docs/errors.md is not what tests/errors/cases say; run ./dev bless errors"
}
((!failed)) || echo "if what is said now is what should be said (a new subcommand or flag is listed in some): ./dev bless errors, then read git diff"
echo "$passed error messages are as they should be, $failed are not"
[[ $failed == 0 && ($passed -gt 0 || ${INGOT_BLESS:-}) ]]
