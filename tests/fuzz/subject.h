// SPDX-License-Identifier: Apache-2.0
// A compiled model that has LLVM's address sanitizer in it, and the graph that says what it means.
// The program around it must be linked with -fsanitize=address.
#pragma once

#include <ingot/load.h>

#include <optional>
#include <string>
#include <vector>

#include "base/file.h"
#include "compile.h"

namespace ingot::fuzz {

class Subject {
 public:
  /// Compiles for these CPU levels and loads the result.
  static Expected<Subject> make(const Graph& imported, const std::vector<int>& levels);
  Subject(Subject&&) = default;
  Subject(const Subject&) = delete;

  const Graph& graph() const { return graph_; }
  std::size_t variants() const { return variants_.size(); }

  struct Call {
    std::size_t variant = 0;
    std::uint32_t threads = 1;
    SymbolValues symbols;
    std::vector<Tensor> inputs;
  };
  /// Calls the model with inputs, outputs and a workspace that are exactly as long as they must be.
  /// Empty, or what is wrong: the code gives results where the interpreter refuses, or the other
  /// way round, or other bits, or raises a floating-point exception that the interpreter does not.
  /// What it reads or writes outside of its memory ends the program, as the sanitizer does.
  std::string check(const Call& call) const;

 private:
  Subject() = default;
  Graph graph_;
  std::optional<TemporaryFolder> folder_;  // reports point into the file there
  std::vector<LoadedModel> variants_;
};

}  // namespace ingot::fuzz
