# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Part of ./dev: the engines of others that `ingot bench` measures beside our own.

PEERS_PACKAGES=(g++ nlohmann-json3-dev python3-venv)

# peers_environment FOLDER REQUIREMENTS: a virtual environment with what is listed, made once.
peers_environment() {
  local folder=$1 requirements=$2
  cmp -s "$requirements" "$folder/requirements.txt" && return 0
  say "installing $(grep -vc '^#' "$requirements") packages of Python's index into $folder"
  python3 -m venv "$folder"
  "$folder/bin/pip" install --quiet --disable-pip-version-check -r "$requirements" ||
    die "pip could not install $requirements"
  cp "$requirements" "$folder/requirements.txt"
}

# peers_xla_runtime SITE FOLDER: the part of XLA's runtime that its wheel has as sources only. Eigen
# at its best for this machine, which takes minutes.
peers_xla_runtime() {
  local site=$1 objects=$2/xla-runtime library=$2/libxla_aot_runtime.a
  local sources=$site/tensorflow/xla_aot_runtime_src
  [[ $library -nt $sources/CMakeLists.txt ]] && return 0
  say "compiling XLA's runtime, which takes some minutes"
  mkdir -p "$objects"
  # shellcheck disable=SC2016
  # One source does not compile with Eigen's own AVX-512 kernels.
  (cd "$sources" && find . -name '*.cc' -printf '%P\n') |
    xargs -P "$JOBS" -I{} bash -c '
      flags=()
      [[ $1 == */convolution_lib_f32_2d.cc ]] && flags=(-DEIGEN_USE_AVX512_GEMM_KERNELS=0)
      g++ -std=c++17 -O3 -march=native -DNDEBUG -fPIC -w "${flags[@]}" -I"$2/tensorflow/include" \
        -I"$3" -c "$3/$1" -o "$4/${1//\//_}.o"' _ {} "$site" "$sources" "$objects" ||
    die "XLA's runtime does not compile"
  # What is included by all that the ahead-of-time compiler writes; flags as in xla_aot.py.
  printf '#include "%s"\n' absl/log/check.h absl/synchronization/blocking_counter.h \
    xla/backends/cpu/runtime/kernel_c_api.h xla/types.h \
    tensorflow/compiler/tf2xla/xla_compiled_cpu_function.h >"$2/xla.h"
  g++ -std=c++17 -O2 -march=native -DNDEBUG -w -fPIC -fno-gnu-unique -I"$site/tensorflow/include" \
    -x c++-header "$2/xla.h" -o "$2/xla.h.gch" || die "XLA's header does not compile"
  rm -f "$library"
  ar rcs "$library" "$objects"/*.o
}

# peers_plugin NAME FLAG...: bench/peers/NAME.cpp against our headers and its wheel's, and its libraries.
peers_plugin() {
  local name=$1
  shift
  g++ -std=c++20 -O2 -Wall -Wextra -Werror -fPIC -shared -fvisibility=hidden -Iinclude \
    "bench/peers/$name.cpp" -o "$PEERS/$name.so.new" "$@" || die "the plug-in $name does not build"
  mv "$PEERS/$name.so.new" "$PEERS/$name.so"
}

# INGOT_PEERS names the folder (build/peers); INGOT_PEERS_VENV and INGOT_PEERS_TF2ONNX_VENV are
# environments that exist already.
verb_peers_setup() {
  need "${PEERS_PACKAGES[@]}"
  PEERS=$(realpath -m "${INGOT_PEERS:-build/peers}")
  mkdir -p "$PEERS/lib"
  local engines=${INGOT_PEERS_VENV:-} tf2onnx=${INGOT_PEERS_TF2ONNX_VENV:-}
  if [[ -z $engines ]]; then
    engines=$PEERS/venv
    peers_environment "$engines" bench/peers/requirements.txt
  fi
  if [[ -z $tf2onnx ]]; then
    tf2onnx=$PEERS/tf2onnx
    peers_environment "$tf2onnx" bench/peers/requirements-tf2onnx.txt
  fi
  local site
  site=$("$engines/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')

  say "building the plug-ins"
  # The wheel's file has not the name that programs look for.
  ln -sf "$site"/onnxruntime/capi/libonnxruntime.so.*.*.* "$PEERS/lib/libonnxruntime.so.1"
  peers_plugin onnxruntime "$PEERS/lib/libonnxruntime.so.1" -Wl,-rpath,"$PEERS/lib"
  peers_plugin openvino -isystem "$site/openvino/include" "$site"/openvino/libs/libopenvino_c.so.* \
    -Wl,-rpath,"$site/openvino/libs"
  peers_plugin tensorflow -isystem "$site/tensorflow/include" \
    "$site"/tensorflow/libtensorflow_{cc,framework}.so.2 -Wl,-rpath,"$site/tensorflow"
  peers_plugin xla -Wl,--no-as-needed "$site/tensorflow/libtensorflow_framework.so.2" \
    -Wl,-rpath,"$site/tensorflow"
  peers_plugin iree
  peers_xla_runtime "$site" "$PEERS"
  "$engines/bin/python" bench/peers/setup.py "$PEERS" "$tf2onnx/bin/python" ||
    die "the engines cannot be listed"
  say "peers: $PEERS/peers.json"
}
