// SPDX-License-Identifier: Apache-2.0
// One call of a layer, as the function of its row sees it: settings, operands with their masks,
// variables, and the composer that writes core ops.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "import/compose.h"
#include "import/keras/layer.h"

namespace ingot::keras {

/// What passes between layers: a value, and where Keras has one, its mask, which is false where a
/// step is to be skipped: bool [batch, steps] or what broadcasts to that. Blocked: it hangs on
/// something that was refused.
struct Flow {
  ValueId value, mask;
  bool blocked = false;
};
using Flows = std::vector<Flow>;

/// An argument of a call: tensors, or a plain value.
struct Argument {
  Flows flows;
  bool list = false;  // of tensors, though it may have one
  Json literal;       // where there are no tensors
};

struct Call {
  std::vector<Argument> positional;
  std::map<std::string, Argument, std::less<>> named;
  bool training = false;
};

/// What a layer needs of the import around it.
class Surroundings {
 public:
  virtual ~Surroundings() = default;
  /// Whether the file is one of Keras 1 or 2.
  virtual bool keras2() const = 0;
  /// A variable as a constant of the graph. Errors: invalid_model, unsupported.
  virtual Expected<ValueId> read(const Variable& variable, const Layer& layer) = 0;
  /// The results of a layer within a layer. What can't be compiled is put down as refused, and
  /// gives blocked ones.
  virtual Expected<Flows> run(const Layer& layer, const Call& call, const std::string& path) = 0;
};

class LayerContext : public Composer {
 public:
  LayerContext(Graph& graph, Surroundings& around, const Layer& layer, Call call, Policy policy,
               std::string path);

  const Layer& layer() const { return layer_; }
  bool keras2() const { return around_.keras2(); }
  DType compute_type() const { return policy_.compute; }
  /// Whether something within was refused already, so that this need not be said again.
  bool blocked() const { return blocked_; }

  // --- settings; a wrong kind is a failure ---
  const Json& setting(std::string_view key) const { return layer_.setting(key); }
  bool has(std::string_view key) const { return !setting(key).is_null(); }
  bool flag(std::string_view key, bool otherwise) const { return layer_.flag(key, otherwise); }
  std::int64_t integer(std::string_view key, std::int64_t otherwise);
  double real(std::string_view key, double otherwise);
  std::string text(std::string_view key, const std::string& otherwise);
  /// A list, or a number that stands for `count` of them.
  std::vector<std::int64_t> integers(std::string_view key, std::size_t count,
                                     std::int64_t otherwise);
  /// A list of any length; a number is a list of one.
  std::vector<std::int64_t> list(std::string_view key);
  std::vector<double> reals(std::string_view key);
  /// 1 for `channels_first`, else the last.
  bool has_channels_first();

  // --- operands ---
  const Call& call() const { return call_; }
  /// All tensors of the positional arguments.
  const Flows& inputs() const { return inputs_; }
  /// The first, of this many axes at least; floats are of the layer's own type (Keras' autocast).
  ValueId x(std::size_t min_rank = 0);
  ValueId autocast(ValueId value) {
    return is_float(dtype(value)) ? cast(value, policy_.compute) : value;
  }
  ValueId mask() const { return inputs_.empty() ? ValueId{} : inputs_[0].mask; }
  /// The same type as the layer computes in; integers, too.
  ValueId computed(ValueId value) { return cast(value, policy_.compute); }
  /// An argument by its name or its place; null where it was not given, or is None.
  const Argument* argument(std::string_view name, std::optional<std::size_t> place = {}) const;
  /// Its first tensor; none.
  std::optional<Flow> tensor(std::string_view name, std::optional<std::size_t> place = {}) const;
  bool training() const { return call_.training; }
  /// Fails, unless this is inference.
  void only_inference();

  // --- variables and layers within ---
  /// Of the layer, or of one of its parts; of the type it computes in. `rank`: how many axes it
  /// must have; -1: any.
  ValueId variable(std::string_view name, int rank = -1) { return variable(layer_, name, rank); }
  ValueId variable(const Layer& of, std::string_view name, int rank = -1);
  /// As it is stored.
  ValueId stored(const Layer& of, std::string_view name, int rank = -1);
  Flows run(const Layer& inner, Call call);
  Flows run(const Layer& inner, Flows operands);

  /// By the setting `activation` (or another); no change where it is None.
  ValueId activated(ValueId x, std::string_view key = "activation");

 private:
  bool wrong(std::string_view key, std::string_view wanted);

  Surroundings& around_;
  const Layer& layer_;
  Call call_;
  Policy policy_;
  std::string path_;
  Flows inputs_;
  bool blocked_ = false;
};

/// One of keras.activations by name or as an object, on any composer; softmax is over the last
/// axis. Refuses what is none of them. Some mean something else in Keras 2.
ValueId activate(Composer& c, const Json& activation, ValueId x, bool keras2);

}  // namespace ingot::keras
