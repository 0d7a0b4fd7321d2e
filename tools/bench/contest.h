// SPDX-License-Identifier: Apache-2.0
// One model at one size: all engines answer the same question, and take turns while they are timed.
#pragma once

#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "contender.h"
#include "evict.h"
#include "report.h"
#include "sample.h"

namespace ingot::bench {

struct Rules {
  Pace pace;
  Evictor* evictor = nullptr;  // null: no cold calls
  double clock_us = 0;
  std::function<void(std::string_view)> progress = [](std::string_view) {};
};

/// A result for each engine, in order. The first one that answers is the reference for the others'
/// outputs. What goes wrong with one is its result's error.
std::vector<Result> contest(const Question& question, std::span<Engine* const> engines,
                            const Rules& rules);

}  // namespace ingot::bench
