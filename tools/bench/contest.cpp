// SPDX-License-Identifier: Apache-2.0
#include "contest.h"

#include <memory>

#include "clock.h"
#include "compare.h"
#include "statistics.h"

namespace ingot::bench {
namespace {

struct Entrant {
  std::unique_ptr<Contender> contender;
  Result* result;
};

/// Opens the model and makes the first call; null if one of them fails.
std::unique_ptr<Contender> open(Engine& engine, const Question& question,
                                std::vector<Tensor>& reference, Result& result) {
  Expected<std::unique_ptr<Contender>> contender = engine.open(question);
  if (!contender) {
    result.error = contender.error().message;
    return nullptr;
  }
  result.load_ms = (*contender)->load_ms;
  result.note = (*contender)->note;
  const double begin = seconds_now();
  const Expected<void> first = (*contender)->run();
  result.first_ms = (seconds_now() - begin) * 1e3;
  Expected<std::vector<Tensor>> outputs =
      first ? (*contender)->outputs() : Expected<std::vector<Tensor>>(first.error());
  if (!outputs) {
    result.error = outputs.error().message;
    return nullptr;
  }
  if (reference.empty()) {
    result.agreement = "reference";
    reference = std::move(*outputs);
  } else {
    compare(*outputs, reference, engine.same_bits, result);
  }
  return std::move(*contender);
}

void keep(const std::vector<Sampled>& sampled, const std::vector<Entrant>& entrants,
          std::optional<Figures> Result::* mode) {
  for (std::size_t i = 0; i < sampled.size(); ++i) {
    Result& result = *entrants[i].result;
    if (!sampled[i].error.empty()) result.error = sampled[i].error;
    if (sampled[i].figures.samples > 0) result.*mode = sampled[i].figures;
  }
}

}  // namespace

std::vector<Result> contest(const Question& question, std::span<Engine* const> engines,
                            const Rules& rules) {
  std::vector<Result> results(engines.size());
  std::vector<Entrant> entrants;
  std::vector<Tensor> reference;
  for (std::size_t i = 0; i < engines.size(); ++i) {
    results[i].engine = engines[i]->name;
    rules.progress(engines[i]->name);
    if (auto contender = open(*engines[i], question, reference, results[i]))
      entrants.push_back({std::move(contender), &results[i]});
  }
  // Those that have tools of their own to time them take no turns.
  std::erase_if(entrants, [&](const Entrant& one) {
    rules.progress(one.result->engine + " by its own tool");
    const Expected<std::vector<double>> own = one.contender->measure(rules.pace.seconds);
    if (!own) one.result->error = own.error().message;
    if (own && !own->empty()) {
      Figures figures = figures_of(*own, 1);
      figures.steady = figures.uncertainty <= rules.pace.uncertainty * figures.median;
      one.result->hot = figures;
    }
    return !own || !own->empty();
  });
  std::vector<Contender*> contenders;
  for (const Entrant& one : entrants) contenders.push_back(one.contender.get());
  rules.progress("hot calls");
  keep(sample_hot(contenders, rules.pace), entrants, &Result::hot);
  if (rules.evictor != nullptr) {
    rules.progress("cold calls");
    keep(sample_cold(contenders, rules.pace, *rules.evictor, rules.clock_us), entrants,
         &Result::cold);
  }
  return results;
}

}  // namespace ingot::bench
