// SPDX-License-Identifier: Apache-2.0
#include "describe.h"

#include <ingot/self_test.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>

#include "ops/interpret.h"
#include "plan/arena.h"
#include "plan/blocks.h"
#include "version.h"

namespace ingot {
namespace {

write::TensorInterface describe(const plan::Plan& plan, const plan::Plan::Port& port) {
  write::TensorInterface tensor{port.name, static_cast<std::int32_t>(port.type.dtype), {}, 0};
  for (const Dim& dim : port.type.shape) {
    write::AxisInterface axis{dim.str(), dim.value().value_or(-1), -1};
    for (std::size_t s = 0; s < plan.symbols.size(); ++s) {
      if (dim.symbol_name() == plan.symbols[s].name) axis.symbol = static_cast<int>(s);
    }
    tensor.axes.push_back(std::move(axis));
  }
  return tensor;
}

/// `pins`: of a pinned plan, whose kernels are not the whole one's.
write::KernelInterface describe(const plan::Plan& plan, const plan::Kernel& kernel,
                                const std::string& pins) {
  std::string source;
  for (const std::string& op : kernel.sources) source += (source.empty() ? "" : " ") + op;
  return {pins.empty() ? kernel.name : kernel.name + ":" + pins,
          std::string(plan::kind_name(kernel)), std::move(source),
          plan::in_all(plan, kernel, plan::flops(kernel)).str(),
          plan::in_all(plan, kernel, plan::bytes_moved(plan, kernel)).str()};
}

void describe_kernels(const plan::Plan& plan, write::Interface& model) {
  std::vector<std::pair<std::uint32_t, std::uint32_t>> lives(plan.buffers.size(), {UINT32_MAX, 0});
  for (const plan::Kernel& kernel : plan.kernels) {
    model.kernels.push_back(describe(plan, kernel, ""));
    for (const plan::BufferId buffer : plan::buffers_of(kernel)) {
      lives[buffer].first = std::min(lives[buffer].first, kernel.id);
      lives[buffer].second = std::max(lives[buffer].second, kernel.id);
    }
    if (const auto* contract = std::get_if<plan::Contract>(&kernel.work)) {
      if (const auto* packed = std::get_if<plan::PackedWeights>(&contract->b)) {
        const bool dots = packed->layout == plan::PackedWeights::Layout::dots;
        model.constants.push_back({kernel.name, fmt::format("[{}, {}]", packed->k, packed->n),
                                   dots ? "dots" : "panels",
                                   static_cast<std::uint64_t>(packed->offset.value().value_or(0)),
                                   static_cast<std::uint64_t>(packed->bytes)});
      }
    }
  }
  for (std::size_t b = 0; b < plan.buffers.size(); ++b) {
    const plan::Buffer& buffer = plan.buffers[b];
    const Dim bytes = product(buffer.shape) * static_cast<std::int64_t>(bytes_of(buffer.dtype));
    if (buffer.kind == plan::Buffer::Kind::arena) {
      Shape shape;
      for (const Dim& dim : buffer.shape) shape.push_back(plan::in_a_block(plan, dim));
      model.buffers.push_back({buffer.name, std::string(name(buffer.dtype)), str(shape),
                               plan::in_a_block(plan, buffer.offset).str(),
                               plan::in_a_block(plan, bytes).str(), lives[b].first,
                               lives[b].second});
    }
    if (buffer.kind == plan::Buffer::Kind::weights) {
      model.constants.push_back({buffer.name, str(buffer.shape), "dense",
                                 static_cast<std::uint64_t>(buffer.offset.value().value_or(0)),
                                 static_cast<std::uint64_t>(bytes.value().value_or(0))});
    }
  }
}

write::VariantInterface describe_variant(const plan::Plan& plan, int level) {
  write::VariantInterface variant;
  variant.name = fmt::format("v{}", level);
  variant.level = static_cast<std::uint32_t>(level);
  variant.run = target::Names::run(plan, level);
  variant.run_probed = target::Names::run_probed(plan, level);
  return variant;
}

void add_self_test(const plan::Plan& plan, write::Interface& model) {
  if (!plan.self_test) return;
  write::SelfTestInterface test{plan.self_test->seed, {}, plan.self_test->output_hash};
  for (const Symbol& symbol : plan.symbols)
    test.symbols.push_back(symbol.measured() ? -1 : plan.self_test->symbols.at(symbol.name));
  model.self_tests.push_back(std::move(test));
}

}  // namespace

std::string provenance(const plan::Text& text, std::span<const std::byte> weights,
                       const CompileOptions& options) {
  XXH3_state_t* state = XXH3_createState();
  XXH3_128bits_reset(state);
  auto add = [&](const std::string& part) { XXH3_128bits_update(state, part.data(), part.size()); };
  add(project_version);
  add(text.text);
  XXH3_128bits_update(state, weights.data(), weights.size());
  for (const int level : options.isa_levels) add(fmt::format(" v{}", level));
  add(fmt::format(" instrument {}", static_cast<int>(options.instrument)));
  // What passes leave out is in the plan; what they were told is in the manifest beside it.
  for (const std::string& pass : options.passes.disabled) add(" without " + pass);
  if (options.passes.limit != passes::Options{}.limit)
    add(fmt::format(" limit {}", options.passes.limit));
  const XXH128_hash_t hash = XXH3_128bits_digest(state);
  XXH3_freeState(state);
  return fmt::format("{:016x}{:016x}", hash.high64, hash.low64);
}

write::Interface describe(const PlannedModel& planned, const ObjectFacts& object,
                          const CompileOptions& options) {
  using target::Names;
  const plan::Plan& plan = planned.plans.whole;
  write::Interface model;
  model.name = plan.name;
  model.entry = planned.entry;
  model.source = planned.source;
  model.signature = planned.signature;
  model.ingot_version = project_version;
  model.hash = object.hash;
  model.strict = plan.arithmetic == Arithmetic::strict;
  for (const auto& port : plan.inputs) model.inputs.push_back(describe(plan, port));
  for (const auto& port : plan.outputs) model.outputs.push_back(describe(plan, port));
  for (std::size_t i = 0; i < plan.symbols.size(); ++i) {
    const Symbol& symbol = plan.symbols[i];
    model.symbols.push_back({symbol.name, symbol.range.lo, symbol.range.hi, symbol.measured(),
                             plan.independent.at(i), symbol.bound ? symbol.bound->str() : ""});
  }
  for (const Constraint& constraint : plan.constraints) {
    const bool equal = constraint.relation == Constraint::Relation::equal;
    model.constraints.push_back(fmt::format("{} {} {}", constraint.left.str(),
                                            equal ? "==" : ">=", constraint.right.str()));
  }
  std::vector<int> levels = options.isa_levels;
  std::sort(levels.rbegin(), levels.rend());
  for (const int level : levels) model.variants.push_back(describe_variant(plan, level));
  describe_kernels(plan, model);
  Dim workspace = plan.workspace_bytes;
  add_self_test(plan, model);
  for (const plan::Plan& pinned : planned.plans.pinned) {
    const std::string pins = plan::pins_text(pinned);
    for (const int level : levels) {
      write::VariantInterface variant = describe_variant(pinned, level);
      variant.name += ":" + pins;
      for (const std::uint32_t symbol : plan::pins_of(pinned)) {
        const Interval range = pinned.symbols[symbol].range;
        variant.pins.push_back({symbol, range.lo, range.hi});
      }
      variant.workspace_bytes = Names::workspace_bytes(pinned);
      model.variants.push_back(std::move(variant));
    }
    for (const plan::Kernel& kernel : pinned.kernels)
      model.kernels.push_back(describe(pinned, kernel, pins));
    add_self_test(pinned, model);
    workspace = plan::larger(workspace, pinned.workspace_bytes, plan.ranges());
  }
  for (const std::int64_t rows : {1, 64}) {
    model.workspaces.push_back(
        {rows, plan::bytes_at(plan, rows), plan::least_bytes_at(plan, rows)});
  }
  for (const plan::Block& block : plan.blocks)
    model.blocks.push_back({block.first, block.last, block.extent.str(), block.size});
  for (const plan::Fork& fork : plan.forks) {
    model.forks.emplace_back();
    for (const plan::Fork::Part& part : fork.parts)
      model.forks.back().emplace_back(part.first, part.last);
  }
  if (object.weights_bytes > 0) model.weights = Names::weights(object.name);
  model.weights_bytes = object.weights_bytes;
  model.workspace_bytes = Names::workspace_bytes(plan);
  model.shapes = Names::shapes(plan);
  // The caller's memory may begin anywhere: 63 bytes to align it.
  model.workspace_formula = workspace.is(0) ? "0" : (workspace + 63).str();
  for (const passes::Applied& pass : planned.log) {
    if (pass.round > 0 && pass.report.times == 0) continue;
    write::PassInterface line{std::string(pass.pass),
                              std::string(passes::name(pass.numerics)),
                              pass.report.times,
                              static_cast<std::int64_t>(pass.before.nodes),
                              static_cast<std::int64_t>(pass.after.nodes),
                              {}};
    for (const passes::Missed& missed : pass.report.missed)
      line.remarks.push_back(fmt::format("{}: {}", missed.node, missed.reason));
    model.passes.push_back(std::move(line));
  }
  return model;
}

Expected<std::vector<Tensor>> self_test_inputs(const Graph& graph, std::uint64_t seed,
                                               const SymbolValues& symbols) {
  std::vector<Tensor> inputs;
  std::uint64_t first = 0;
  for (const ValueId id : graph.inputs()) {
    std::vector<std::int64_t> shape;
    for (const Dim& dim : graph.type(id).shape) {
      INGOT_ASSIGN(const std::int64_t size, dim.evaluate(symbols));
      shape.push_back(size);
    }
    INGOT_TRY(element_count(shape));
    Tensor tensor(graph.type(id).dtype, std::move(shape));
    const auto count = static_cast<std::size_t>(tensor.elements());
    self_test_fill(static_cast<std::int32_t>(tensor.dtype()), seed, first,
                   tensor.mutable_bytes().data(), count);
    first += count;
    inputs.push_back(std::move(tensor));
  }
  return inputs;
}

namespace {

/// Whether the interpreter, which holds every value, can run a graph in a reasonable time.
bool is_small(const Graph& graph, const SymbolValues& symbols, double most_elements) {
  double sum = 0;
  for (std::uint32_t i = 0; i < graph.value_count(); ++i) {
    const Expected<std::int64_t> count =
        at_most(graph.type(ValueId{i}).elements(), graph.symbols()).evaluate(symbols);
    if (!count) return false;
    if (!graph.is_constant(ValueId{i})) sum += static_cast<double>(*count);
  }
  return sum < most_elements;
}

/// The symbol that is the first size of the first input; empty: there is none.
std::string leading_symbol(const Graph& graph) {
  if (graph.inputs().empty()) return {};
  const Shape& shape = graph.type(graph.inputs().front()).shape;
  return shape.empty() ? std::string() : shape.front().symbol_name().value_or("");
}

}  // namespace

Expected<std::optional<plan::SelfTest>> make_self_test(const Graph& graph, double most_elements) {
  constexpr std::uint64_t self_test_seed = 1;
  // Small and odd; then larger, for models that ask for more of something than of something else,
  // which is seldom rows.
  const std::string rows = leading_symbol(graph);
  struct Sizes {
    std::int64_t rows, others;
  };
  for (const Sizes& sizes : {Sizes{3, 3}, {5, 5}, {3, 17}, {3, 33}, {33, 33}}) {
    plan::SelfTest test{self_test_seed, {}, 0};
    for (const Symbol& symbol : graph.symbols()) {
      if (symbol.measured()) continue;
      const std::int64_t size = symbol.name == rows ? sizes.rows : sizes.others;
      test.symbols[symbol.name] = std::clamp(size, symbol.range.lo, symbol.range.hi);
    }
    if (!is_small(graph, test.symbols, most_elements)) continue;
    const Expected<std::vector<Tensor>> inputs =
        self_test_inputs(graph, self_test_seed, test.symbols);
    if (!inputs || !bind_symbols(graph, *inputs, test.symbols)) continue;
    SymbolValues known;
    const auto outputs = interpret(graph, *inputs, test.symbols, &known);
    // Numbers at random may ask for more than a loop or a size is allowed.
    if (!outputs && outputs.error().code == ErrorCode::limit) continue;
    if (!outputs) return outputs.error();
    SelfTestHash hash;
    for (const Symbol& symbol : graph.symbols()) {
      if (symbol.measured()) hash.add_symbol(known[symbol.name]);
    }
    for (const Tensor& output : *outputs) {
      hash.add(static_cast<std::int32_t>(output.dtype()), output.bytes().data(),
               static_cast<std::size_t>(output.elements()));
    }
    test.output_hash = hash.value();
    return std::optional(test);
  }
  return std::optional<plan::SelfTest>();
}

}  // namespace ingot
