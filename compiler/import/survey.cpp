// SPDX-License-Identifier: Apache-2.0
#include "import/survey.h"

#include <algorithm>
#include <set>

namespace ingot {
namespace {

constexpr std::size_t most_named = 20;  // nodes of one reason, in the message of a failed import
constexpr std::int64_t big_constant = std::int64_t{256} << 20;

struct KindRow {
  std::string_view name, title, advice;
};
constexpr KindRow kinds[] = {
#define INGOT_REFUSAL(kind, title, advice) {#kind, title, advice},
#include "import/refusal.def"
#undef INGOT_REFUSAL
};

const KindRow& row(Refusal::Kind kind) { return kinds[static_cast<std::size_t>(kind)]; }

std::string called(const Refusal& refusal) {
  const std::string name = refusal.path.empty()
                               ? fmt::format("'{}'", refusal.node)
                               : fmt::format("'{}/{}'", refusal.path, refusal.node);
  return refusal.function.empty() ? name
                                  : fmt::format("{} (of function '{}')", name, refusal.function);
}

std::string megabytes(std::int64_t bytes) {
  return fmt::format("{:.0f} MB", static_cast<double>(bytes) / 1e6);
}

void warn_of_float64(const Graph& graph, std::vector<Warning>& warnings) {
  for (const ValueId input : graph.inputs()) {
    if (graph.type(input).dtype != DType::f64) continue;
    warnings.push_back({"float64", graph.value(input).name,
                        fmt::format("input '{}' is float64: float32 is faster and half the size, "
                                    "and has all functions; export it as float32 if that will do",
                                    graph.value(input).name)});
  }
  std::int64_t numbers = 0;
  std::size_t tensors = 0;
  for (const Tensor& constant : graph.constants()) {
    if (constant.dtype() != DType::f64 || constant.is_splat() || constant.elements() < 2) continue;
    numbers += constant.elements();
    ++tensors;
  }
  if (tensors == 0) return;
  warnings.push_back({"float64", "weights",
                      fmt::format("{} weights in {} tensors are float64: they take twice the bytes "
                                  "of float32; export them as float32 if that will do",
                                  numbers, tensors)});
}

void warn_of_big_constants(const Graph& graph, std::vector<Warning>& warnings) {
  std::int64_t bytes = 0;
  for (const Tensor& constant : graph.constants())
    bytes += static_cast<std::int64_t>(constant.bytes().size());
  if (bytes < big_constant) return;
  warnings.push_back({"big_constant", "weights",
                      fmt::format("the weights are {}, and all of it becomes part of the object "
                                  "file and of the program",
                                  megabytes(bytes))});
}

void warn_of_unused_inputs(const Graph& graph, std::vector<Warning>& warnings) {
  const auto uses = compute_uses(graph);
  for (const ValueId input : graph.inputs()) {
    const bool is_output = std::any_of(graph.outputs().begin(), graph.outputs().end(),
                                       [&](const Output& output) { return output.value == input; });
    if (!uses[input.index].empty() || is_output) continue;
    const std::string& name = graph.value(input).name;
    // Its sizes may be read even so.
    warnings.push_back(
        {"unused_input", name,
         fmt::format("no output reads the numbers of input '{}', but calls must give it", name)});
  }
}

}  // namespace

std::string_view name(Refusal::Kind kind) { return row(kind).name; }
std::string_view title(Refusal::Kind kind) { return row(kind).title; }

void Survey::refuse(Refusal refusal) {
  if (refusal.advice.empty()) refusal.advice = row(refusal.kind).advice;
  if (!known_.emplace(refusal.op, refusal.path, refusal.node, refusal.reason).second) return;
  refusals.push_back(std::move(refusal));
}

int Survey::unseen() const {
  int sum = 0;
  for (const auto& [op, use] : ops) sum += use.unseen;
  return sum;
}

Error Survey::error() const {
  const std::size_t count = refusals.size();
  return {ErrorCode::unsupported,
          fmt::format("{} in this model cannot be compiled yet:\n{}",
                      count == 1 ? "one thing" : fmt::format("{} things", count),
                      explain_refusals(refusals, most_named))};
}

void Survey::look_at(const Graph& graph, bool complete) {
  inputs.clear();
  for (const ValueId input : graph.inputs())
    inputs.push_back({graph.value(input).name, graph.type(input)});
  warn_of_float64(graph, warnings);
  warn_of_big_constants(graph, warnings);
  if (complete) warn_of_unused_inputs(graph, warnings);
}

namespace {

/// The refusals of one reason, by op, both in the order in which they are met first.
struct Group {
  std::vector<std::pair<std::string_view, std::vector<const Refusal*>>> by_op;

  void add(const Refusal& refusal) {
    for (auto& [op, nodes] : by_op) {
      if (op == refusal.op) return nodes.push_back(&refusal);
    }
    by_op.push_back({refusal.op, {&refusal}});
  }
};

std::string named(const std::vector<const Refusal*>& refusals, std::size_t most_nodes) {
  std::string names;
  for (std::size_t i = 0; i < std::min(refusals.size(), most_nodes); ++i)
    names += (i == 0 ? "" : ", ") + called(*refusals[i]);
  if (refusals.size() > most_nodes)
    names += fmt::format(" and {} more, which ingot check lists", refusals.size() - most_nodes);
  return names;
}

}  // namespace

std::string explain_refusals(const std::vector<Refusal>& refusals, std::size_t most_nodes) {
  std::vector<Group> groups;
  std::map<std::pair<std::string_view, std::string_view>, std::size_t> places;
  for (const Refusal& refusal : refusals) {
    const auto [place, fresh] = places.try_emplace({refusal.reason, refusal.advice}, groups.size());
    if (fresh) groups.emplace_back();
    groups[place->second].add(refusal);
  }
  std::string text;
  for (const Group& group : groups) {
    const Refusal& first = *group.by_op.front().second.front();
    std::string ops;
    for (const auto& [op, nodes] : group.by_op)
      ops += fmt::format("{}{}", ops.empty() ? "" : ", ", op);
    if (!text.empty()) text += '\n';
    text += fmt::format("  {} ({}): {}\n", ops, title(first.kind), first.reason);
    const bool of_nodes = first.op != "input" && first.op != "tensor";
    for (const auto& [op, nodes] : group.by_op) {
      const std::string_view what = group.by_op.size() > 1 || !of_nodes ? op : "node";
      const bool several = nodes.size() > 1 && group.by_op.size() == 1;
      text += fmt::format("    {}{} {}\n", what, several ? "s" : "", named(nodes, most_nodes));
    }
    text += fmt::format("    try: {}", first.advice);
  }
  return text;
}

}  // namespace ingot
