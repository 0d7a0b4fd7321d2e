// SPDX-License-Identifier: Apache-2.0
#include "engine.h"

#include <algorithm>

#include "bench/compiled.h"
#include "ops/interpret.h"
#include "passes/pass.h"
#include "plan/interpret.h"
#include "plan/parse.h"
#include "plan/print.h"

namespace ingot::tools {
namespace {

std::vector<Port> ports(const Graph& graph, bool outputs) {
  std::vector<Port> result;
  if (outputs) {
    for (const Output& output : graph.outputs())
      result.push_back({output.name, graph.type(output.value)});
  } else {
    for (const ValueId input : graph.inputs())
      result.push_back({graph.value(input).name, graph.type(input)});
  }
  return result;
}

class Interpreter : public Engine {
 public:
  explicit Interpreter(Graph graph) : graph_(std::move(graph)) {
    set_ports(ports(graph_, false), ports(graph_, true), graph_.symbols());
  }

  Expected<std::vector<Tensor>> run(std::span<const Tensor> inputs,
                                    const SymbolValues& sizes) override {
    INGOT_ASSIGN(const SymbolValues bound, bind(inputs, sizes));
    return interpret(graph_, inputs, bound);
  }

 private:
  Graph graph_;
};

class PlanInterpreter : public Engine {
 public:
  explicit PlanInterpreter(plan::Plan plan) : plan_(std::move(plan)) {
    set_ports(ports(plan_.inputs), ports(plan_.outputs), plan_.symbols);
  }

  Expected<std::vector<Tensor>> run(std::span<const Tensor> inputs,
                                    const SymbolValues& sizes) override {
    INGOT_ASSIGN(const SymbolValues bound, bind(inputs, sizes));
    return plan::interpret_plan(plan_, inputs, bound);
  }

 private:
  static std::vector<Port> ports(const std::vector<plan::Plan::Port>& planned) {
    std::vector<Port> result;
    for (const plan::Plan::Port& port : planned) result.push_back({port.name, port.type});
    return result;
  }

  plan::Plan plan_;
};

class Compiled : public Engine {
 public:
  static Expected<std::unique_ptr<Engine>> make(LoadedModel model) {
    auto engine = std::make_unique<Compiled>();
    engine->model_ = std::move(model);
    if (!engine->model_.ok()) {
      return fail(engine->model_.descriptor() != nullptr ? ErrorCode::unsupported : ErrorCode::io,
                  "{}", engine->model_.error().c_str());
    }
    INGOT_TRY(engine->read_descriptor());
    return std::unique_ptr<Engine>(std::move(engine));
  }

  Expected<std::vector<Tensor>> run(std::span<const Tensor> inputs,
                                    const SymbolValues& sizes) override {
    if (inputs.size() != Engine::inputs().size()) {
      return fail(ErrorCode::invalid_argument, "{} inputs given, the model has {}", inputs.size(),
                  Engine::inputs().size());
    }
    INGOT_ASSIGN(const SymbolValues bound, bind(inputs, sizes));
    SymbolValues most = bound;
    std::vector<std::int64_t> symbols;
    for (const Symbol& symbol : Engine::symbols()) {
      symbols.push_back(symbol.measured() ? -1 : bound.at(symbol.name));
      if (!symbol.bound) continue;
      INGOT_ASSIGN(most[symbol.name], symbol.bound->evaluate(bound));
    }

    std::vector<Tensor> dense, results;
    std::vector<ingot_tensor> tensors;
    for (const Tensor& input : inputs) dense.push_back(input.dense());
    for (std::size_t i = 0; i < dense.size(); ++i) {
      INGOT_TRY(check_shape(Engine::inputs()[i], dense[i], bound));
      tensors.push_back(describe(dense[i]));
    }
    for (const Port& port : outputs()) {
      INGOT_ASSIGN(std::vector<std::int64_t> shape, shape_of(port, most));
      INGOT_TRY(element_count(shape));
      results.emplace_back(port.type.dtype, std::move(shape));
    }
    for (Tensor& result : results) tensors.push_back(describe(result));

    std::uint64_t bytes = 0;
    INGOT_TRY(bench::expected(model_.workspace_bytes({symbols.data(), symbols.size()}, 1, bytes)));
    std::vector<std::byte> workspace(bytes);
    ingot_call call = make_call({symbols.data(), symbols.size()}, {tensors.data(), dense.size()},
                                {tensors.data() + dense.size(), results.size()},
                                {workspace.data(), workspace.size()});
    std::vector<std::int64_t> truth(symbols.size());
    call.struct_bytes = sizeof call;
    call.true_symbols = truth.data();
    INGOT_TRY(bench::expected(model_.run(call)));
    for (std::size_t s = 0; s < truth.size(); ++s) most[Engine::symbols()[s].name] = truth[s];
    for (std::size_t i = 0; i < results.size(); ++i) {
      INGOT_ASSIGN(std::vector<std::int64_t> shape, shape_of(outputs()[i], most));
      if (shape != results[i].shape())
        results[i] = bench::first_elements(results[i], std::move(shape));
    }
    return results;
  }

 private:
  static ingot_tensor describe(Tensor& tensor) {
    ingot_tensor result{};
    result.data = tensor.mutable_bytes().data();
    result.bytes = tensor.bytes().size();
    result.dtype = static_cast<std::int32_t>(tensor.dtype());
    result.rank = static_cast<std::uint32_t>(tensor.rank());
    return result;
  }

  static Expected<std::vector<std::int64_t>> shape_of(const Port& port,
                                                      const SymbolValues& symbols) {
    std::vector<std::int64_t> shape;
    for (const Dim& dim : port.type.shape) {
      INGOT_ASSIGN(const std::int64_t size, dim.evaluate(symbols));
      shape.push_back(size);
    }
    return shape;
  }

  static Expected<void> check_shape(const Port& port, const Tensor& tensor,
                                    const SymbolValues& symbols) {
    INGOT_ASSIGN(const std::vector<std::int64_t> shape, shape_of(port, symbols));
    if (tensor.dtype() == port.type.dtype && tensor.shape() == shape) return {};
    return fail(ErrorCode::invalid_argument, "input '{}' is {}, {} wanted", port.name,
                str(tensor.type()), str(port.type));
  }

  Expected<void> read_descriptor() {
    const ingot_model& model = *model_.descriptor();
    std::vector<Symbol> symbols;
    std::vector<Port> inputs, outputs;
    for (std::uint32_t i = 0; i < model.symbols.count; ++i) {
      const auto& symbol = *static_cast<const ingot_symbol*>(ingot_item(&model.symbols, i));
      symbols.push_back({symbol.name, {symbol.lo, symbol.hi}});
      if ((symbol.flags & INGOT_SYMBOL_DATA_DEPENDENT) == 0) continue;
      INGOT_ASSIGN(symbols.back().bound, Dim::parse(symbol.bound));
    }
    INGOT_TRY(read_ports(model.inputs, inputs));
    INGOT_TRY(read_ports(model.outputs, outputs));
    set_ports(std::move(inputs), std::move(outputs), std::move(symbols));
    return {};
  }

  static Expected<void> read_ports(const ingot_array& table, std::vector<Port>& result) {
    for (std::uint32_t i = 0; i < table.count; ++i) {
      const auto& tensor = *static_cast<const ingot_tensor_info*>(ingot_item(&table, i));
      Port port{tensor.name, {static_cast<DType>(tensor.dtype), {}}};
      for (std::uint32_t d = 0; d < tensor.dims.count; ++d) {
        const auto& dim = *static_cast<const ingot_dim*>(ingot_item(&tensor.dims, d));
        INGOT_ASSIGN(Dim size, Dim::parse(dim.text));
        port.type.shape.push_back(std::move(size));
      }
      result.push_back(std::move(port));
    }
    return {};
  }

  LoadedModel model_;
};

}  // namespace

Expected<SymbolValues> Engine::bind(std::span<const Tensor> inputs, SymbolValues sizes) const {
  for (std::size_t i = 0; i < inputs.size() && i < inputs_.size(); ++i) {
    const Shape& shape = inputs_[i].type.shape;
    if (shape.size() != inputs[i].rank()) {
      return fail(ErrorCode::invalid_argument, "input '{}' is {}, {} wanted", inputs_[i].name,
                  str(inputs[i].type()), str(inputs_[i].type));
    }
    for (std::size_t d = 0; d < shape.size(); ++d) {
      if (const auto name = shape[d].symbol_name()) sizes.emplace(*name, inputs[i].shape()[d]);
    }
  }
  for (const Symbol& symbol : symbols_) {
    if (symbol.measured()) continue;
    const auto size = sizes.find(symbol.name);
    if (size == sizes.end()) {
      return fail(ErrorCode::invalid_argument,
                  "no value for symbol {}; give one with --size {}=...", symbol.name, symbol.name);
    }
    if (size->second < symbol.range.lo || size->second > symbol.range.hi) {
      return fail(ErrorCode::limit, "symbol {} is {}, the model takes {} to {}; see --dim",
                  symbol.name, size->second, symbol.range.lo, symbol.range.hi);
    }
  }
  return sizes;
}

Expected<std::unique_ptr<Engine>> make_interpreter(const Graph& imported,
                                                   const passes::Options& options) {
  INGOT_ASSIGN(Graph graph, passes::optimize(imported, options));
  return std::unique_ptr<Engine>(std::make_unique<Interpreter>(std::move(graph)));
}

Expected<std::unique_ptr<Engine>> make_plan_interpreter(const Graph& imported,
                                                        const CompileOptions& options) {
  INGOT_ASSIGN(const Graph graph, passes::optimize(imported, options.passes));
  INGOT_ASSIGN(const plan::Plan plan, plan::make_plan(graph, options.plan));
  const std::string text = plan::print(plan).text;
  INGOT_ASSIGN(plan::Plan read, plan::parse_plan(text, plan.weights));
  if (plan::print(read).text != text)
    return fail(ErrorCode::internal, "the plan is not what its text says");
  return std::unique_ptr<Engine>(std::make_unique<PlanInterpreter>(std::move(read)));
}

namespace {
const char* or_null(const std::string& text) { return text.empty() ? nullptr : text.c_str(); }
}  // namespace

Expected<std::unique_ptr<Engine>> load_compiled(const std::string& so_path, const std::string& isa,
                                                const std::string& signature) {
  return Compiled::make(LoadedModel::load(so_path.c_str(), or_null(signature), or_null(isa)));
}

Expected<std::unique_ptr<Engine>> load_compiled(const Bundle& bundle, const std::string& isa,
                                                const std::string& signature) {
  return Compiled::make(compiler::load(bundle, or_null(isa), or_null(signature)));
}

Expected<std::unique_ptr<Engine>> compile_and_load(const Graph& imported,
                                                   const CompileOptions& options,
                                                   const std::string& isa) {
  CompileOptions shared = options;
  shared.shared = true;
  INGOT_ASSIGN(const Bundle bundle, compile_graph(imported, shared, imported.name));
  return load_compiled(bundle, isa);
}

}  // namespace ingot::tools
