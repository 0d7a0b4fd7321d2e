// SPDX-License-Identifier: Apache-2.0
#include "child.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <string_view>
#include <thread>

#include "base/file.h"

extern char** environ;

namespace ingot::bench {
namespace {

/// The status of the child once it has ended, nothing if time is up.
Expected<int> wait_for(pid_t child, double seconds) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
  auto pause = std::chrono::milliseconds(1);
  for (int status = 0;;) {
    const pid_t ended = ::waitpid(child, &status, WNOHANG);
    if (ended == child) return status;
    if (ended < 0 && errno != EINTR)
      return fail(ErrorCode::io, "cannot wait for a process: {}", std::strerror(errno));
    if (std::chrono::steady_clock::now() > end)
      return fail(ErrorCode::io, "it did not end in {} s", seconds);
    std::this_thread::sleep_for(pause);
    pause = std::min(pause * 2, std::chrono::milliseconds(50));
  }
}

std::string last_line(const std::string& path) {
  const Expected<std::vector<std::byte>> bytes = read_file(path);
  if (!bytes) return {};
  std::string_view text(reinterpret_cast<const char*>(bytes->data()), bytes->size());
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.remove_suffix(1);
  if (const std::size_t begin = text.rfind('\n'); begin != text.npos) text.remove_prefix(begin + 1);
  return std::string(text);
}

}  // namespace

Expected<void> run_child(const std::vector<std::string>& command, double seconds) {
  INGOT_CHECK(!command.empty(), "an empty command");
  INGOT_ASSIGN(const TemporaryFolder folder, TemporaryFolder::make());
  const std::string log = folder.file("stderr");
  std::vector<char*> words;
  for (const std::string& word : command) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);

  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
  ::posix_spawn_file_actions_addopen(&actions, 2, log.c_str(), O_WRONLY | O_CREAT, 0600);
  posix_spawnattr_t attributes;
  ::posix_spawnattr_init(&attributes);
  // A group of its own, so that all of it can be killed.
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
  ::posix_spawnattr_setpgroup(&attributes, 0);
  pid_t child = 0;
  const int failed = ::posix_spawnp(&child, words[0], &actions, &attributes, words.data(), environ);
  ::posix_spawnattr_destroy(&attributes);
  ::posix_spawn_file_actions_destroy(&actions);
  if (failed != 0)
    return fail(ErrorCode::io, "cannot start '{}': {}", command[0], std::strerror(failed));

  const Expected<int> status = wait_for(child, seconds);
  if (!status) {
    ::kill(-child, SIGTERM);  // lets it end what it started in groups of their own
    if (!wait_for(child, 2)) {
      ::kill(-child, SIGKILL);
      (void)wait_for(child, 10);
    }
    return fail(status.error().code, "'{}': {}", command[0], status.error().message);
  }
  if (WIFEXITED(*status) && WEXITSTATUS(*status) == 0) return {};
  if (WIFSIGNALED(*status))
    return fail(ErrorCode::runtime, "'{}' was killed by signal {}", command[0], WTERMSIG(*status));
  const std::string said = last_line(log);
  if (!said.empty()) return fail(ErrorCode::runtime, "{}", said);
  return fail(ErrorCode::runtime, "'{}' ended with status {}", command[0], WEXITSTATUS(*status));
}

}  // namespace ingot::bench
