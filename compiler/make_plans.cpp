// SPDX-License-Identifier: Apache-2.0
#include "make_plans.h"

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <utility>

#include "describe.h"
#include "plan/weight_section.h"
#include "write/identifiers.h"

namespace ingot {
namespace {

void begin(const CompileOptions& options, std::string_view what) {
  if (options.progress) options.progress(what);
}

Expected<plan::Plans> plan_variants(const Graph& graph, const CompileOptions& options) {
  plan::Plans plans;
  INGOT_ASSIGN(plans.whole, plan::make_plan(graph, options.plan));
  // Those with the most pins first, else as given.
  std::multimap<std::size_t, const SymbolValues*, std::greater<>> variants;
  for (const SymbolValues& pins : options.variants) variants.emplace(pins.size(), &pins);
  for (const auto& [count, pins] : variants) {
    INGOT_ASSIGN(const Graph pinned, plan::pin(graph, plans.whole, *pins));
    if (options.passes.check) INGOT_TRY(options.passes.check(pinned, "pinning"));
    INGOT_ASSIGN(plan::Plan plan, plan::make_pinned_plan(pinned, plans.whole, *pins, options.plan));
    plans.pinned.push_back(std::move(plan));
  }
  return plans;
}

/// A self-test of the model, and one for each set of pins whose sizes the interpreter, which is
/// slow, has done with in some seconds.
Expected<void> add_self_tests(const Graph& graph, plan::Plans& plans) {
  INGOT_ASSIGN(plans.whole.self_test, make_self_test(graph));
  for (plan::Plan& plan : plans.pinned) {
    Graph held = graph;
    for (const std::uint32_t i : plan::pins_of(plan))
      held.declare_symbol(plan.symbols[i].name, plan.symbols[i].range);
    INGOT_ASSIGN(plan.self_test, make_self_test(held, 0x1p22));
  }
  return {};
}

/// Graphs, and the weights in them, are gone when this returns. An empty `name`: the graph's own.
Expected<PlannedModel> plan_source(const Source& source, const std::string& name,
                                   const CompileOptions& options, bool self_tests) {
  INGOT_ASSIGN(Imported imported, source.read());
  PlannedModel model{{}, {}, source.entry, imported.source, imported.signature, {}};
  begin(options, "passes");
  INGOT_ASSIGN(Graph graph, passes::optimize(imported.graph, options.passes, &model.log));
  imported.graph = {};
  if (!name.empty()) graph.name = name;
  begin(options, "plan");
  INGOT_ASSIGN(model.plans, plan_variants(graph, options));
  if (!self_tests) return model;
  begin(options, "self-test");
  INGOT_TRY(add_self_tests(graph, model.plans));
  return model;
}

template <class Visit>
void visit_plans(PlannedModel& model, Visit visit) {
  visit(model.plans.whole);
  for (plan::Plan& plan : model.plans.pinned) visit(plan);
}

/// One after the other, each with the weights of all.
void print_all(PlannedObject& object) {
  plan::Text& all = object.text;
  for (PlannedModel& model : object.models) {
    visit_plans(model, [&](plan::Plan& plan) {
      std::swap(plan.weights, object.weights);
      const plan::Text text = plan::print(plan);
      std::swap(plan.weights, object.weights);
      if (!all.text.empty()) all.text += '\n';
      const auto before = std::count(all.text.begin(), all.text.end(), '\n');
      all.text += text.text;
      for (const unsigned line : text.kernel_lines)
        model.kernel_lines.push_back(static_cast<unsigned>(before) + line);
    });
  }
}

}  // namespace

Expected<PlannedObject> make_plans(const std::string& name, const std::vector<Source>& sources,
                                   const CompileOptions& options, bool self_tests) {
  PlannedObject object{name, {}, {}, {}};
  plan::WeightSection weights;
  std::set<std::string> taken, taken_entries{"ingot", "std"};
  for (const Source& source : sources) {
    const bool alone = source.entry.empty();
    const std::string called =
        alone ? name : write::make_identifier(name + "_" + source.entry, taken);
    Expected<PlannedModel> model = plan_source(source, called, options, self_tests);
    if (!model && alone) return model.error();
    if (!model)
      return Error{model.error().code, fmt::format("{}: {}", source.label, model.error().message)};
    if (!alone) model->entry = write::make_identifier(source.entry, taken_entries);
    visit_plans(*model, [&](plan::Plan& plan) { weights.add(plan); });
    object.models.push_back(*std::move(model));
  }
  object.weights = std::move(weights).take();
  print_all(object);
  return object;
}

}  // namespace ingot
