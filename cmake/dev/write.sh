# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Part of ./dev: starts a new op or pass with the files that every op or pass has. What they start
# with compiles, does nothing, and has a test that fails until it says what is meant.

# new_name NAME: the name in snake_case, or an error.
new_name() {
  local name=${1:-}
  name=${name//-/_}
  [[ $name =~ ^[a-z][a-z0-9_]*$ ]] || die "a name like gather or fold-scales is needed, not '${1:-}'"
  echo "$name"
}

new_file() {
  [[ ! -e $1 ]] || die "$1 is there already"
  cat >"$1"
  say "wrote $1"
}

verb_new_op() {
  local name
  name=$(new_name "${1:-}")
  new_file "compiler/ops/$name.cpp" <<TEXT
// SPDX-License-Identifier: Apache-2.0
// $name: what it computes, and the order of its roundings (docs/numerics.md has the same).
#include "ops/common.h"

namespace ingot::ops {
namespace {

Expected<std::vector<TensorType>> infer(const InferContext& context) {
  return std::vector{context.input(0)};
}

Expected<std::vector<Tensor>> evaluate(const EvaluateContext& context) {
  std::vector<Tensor> results;
  results.push_back(*context.inputs[0]);
  return results;
}

}  // namespace

void add_${name}_op(std::vector<OpDef>& table) {
  table.push_back(
      {"$name", "what it computes, in a few words", OpKind::move, 1, 1, {}, infer, evaluate});
}

}  // namespace ingot::ops
TEXT
  new_file "compiler/ops/${name}_test.cpp" <<TEXT
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "ir/op.h"

namespace ingot {
namespace {

TEST(Op, ${name}) {
  ASSERT_NE(find_op("$name"), nullptr);
  FAIL() << "compare with published results of $name, and say where they are from";
}

}  // namespace
}  // namespace ingot
TEXT
  sed -i "s|^void add_source_ops(.*|void add_${name}_op(std::vector<OpDef>\& table);\n&|" compiler/ops/common.h
  sed -i "s|^    ops::add_source_ops(rows);|    ops::add_${name}_op(rows);\n&|" compiler/ops/table.cpp
  grep -q "add_${name}_op" compiler/ops/common.h && grep -q "add_${name}_op" compiler/ops/table.cpp ||
    die "compiler/ops/common.h or table.cpp has changed its shape; add add_${name}_op there by hand"
  say "declared in compiler/ops/common.h and added to compiler/ops/table.cpp"
  say "one formula per element? then a row of compiler/ops/pointwise.def does instead of these files"
  say "next: the op in compiler/plan (which kernel computes it), the foreign ops that become it in compiler/import, docs/numerics.md"
}

verb_new_pass() {
  local name kebab
  name=$(new_name "${1:-}")
  kebab=${name//_/-}
  new_file "compiler/passes/$name.h" <<TEXT
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "passes/pass.h"

namespace ingot::passes {

/// What it does and what for.
///
///     before                           ->  after
///
/// Needs     what must have run before.
/// Skips     where a user would expect it and it does not fire, and why.
/// Numerics  exact.
Expected<Graph> $name(const Graph& graph, Report& report);

inline constexpr PassInfo ${name}_pass{
    .name = "$kebab",
    .summary = "what it does, in a few words",
    .numerics = Numerics::exact,
    .run = $name,
};

}  // namespace ingot::passes
TEXT
  new_file "compiler/passes/$name.cpp" <<TEXT
// SPDX-License-Identifier: Apache-2.0
#include "passes/$name.h"

#include "ir/rebuild.h"

namespace ingot::passes {

Expected<Graph> $name(const Graph& graph, Report& report) {
  return rebuild(graph,
                 [&](Rebuilder& rebuilder, const Node& node) -> Expected<std::vector<ValueId>> {
                   (void)report;
                   return rebuilder.copy(node);
                 });
}

}  // namespace ingot::passes
TEXT
  new_file "compiler/passes/${name}_test.cpp" <<TEXT
// SPDX-License-Identifier: Apache-2.0
#include "passes/$name.h"

#include <gtest/gtest.h>

namespace ingot::passes {
namespace {

TEST(Pass, ${name}) {
  EXPECT_NE(find_pass("$kebab"), nullptr) << "it has no place in compiler/passes/pipeline.cpp yet";
  FAIL() << "show a graph before and after, one where it must not fire, and that results keep "
            "their bits if the pass says it is exact";
}

}  // namespace
}  // namespace ingot::passes
TEXT
  say "next: its place in the order, and in all_passes(), both in compiler/passes/pipeline.cpp"
}
