// SPDX-License-Identifier: Apache-2.0
#include "threads.h"

namespace ingot::bench {

Threads::Threads(std::uint32_t count) {
  for (std::uint32_t i = 1; i < count; ++i) workers_.emplace_back([this] { work(); });
}

Threads::~Threads() {
  stop_ = true;
  ++round_;
  round_.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

void Threads::take() {
  for (std::uint32_t i = next_++; i < count_; i = next_++) {
    if (const std::int32_t answer = task_(context_, i); answer != 0) status_ = answer;
  }
}

void Threads::work() {
  for (std::uint64_t seen = 0;;) {
    round_.wait(seen);
    ++seen;
    if (stop_) return;
    take();
    if (--working_ == 0) working_.notify_one();
  }
}

std::int32_t Threads::parallel_for(void* threads, std::uint32_t count, ingot_task task,
                                   void* context) {
  auto& self = *static_cast<Threads*>(threads);
  self.count_ = count;
  self.task_ = task;
  self.context_ = context;
  self.next_ = 0;
  self.status_ = 0;
  self.working_ = static_cast<std::uint32_t>(self.workers_.size());
  ++self.round_;
  self.round_.notify_all();
  self.take();
  // Every worker has seen this round before the next one begins, so none sleeps through one.
  for (std::uint32_t left = self.working_; left != 0; left = self.working_)
    self.working_.wait(left);
  return self.status_;
}

}  // namespace ingot::bench
