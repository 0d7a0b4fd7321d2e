// SPDX-License-Identifier: Apache-2.0
// What all importers do alike with the signature of a model: the options' view of inputs, names and
// ranges of symbols, fixed inputs, and the merging of symbols that turn out to be equal.
#pragma once

#include <variant>

#include "import/import.h"

namespace ingot {

/// A dimension as a file states it: unknown, a number, or a name.
using FileDim = std::variant<std::monostate, std::int64_t, std::string>;

struct FileInput {
  std::string name;
  std::optional<DType> dtype;
  std::optional<std::vector<FileDim>> shape;  // none: not even the rank is known
};

/// Adds an input per element, with `--input` and `--dim` applied, and declares the symbols.
/// Inputs that the options name come first, in the options' order. The result is parallel to
/// `inputs`. Errors: invalid_argument when type or shape is stated nowhere (the message gives the
/// option to use), or when the options contradict the file. A range of another
/// name is kept for asked_of_measured.
Expected<std::vector<ValueId>> add_inputs(Graph& graph, const std::vector<FileInput>& inputs,
                                          const ImportOptions& options);

/// The value of `--constant NAME=VALUE` for an input of this type and shape: one number for all
/// elements, or a list of all of them.
Expected<Tensor> parse_constant(const FileInput& input, const std::string& value);

/// What `--dim` says of a name that no input mentions: something may yet be measured by it. Until
/// the model is read, that is the range of a symbol whose name nothing else can have.
const Interval* asked_of_measured(const Graph& graph, std::string_view symbol);
/// Takes these symbols out again. Errors: invalid_argument when nothing is measured by such a name.
Expected<void> settle_measured(Graph& graph, const ImportOptions& options);

/// The option's entry for an input; names of a graph's values may be written with `:0`.
const InputSpec* find_spec(const ImportOptions& options, std::string_view name);

/// Names go into messages and JSON, which must be UTF-8. Overlong forms pass: nobody compares them.
bool is_utf8(std::string_view text);

/// Puts a number or another symbol in the place of each symbol that a constraint says is equal to
/// it; the symbol declared first stays.
Expected<void> merge_symbols(Graph& graph);

}  // namespace ingot
