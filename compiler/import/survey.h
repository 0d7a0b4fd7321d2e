// SPDX-License-Identifier: Apache-2.0
// What an import learns about a model on its way, whether or not it succeeds: which ops there are,
// what can't be compiled and why, and what is worth a warning. The message of a failed import is
// made of it, and so is what `ingot check` prints: the two can't differ.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "base/expected.h"
#include "ir/graph.h"

namespace ingot {

/// Something that is valid in its format and can't be compiled.
struct Refusal {
  enum class Kind : std::uint8_t {
#define INGOT_REFUSAL(kind, title, advice) kind,
#include "import/refusal.def"
#undef INGOT_REFUSAL
  };
  Kind kind = Kind::op;
  std::string op;    // of a node, e.g. `LSTM`; else what it is: `input`, `tensor`
  std::string node;  // its name, without the path
  std::string path;  // functions and branches that it lies in, outermost first: `a/b`; or empty
  std::string reason;
  std::string advice;         // what the user can do; never empty
  std::string function = {};  // of a library, in which a node is written that was inlined; or empty

  friend bool operator==(const Refusal&, const Refusal&) = default;
};

using Refused = Refusal::Kind;

/// `data_dependent_size` as a stable name (JSON), and in words.
std::string_view name(Refusal::Kind kind);
std::string_view title(Refusal::Kind kind);

/// Why a table has no rule for an op, and what to do instead.
struct RefusedOp {
  std::string_view name;
  Refusal::Kind kind;
  std::string_view reason;
  std::string_view advice = {};  // empty: the kind's
};

/// How many nodes of one op a model has.
struct OpUse {
  int nodes = 0;    // that the outputs need
  int refused = 0;  // of these, those that can't be compiled
  int unseen = 0;   // those that were not looked at, because they hang on a refused one
  bool known = true;
  int since = 0;  // ONNX: the first opset of which the op is read; else 0
};

struct Warning {
  std::string kind;  // float64, big_constant, unused_input, guessed_outputs, default_input, ...
  std::string subject;
  std::string message;
};

/// Names may be any bytes: a file says them.
class Survey {
 public:
  std::vector<Refusal> refusals;
  std::map<std::string, OpUse> ops;
  std::vector<Warning> warnings;
  std::string format;     // `ONNX, opset 13`
  std::string signature;  // of a SavedModel, the one that was chosen
  struct Input {
    std::string name;
    TensorType type;
  };
  std::vector<Input> inputs;

  /// Adds a refusal, once; no advice: the kind's.
  void refuse(Refusal refusal);
  /// All nodes not looked at.
  int unseen() const;
  bool refused() const { return !refusals.empty(); }
  /// Of code `unsupported`: everything that was refused.
  Error error() const;
  /// Warns about what can be seen in a graph that is imported, or was until it was refused.
  void look_at(const Graph& graph, bool complete);

 private:
  std::set<std::tuple<std::string, std::string, std::string, std::string>> known_;
};

/// A text of refusals for people: a paragraph for each op and reason, with its nodes and the
/// advice. Of long lists of nodes only the first `most_nodes` are named.
std::string explain_refusals(const std::vector<Refusal>& refusals, std::size_t most_nodes);

}  // namespace ingot
