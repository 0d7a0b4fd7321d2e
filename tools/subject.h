// SPDX-License-Identifier: Apache-2.0
// A model that is to be measured: compiled, with its sizes and inputs.
#pragma once

#include <string>
#include <vector>

#include "bench/contender.h"
#include "cases.h"
#include "compile.h"
#include "engine.h"

namespace ingot::tools {

/// Values of symbols to measure: `N=1,16,64` and `n_pf=50`.
using SizeLists = std::map<std::string, std::vector<std::int64_t>, std::less<>>;

struct Subject {
  std::string name;
  std::string model;  // what others are given; empty for a compiled NAME.so
  std::map<std::string, std::string> constants;  // ImportOptions::constants of that
  std::string so;     // the compiled model
  std::vector<Port> inputs, outputs;
  std::vector<Symbol> symbols;
  std::string batch;             // the symbol that leads the first input; empty: none does
  std::vector<Tensor> examples;  // inputs of its first data set; empty: it has none
};

/// Compiles into `folder`. A compiled NAME.so is taken as it is.
Expected<Subject> make_subject(const Case& model, const CompileOptions& options,
                               const std::string& folder);

/// Files for inputs, `NAME=FILE.npy`, in the place of the subject's examples: one for each input.
Expected<void> feed_files(Subject& subject, const std::vector<std::string>& feeds);

/// `--size` as typed, several times: a number alone belongs to the symbol before it.
Expected<SizeLists> read_size_lists(const std::vector<std::string>& typed);

/// All combinations. Symbols that are not in `lists` have the value that the examples give them,
/// the batch 1, 16 and 64. An error for a symbol that the model does not have, and for one without
/// a value.
Expected<std::vector<SymbolValues>> sizes_of(const Subject& subject, const SizeLists& lists);

/// Inputs of these sizes, dense: rows of the examples again and again, or random numbers. `from`
/// "cases", "files", "random" or empty for whatever there is, and is told which it was.
Expected<bench::Question> make_question(const Subject& subject, const SymbolValues& sizes,
                                        std::string& from, std::uint64_t seed);

}  // namespace ingot::tools
