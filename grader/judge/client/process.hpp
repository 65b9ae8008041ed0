// A child process in its own process group, with a cleared environment and nothing inherited but
// what it is given.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace flashlab::judge {

/// A file descriptor that closes itself.
class UniqueFd {
 public:
  explicit UniqueFd(int fd = -1) : fd_(fd) {}
  ~UniqueFd() { reset(); }
  UniqueFd(UniqueFd&& other) noexcept : fd_(other.fd_) { other.fd_ = -1; }
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  int get() const { return fd_; }
  void reset();

 private:
  int fd_;
};

struct ProcessSpec {
  std::vector<std::string> argv;         ///< argv[0] is looked up on PATH when it has no slash
  std::vector<std::string> environment;  ///< "NAME=value"; the whole of it
  int socket_fd = -1, memory_fd = -1;    ///< become protocol::kSocketFd and protocol::kMemoryFd
  int output_fd = -1;                    ///< becomes stdout and stderr; stdin is /dev/null
};

/// How a process ended.
struct ProcessEnd {
  int signal = 0;  ///< that killed it, or 0
  int code = 0;    ///< exit code when signal is 0
};

class Process {
 public:
  /// Starts it. Throws EnvironmentError when it cannot be forked or its program cannot be executed.
  explicit Process(const ProcessSpec& spec);
  /// Kills the whole group and waits.
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  pid_t id() const { return pid_; }
  /// Readable once the process has ended; -1 on kernels without pidfd.
  int end_fd() const { return pidfd_.get(); }
  /// Kills the group and returns how the process had ended, or SIGKILL when it was still running.
  ProcessEnd finish();

 private:
  pid_t pid_ = -1;
  UniqueFd pidfd_;
  bool finished_ = false;
};

}  // namespace flashlab::judge
