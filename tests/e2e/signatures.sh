#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Several signatures of a SavedModel in one object: a program that includes the one header, links the
# one object and calls each, in C++ and in C; what the tools say of it.
# shellcheck source=tests/e2e/scratch.bash
source "$(dirname "${BASH_SOURCE[0]}")/scratch.bash"

mkdir net
protoc -I "$INGOT_ROOT/compiler" --encode=ingot.tensorflow.SavedModel \
  "$INGOT_ROOT/compiler/import/saved_model/saved_model.proto" <"$INGOT_ROOT/tests/e2e/projects/package/heads.txt" >net/saved_model.pb
"$INGOT" compile net -o out --signature serving_default,embed --emit obj,so >/dev/null
[[ $(ls out) == $'net.h\nnet.json\nnet.o\nnet.so' ]] || die "other files: $(ls out)"
cat >use.cpp <<'TEXT'
#include <cstdio>
#include <cstring>
#include <vector>

#include "net.h"

extern "C" const char* signatures_in_c(void);

int main() {
  const net::serving_default::Model score;
  const net::embed::Model embed;
  const std::vector<float> x{1, 1, 2, 0};
  std::vector<float> y(2), h(6);
  std::vector<std::byte> workspace(score.workspace_bytes({2}) + embed.workspace_bytes({2}));
  const net::embed::Status status = embed.run({2}, {x}, {h}, workspace);
  if (!status.ok() || !score.run({2}, {x}, {y}, workspace).ok()) return 1;
  if (!score.self_test().ok() || !embed.self_test().ok()) return 2;
  std::printf("%g %g, %g %g %g, %s\n", y[0], y[1], h[0], h[1], h[5], signatures_in_c());
  return net::serving_default::Model::descriptor().weights == net::embed::Model::descriptor().weights ? 0 : 3;
}
TEXT
cat >use.c <<'TEXT'
#include "net.h"

const char* signatures_in_c(void);
const char* signatures_in_c(void) {
  return net_serving_default_model()->hash == 0 ? "" : net_embed_model()->signature;
}
TEXT
"$CC" -std=c99 -Wall -Wextra -Werror -Iout -c use.c -o c.o
"$CXX" -std=c++17 -Wall -Wextra -Werror -Iout use.cpp c.o out/net.o -o use
said=$(./use) || die "the program ends with $?: $said"
[[ $said == "-4 -4, 5 7 6, embed" ]] || die "the program says $said"
globals=$(nm -g --defined-only out/net.o | wc -l)
((globals == 2)) || die "$globals global names in the object of two models"

[[ $("$INGOT" inspect out/net.json | grep -c '^compiled model net_') == 2 ]] || die "inspect of net.json"
[[ $("$INGOT" inspect out/net.so) == "$("$INGOT" inspect out/net.json)" ]] || die "inspect of net.so"
"$INGOT" inspect out/net.so --signature embed | grep -q 'compiled model net_embed from net, signature embed' || die "inspect of one"
"$INGOT" run out/net.so --signature embed --feed random --size N=2 | grep -q '^h: f32\[2, 3\]' || die "run of one"
"$INGOT" check net --signature embed,serving_default | grep -q '^serving_default: compatible' || die "check of two"
[[ $("$INGOT" compile net --signature embed,serving_default --stop-after import | grep -c '^graph ') == 2 ]] ||
  die "both graphs are not printed"
