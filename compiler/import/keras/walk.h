// SPDX-License-Identifier: Apache-2.0
// Writes the layers of a model as core ops, call by call, and puts down what can't be compiled.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "import/keras/context.h"
#include "import/keras/model.h"
#include "import/survey.h"

namespace ingot::keras {

class Walker : public Surroundings {
 public:
  Walker(Graph& graph, const VariableFile& file, bool keras2, Survey& survey)
      : graph_(graph), file_(file), keras2_(keras2), survey_(survey) {}

  /// The results of all calls that are wanted, by their place among the model's; those of `given`
  /// are there already. `path`: of the models around. Errors: invalid_model, limit.
  Expected<std::vector<Flows>> walk(const Model& model, const std::vector<Reference>& wanted,
                                    const std::vector<std::pair<Reference, Flow>>& given,
                                    bool training, const std::string& path);
  /// One of them.
  static Expected<Flow> find(const Model& model, const std::vector<Flows>& results,
                             const Reference& reference);

  bool keras2() const override { return keras2_; }
  Expected<ValueId> read(const Variable& variable, const Layer& layer) override;
  Expected<Flows> run(const Layer& layer, const Call& call, const std::string& path) override;

  /// Counts what the table says of all layers, where nothing was walked.
  void skim(const Layer& model, const std::string& path);

 private:
  Expected<Flows> run_model(const Layer& layer, const Call& call, const std::string& path);
  Expected<Flows> run_row(const Layer& layer, const Call& call, const std::string& path);
  void refuse(const Layer& layer, const std::string& path, Refusal refusal);
  /// What the table alone says against a layer; none where it has a row.
  static std::optional<Refusal> refused_by_table(const Layer& layer);

  Graph& graph_;
  const VariableFile& file_;
  bool keras2_;
  Survey& survey_;
  std::map<std::string, ValueId> read_;
  std::size_t calls_ = 0;
};

}  // namespace ingot::keras
