// SPDX-License-Identifier: Apache-2.0
// Threads that wait for the tasks of a call, as a program's own pool does.
#pragma once

#include <ingot/abi.h>

#include <atomic>
#include <thread>
#include <vector>

namespace ingot::bench {

class Threads {
 public:
  /// `count` in all, of which the one that calls run() is one.
  explicit Threads(std::uint32_t count);
  ~Threads();
  Threads(const Threads&) = delete;
  Threads& operator=(const Threads&) = delete;

  /// An ingot_parallel_for whose user pointer is a Threads. From one thread at a time.
  static std::int32_t parallel_for(void* threads, std::uint32_t count, ingot_task task,
                                   void* context);

 private:
  void work();
  void take();

  std::vector<std::thread> workers_;
  std::atomic<std::uint64_t> round_{0};  // a new number wakes the workers
  std::atomic<std::uint32_t> next_{0}, working_{0};
  std::atomic<std::int32_t> status_{0};
  std::atomic<bool> stop_{false};
  std::uint32_t count_ = 0;
  ingot_task task_ = nullptr;
  void* context_ = nullptr;
};

}  // namespace ingot::bench
