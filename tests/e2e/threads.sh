#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Eight threads on one model, under the thread sanitizer, with the object instrumented too
# (--instrument=thread): clean, and all with the same bits; the same of one call whose branches run
# on several threads. And what the sanitizer must see: two threads that share a workspace are a data
# race inside the object.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$INGOT" compile "$INGOT_ROOT/examples/digits/digits.onnx" -o "$work" --instrument=thread >/dev/null
grep -q __tsan_write_range <<<"$(nm -u "$work/digits.o")" || { echo "failed: the object is not instrumented"; exit 1; }
cat >"$work/main.cpp" <<'TEXT'
#include <cstdio>
#include <cstring>
#include <thread>
#include <vector>

#include "digits.h"

int main(int count, char**) {
  const bool share = count > 1;
  const digits::Model model;
  constexpr std::int64_t n = 5;
  std::vector<float> pixels(64 * n);
  for (std::size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<float>(i % 17);
  std::vector<std::vector<float>> results(8, std::vector<float>(10 * n));
  std::vector<std::vector<std::byte>> memory(8, std::vector<std::byte>(model.workspace_bytes({n})));
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < results.size(); ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 200; ++i) {
        const auto status = model.run({n}, {pixels}, {results[t]}, memory[share ? 0 : t]);
        if (!status.ok()) std::printf("failed: %s\n", status.message().c_str());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const auto& result : results) {
    if (std::memcmp(result.data(), results[0].data(), 4 * result.size()) != 0) return 1;
  }
  if (share) return 0;
  // One call that is split: three threads, each with its part of one workspace.
  digits::Options options;
  options.threads = 3;
  options.parallel_for = [](void*, std::uint32_t tasks, auto task, void* context) -> std::int32_t {
    std::vector<std::thread> some;
    for (std::uint32_t i = 0; i < tasks; ++i) some.emplace_back([=] { task(context, i); });
    for (std::thread& thread : some) thread.join();
    return 0;
  };
  std::vector<std::byte> parts(model.workspace_bytes({n}, 3));
  for (int i = 0; i < 50; ++i) {
    std::vector<float> split(10 * n);
    const auto status = model.run({n}, {pixels}, {split}, parts, options);
    if (!status.ok()) std::printf("failed: %s\n", status.message().c_str());
    if (std::memcmp(split.data(), results[0].data(), 4 * split.size()) != 0) return 1;
  }
  std::puts("8 threads, 200 calls each, and calls on 3 threads, the same bits");
}
TEXT
"$CXX" -std=c++17 -O1 -g1 -fsanitize=thread -I"$work" "$work/main.cpp" "$work/digits.o" -o "$work/main"

cat >"$work/branches.ir" <<'TEXT'
graph "branches" fused {
  symbol N in [0, 1000]
  %x: f32[N, 40, 16] = input "x"
  %w: f32[16, 128] = constant splat 0.25
  %v: f32[128, 128] = constant splat -0.03125
  %a = matmul(%x, %w) {chains = 1} "a"
  %ta = tanh(%a) "ta"
  %a2 = matmul(%ta, %v) {chains = 1} "a2"
  %suma = reduce_sum(%a2) {axes = [1], keep_dims = false, order = "index"} "suma"
  %s = sigmoid(%x) "s"
  %b = matmul(%s, %w) {chains = 1} "b"
  %sb = tanh(%b) "sb"
  %b2 = matmul(%sb, %v) {chains = 1} "b2"
  %mostb = reduce_max(%b2) {axes = [1], keep_dims = false, order = "index"} "mostb"
  %y = concat(%suma, %mostb) {axis = 1} "y"
  return "y" = %y
}
TEXT
"$INGOT" compile "$work/branches.ir" -o "$work" --instrument=thread >/dev/null
grep -q '"forks": \[$' "$work/branches.json" || { echo "failed: no branches for threads were found"; exit 1; }
cat >"$work/branches.cpp" <<'TEXT'
#include <atomic>
#include <cstdio>
#include <cstring>
#include <thread>
#include <vector>

#include "branches.h"

int main() {
  const branches::Model model;
  std::vector<float> x(40 * 16);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i % 17) / 16;
  std::vector<float> alone(256), split(256);
  std::vector<std::byte> one(model.workspace_bytes({1})), three(model.workspace_bytes({1}, 3));
  auto status = model.run({1}, {x}, {alone}, one);
  static std::atomic<int> tasks_asked{0};
  branches::Options options;
  options.threads = 3;
  options.parallel_for = [](void*, std::uint32_t tasks, auto task, void* context) -> std::int32_t {
    tasks_asked = static_cast<int>(tasks);
    std::vector<std::thread> some;
    for (std::uint32_t i = 0; i < tasks; ++i) some.emplace_back([=] { task(context, i); });
    for (std::thread& thread : some) thread.join();
    return 0;
  };
  for (int i = 0; i < 50 && status.ok(); ++i) {
    status = model.run({1}, {x}, {split}, three, options);
    if (std::memcmp(alone.data(), split.data(), 4 * split.size()) != 0) return 1;
  }
  if (!status.ok()) std::printf("failed: %s\n", status.message().c_str());
  if (tasks_asked != 2) std::printf("failed: %d tasks\n", tasks_asked.load());
  std::puts("50 calls whose branches have a thread each, the same bits");
  return status.ok() && tasks_asked == 2 ? 0 : 1;
}
TEXT
"$CXX" -std=c++17 -O1 -g1 -fsanitize=thread -I"$work" "$work/branches.cpp" "$work/branches.o" -o "$work/branches"
# The sanitizer's memory map does not stand much randomisation of addresses.
still=()
setarch -R true 2>/dev/null && still=(setarch -R)
isas=(v3)
grep -qm1 avx512vl /proc/cpuinfo && isas+=(v4)
for isa in "${isas[@]}"; do
  export INGOT_ISA=$isa TSAN_OPTIONS="exitcode=66"
  if ! "${still[@]}" "$work/main" >"$work/log" 2>&1; then
    if grep -q 'unexpected memory mapping' "$work/log"; then
      echo "skipped: the thread sanitizer does not run on this kernel"
      exit 77
    fi
    cat "$work/log"
    exit 1
  fi
  ! grep -q WARNING "$work/log" || { cat "$work/log"; exit 1; }
  echo "$isa: $(cat "$work/log"), nothing reported"
  if ! "${still[@]}" "$work/branches" >"$work/log" 2>&1 || grep -q WARNING "$work/log"; then
    cat "$work/log"
    exit 1
  fi
  echo "$isa: $(cat "$work/log"), nothing reported"
  status=0
  "${still[@]}" "$work/main" share >"$work/log" 2>&1 || status=$?
  if [[ $status != 66 ]] || ! grep -q 'digits.plan:' "$work/log"; then
    cat "$work/log"
    echo "failed: $isa: a shared workspace is a race that nobody reported (status $status)"
    exit 1
  fi
  echo "$isa: a shared workspace is reported, at $(grep -o 'digits.plan:[0-9]*' "$work/log" | head -n 1)"
done
