#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Two versions of one model, of the same name but other weights, in one process: in two plug-ins
# that are opened with dlopen, locally and globally, and in one program. Each gives its own answers.
# And a header with the other version's object does not link; the message names the reason.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
model() {
  cat <<TEXT
graph "twin" fused {
  symbol N in [0, 1000]
  %0: f32[N, 3] = input "x"
  %1: f32[3, 1] = constant {$1}
  %2: f32[N, 1] = matmul(%0, %1) {chains = 16}
  return "y" = %2
}
TEXT
}
mkdir old new
model "1, 2, 3" >old/twin.ir
model "10, 20, 30" >new/twin.ir
for version in old new; do
  "$INGOT" compile $version/twin.ir -o $version --name twin >/dev/null
done
cat >answer.h <<'TEXT'
#include <cstdio>
#include <vector>

#include "twin.h"

static float answer() {
  const twin::Model model;
  const std::vector<float> x{1, 1, 1};
  std::vector<float> y(1);
  std::vector<std::byte> workspace(model.workspace_bytes({1}));
  const auto status = model.run({1}, {x}, {y}, workspace);
  if (!status.ok()) std::printf("failed: %s\n", status.message().c_str());
  return model.self_test().ok() ? y[0] : -1;
}
TEXT
echo '#include "answer.h"
extern "C" float plugin_answer() { return answer(); }' >plugin.cpp
cat >host.cpp <<'TEXT'
#include <dlfcn.h>

#include <cstdio>
#include <initializer_list>

int main() {
  for (const int visibility : {RTLD_LOCAL, RTLD_GLOBAL}) {
    void* plugins[] = {dlopen("./old.so", RTLD_NOW | visibility), dlopen("./new.so", RTLD_NOW | visibility)};
    float answers[2];
    for (int i = 0; i < 2; ++i) {
      if (plugins[i] == nullptr) return std::puts(dlerror()), 2;
      answers[i] = reinterpret_cast<float (*)()>(dlsym(plugins[i], "plugin_answer"))();
    }
    std::printf("plug-ins answer %g and %g\n", answers[0], answers[1]);
    if (answers[0] != 6 || answers[1] != 60) return 1;
    // The global pass starts with fresh plug-ins.
    for (void* plugin : plugins) dlclose(plugin);
  }
}
TEXT
for version in old new; do
  # Unoptimised, so that the header's inline functions are symbols that could be confused.
  "$CXX" -std=c++17 -O0 -fPIC -shared -I$version plugin.cpp $version/twin.o -o $version.so
done
"$CXX" -std=c++17 host.cpp -ldl -o host
./host

echo '#include "answer.h"
float old_answer() { return answer(); }' >old.cpp
echo '#include "answer.h"
float old_answer();
int main() { return old_answer() == 6 && answer() == 60 ? 0 : 1; }' >new.cpp
"$CXX" -std=c++17 -O0 -Iold -c old.cpp -o old.o
"$CXX" -std=c++17 -O0 -Inew -c new.cpp -o new.o
"$CXX" new.o old.o old/twin.o new/twin.o -o both
./both || { echo "failed: one program with both versions gives wrong answers"; exit 1; }
echo "one program answers with both versions"

if "$CXX" new.o old.o old/twin.o -o wrong 2>log; then
  echo "failed: a header links with another compile's object"
  exit 1
fi
symbol=$(grep -om1 'twin_header_and_object_are_from_one_ingot_compile_[0-9a-f]*' new/twin.h)
grep -q "$symbol" log || { cat log; echo "failed: the linker does not name $symbol"; exit 1; }
echo "a header with another compile's object does not link: $(grep -om1 'undefined.*' log)"
