// SPDX-License-Identifier: Apache-2.0
#include "progress.h"

#include <unistd.h>

#include <chrono>
#include <cstdio>

#include "base/expected.h"

namespace ingot::tools {

Progress::Progress() {
  if (isatty(STDERR_FILENO) == 1) thread_ = std::thread([this] { show(); });
}

Progress::~Progress() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    done_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void Progress::now(std::string_view what) {
  const std::lock_guard lock(mutex_);
  what_ = what;
}

void Progress::show() {
  using namespace std::chrono_literals;
  constexpr std::size_t width = 72;  // one line of any terminal, so that it can be wiped
  const auto begin = std::chrono::steady_clock::now();
  std::unique_lock lock(mutex_);
  auto wait = 1000ms;
  bool shown = false;
  while (!wake_.wait_for(lock, wait, [this] { return done_; })) {
    const auto seconds = std::chrono::steady_clock::now() - begin;
    std::fputs(fmt::format("\r\x1b[Kingot: {} ({} s)", what_.substr(0, width),
                           std::chrono::duration_cast<std::chrono::seconds>(seconds).count())
                   .c_str(),
               stderr);
    shown = true;
    wait = 250ms;
  }
  if (shown) std::fputs("\r\x1b[K", stderr);
}

}  // namespace ingot::tools
