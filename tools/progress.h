// SPDX-License-Identifier: Apache-2.0
// A line on the terminal that says what takes so long.
#pragma once

#include <condition_variable>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

namespace ingot::tools {

/// Shows on standard error what is being done and for how long, once that is more than a second,
/// and wipes it when it is destroyed. Nothing is shown where standard error is no terminal.
class Progress {
 public:
  Progress();
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// Thread-safe.
  void now(std::string_view what);

 private:
  void show();

  std::mutex mutex_;
  std::condition_variable wake_;
  std::string what_;
  bool done_ = false;
  std::thread thread_;
};

}  // namespace ingot::tools
