#include "client/process.hpp"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

#include "lab.hpp"
#include "text.hpp"
#include "worker/protocol.hpp"

namespace flashlab::judge {
namespace {

constexpr int kHighFd = 100;  // above every number that the child assigns

std::vector<char*> pointers(const std::vector<std::string>& words) {
  std::vector<char*> result;
  result.reserve(words.size() + 1);
  for (const std::string& word : words) result.push_back(const_cast<char*>(word.c_str()));
  result.push_back(nullptr);
  return result;
}

/// Runs in the child, between fork and exec. On failure writes errno to `error_fd` and exits.
[[noreturn]] void execute(const ProcessSpec& spec, char* const* argv, char* const* environment,
                          int error_fd) {
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  const rlimit no_core{0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
  // First out of the way, then to the final numbers, so that no number is overwritten before it was
  // copied.
  const int socket = fcntl(spec.socket_fd, F_DUPFD, kHighFd);
  const int memory = fcntl(spec.memory_fd, F_DUPFD, kHighFd);
  const int output = fcntl(spec.output_fd, F_DUPFD, kHighFd);
  const int error = fcntl(error_fd, F_DUPFD_CLOEXEC, kHighFd);
  const int null = fcntl(open("/dev/null", O_RDONLY), F_DUPFD, kHighFd);
  dup2(null, STDIN_FILENO);
  dup2(output, STDOUT_FILENO);
  dup2(output, STDERR_FILENO);
  dup2(socket, protocol::kSocketFd);
  dup2(memory, protocol::kMemoryFd);
  for (int fd = protocol::kMemoryFd + 1; fd < 256; ++fd) {
    if (fd != error) close(fd);
  }
  execvpe(argv[0], argv, environment);
  const int reason = errno;
  [[maybe_unused]] const ssize_t written = write(error, &reason, sizeof reason);
  _exit(127);
}

}  // namespace

void UniqueFd::reset() {
  if (fd_ >= 0) close(fd_);
  fd_ = -1;
}

Process::Process(const ProcessSpec& spec) {
  int error_pipe[2];
  if (pipe2(error_pipe, O_CLOEXEC) != 0) throw EnvironmentError("no pipe for the worker");
  const UniqueFd error_read(error_pipe[0]);
  UniqueFd error_write(error_pipe[1]);
  const std::vector<char*> argv = pointers(spec.argv), environment = pointers(spec.environment);
  pid_ = fork();
  if (pid_ < 0) throw EnvironmentError(format("cannot start a process: %s", strerror(errno)));
  if (pid_ == 0) execute(spec, argv.data(), environment.data(), error_write.get());
  setpgid(pid_, pid_);  // here too: a kill must reach the group even before the child has run
  pidfd_ = UniqueFd(static_cast<int>(syscall(SYS_pidfd_open, pid_, 0)));
  error_write.reset();
  int reason = 0;
  if (read(error_read.get(), &reason, sizeof reason) ==
      sizeof reason) {  // end of file: exec succeeded
    finish();
    throw EnvironmentError(format("cannot run %s: %s", spec.argv[0].c_str(), strerror(reason)));
  }
}

Process::~Process() {
  if (!finished_) finish();
}

ProcessEnd Process::finish() {
  finished_ = true;
  kill(-pid_, SIGKILL);
  kill(pid_, SIGKILL);
  int status = 0;
  while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFSIGNALED(status)) return {WTERMSIG(status), 0};
  const int code = WEXITSTATUS(status);
  // A sandbox around the worker reports its signal as 128 + number.
  return code > 128 && code <= 128 + SIGSYS ? ProcessEnd{code - 128, 0} : ProcessEnd{0, code};
}

}  // namespace flashlab::judge
