// SPDX-License-Identifier: Apache-2.0
// Runs a model on tensors: by the interpreter, or compiled and loaded in this process.
#pragma once

#include <ingot/load.h>

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "compile.h"
#include "ir/graph.h"

namespace ingot::tools {

struct Port {
  std::string name;
  TensorType type;  // of a loaded model, expressions over its symbols
};

/// A model that can be called. One thread at a time.
class Engine {
 public:
  virtual ~Engine() = default;
  const std::vector<Port>& inputs() const { return inputs_; }
  const std::vector<Port>& outputs() const { return outputs_; }
  const std::vector<Symbol>& symbols() const { return symbols_; }

  /// `inputs` in the model's order. Symbols that the inputs' shapes do not give come from `sizes`.
  virtual Expected<std::vector<Tensor>> run(std::span<const Tensor> inputs,
                                            const SymbolValues& sizes) = 0;

  /// The values that follow from the inputs' shapes, beside those given.
  Expected<SymbolValues> bind(std::span<const Tensor> inputs, SymbolValues sizes) const;

 protected:
  /// Once, before the first call.
  void set_ports(std::vector<Port> inputs, std::vector<Port> outputs, std::vector<Symbol> symbols) {
    inputs_ = std::move(inputs);
    outputs_ = std::move(outputs);
    symbols_ = std::move(symbols);
  }

 private:
  std::vector<Port> inputs_, outputs_;
  std::vector<Symbol> symbols_;
};

/// The interpreter on the optimised graph, which is what compiled code must equal bit for bit.
Expected<std::unique_ptr<Engine>> make_interpreter(const Graph& imported,
                                                   const passes::Options& options);

/// The interpreter of plans on what is read back from the plan's text, so that a wrong plan is told
/// from wrong code, and the text known to say everything.
Expected<std::unique_ptr<Engine>> make_plan_interpreter(const Graph& imported,
                                                        const CompileOptions& options);

/// A compiled model; `isa` ("v3") asks for one variant, empty for the best that this CPU has, and
/// `signature` for one of several models, empty for the first.
Expected<std::unique_ptr<Engine>> load_compiled(const std::string& so_path, const std::string& isa,
                                                const std::string& signature = "");
Expected<std::unique_ptr<Engine>> load_compiled(const Bundle& bundle, const std::string& isa,
                                                const std::string& signature = "");

/// Compiles and loads without a file.
Expected<std::unique_ptr<Engine>> compile_and_load(const Graph& imported,
                                                   const CompileOptions& options,
                                                   const std::string& isa);

}  // namespace ingot::tools
