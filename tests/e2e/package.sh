#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# CMake projects of their own against the build tree, an installed prefix, and the prefix after it was
# moved. What depends on a model is made again when the model, its weights or the compiler changes,
# and not otherwise; wrong calls say what to do.
# shellcheck source=tests/e2e/scratch.bash
source "$(dirname "${BASH_SOURCE[0]}")/scratch.bash"

cp -r "$INGOT_ROOT/tests/e2e/projects/package" source
cp "$INGOT_ROOT/examples/digits/digits.onnx" .
# An ONNX model that keeps its weights in a file beside it, in a folder with a space in its name.
mkdir 'the models'
protoc -I "$INGOT_ROOT/compiler/import" --encode=ingot.onnx.ModelProto onnx/onnx.proto \
  <source/outside.txt >'the models/outside.onnx'
weight() { printf "$1" >'the models/w.bin'; }
weight '\0\0\0\x40'  # 2

# A SavedModel of two signatures.
mkdir heads
protoc -I "$INGOT_ROOT/compiler" --encode=ingot.tensorflow.SavedModel \
  "$INGOT_ROOT/compiler/import/saved_model/saved_model.proto" <source/heads.txt >heads/saved_model.pb

# project FOLDER PREFIX [CMAKE ARGUMENT...]
project() {
  local folder=$1 prefix=$2
  shift 2
  quiet cmake -S source -B "$folder" -DCMAKE_PREFIX_PATH="$prefix" -DDIGITS="$work/digits.onnx" \
    -DOUTSIDE="$work/the models/outside.onnx" -DHEADS="$work/heads" \
    -DCMAKE_CXX_COMPILER="$CXX" "$@"
  quiet cmake --build "$folder"
}
# gives FOLDER TEXT: what its program says.
gives() {
  local said
  said=$("$1/program") || die "$1/program: $said"
  [[ $said == "$2" ]] || die "$1/program says '$said', not '$2'"
}

project tree "$build" -G Ninja
gives tree 'scaled by 3 and 2, N up to 100, digits, -4 of 5 7 9'
grep -q '"v3:N=2"' tree/ingot/heads/heads.json || die "VARIANTS had no effect"
grep -q '"N", "lo": 1, "hi": 8' <(tr -s ' \n' ' ' <tree/ingot/scale/scale.json) || die "DIMS had no effect"
cmake --build tree >log
grep -q 'no work to do' log || { cat log; die "a second build does something"; }

quiet cmake --install "$build" --prefix "$work/prefix"
for page in man/man1/ingot.1 bash-completion/completions/ingot zsh/vendor-completions/_ingot; do
  [[ -s prefix/share/$page ]] || die "share/$page is not installed"
done
project out "$work/prefix" -G 'Unix Makefiles'
gives out 'scaled by 3 and 2, N up to 100, digits, -4 of 5 7 9'
sleep 0.02
weight '\0\0\x80\x40'  # 4
quiet cmake --build out
gives out 'scaled by 3 and 4, N up to 100, digits, -4 of 5 7 9'
mv prefix moved
project out2 "$work/moved" -G Ninja
gives out2 'scaled by 3 and 4, N up to 100, digits, -4 of 5 7 9'

# A changed model, changed weights, a changed compiler.
sleep 0.02
sed -i 's/{3}/{5}/' source/scale.ingot
quiet cmake --build tree
gives tree 'scaled by 5 and 4, N up to 100, digits, -4 of 5 7 9'
weight '\0\0\x80\x3f'
quiet cmake --build tree
gives tree 'scaled by 5 and 1, N up to 100, digits, -4 of 5 7 9'
touch before
sleep 0.02
touch moved/bin/ingot
quiet cmake --build out2
[[ out2/ingot/scale/scale.o -nt before ]] || die "a new compiler does not compile again"
gives out2 'scaled by 5 and 1, N up to 100, digits, -4 of 5 7 9'

# A project in C, and with a tool that is elsewhere than the package.
cp -r "$INGOT_ROOT/tests/e2e/projects/c" .
quiet cmake -S c -B c/out -DCMAKE_PREFIX_PATH="$work/moved" -DCMAKE_C_COMPILER="$CC" -DINGOT_EXECUTABLE="$INGOT"
quiet cmake --build c/out
gives c/out 'scale v3'
rm moved/lib*/cmake/Ingot/IngotToolTargets*.cmake

# What a project installs of a model, another one links.
quiet cmake --install out2 --prefix "$work/theirs"
[[ -f theirs/include/scale.h && -f theirs/lib/libscale.a ]] || die "install(TARGETS) leaves something out"

# refused CALL TEXT [FOLDER]: ingot_add_model() says so, of the package in this folder.
refused() {
  rm -rf wrong
  ! cmake -S "$INGOT_ROOT/tests/e2e/projects/wrong" -B wrong -DIngot_DIR="${3:-$build}" -DCALL="$1" >log 2>&1 ||
    die "$1: not refused"
  tr -s ' \n' ' ' <log | grep -qF -- "$2" || { cat log; die "$1: does not say '$2'"; }
}
touch there.onnx
refused 'ingot_add_model(a)' 'ingot_add_model(a): there is no model; add MODEL and the path'
refused 'ingot_add_model(a MODEL)' 'nothing follows MODEL'
refused 'ingot_add_model(a MODEL gone.onnx)' "there is no file $INGOT_ROOT/tests/e2e/projects/wrong/gone.onnx"
refused "ingot_add_model(a MODEL $work)" "$work is a folder, and no SavedModel; name the model file in it"
refused "ingot_add_model(a MODEL $work/there.onnx DIM N=4)" "'DIM' is no argument; there are MODEL, NAME, DIMS"
refused "ingot_add_model(a MODEL $work/there.onnx DIMS N)" 'DIMS N: a symbol and its size or range is wanted'
refused "ingot_add_model(a MODEL $work/there.onnx VARIANTS N=1:4)" 'VARIANTS N=1:4: sizes are wanted, as N=1 or N=1,n=8'
refused "ingot_add_model(a MODEL $work/there.onnx ISA avx2)" 'ISA avx2: one or more of v2, v3 and v4'
refused "ingot_add_model(3d MODEL $work/there.onnx)" "'3d' cannot name a namespace; add NAME"
refused 'find_package(Ingot REQUIRED COMPONENTS gpu)' "it has no component 'gpu'"
tool='the program `ingot` is not installed beside'
refused "ingot_add_model(a MODEL $work/there.onnx)" "$tool" "$(echo "$work"/moved/lib*/cmake/Ingot)"
refused 'find_package(Ingot REQUIRED COMPONENTS tool)' "$tool" "$(echo "$work"/moved/lib*/cmake/Ingot)"
refused 'find_package(Ingot 9.0 REQUIRED)' '9.0'
echo "built against a build tree, a prefix and a moved prefix; models are made again when they should be"
