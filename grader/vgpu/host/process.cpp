#include "host/process.hpp"

#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace vgpu::host {
namespace {

/// A file that exists in memory only and is closed at the end.
class MemoryFile {
 public:
  MemoryFile() : descriptor_(memfd_create("vgpu", MFD_CLOEXEC)) {
    if (descriptor_ < 0) throw ProcessError(std::string("no file in memory: ") + strerror(errno));
  }
  ~MemoryFile() { close(descriptor_); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;

  int descriptor() const { return descriptor_; }

  void write(const std::string& text) const {
    for (size_t done = 0; done < text.size();) {
      const ssize_t count = ::write(descriptor_, text.data() + done, text.size() - done);
      if (count < 0)
        throw ProcessError(std::string("no room for a file in memory: ") + strerror(errno));
      done += static_cast<size_t>(count);
    }
    lseek(descriptor_, 0, SEEK_SET);
  }

  std::string read() const {
    std::string text;
    std::array<char, 4096> piece{};
    lseek(descriptor_, 0, SEEK_SET);
    for (ssize_t count = 0; (count = ::read(descriptor_, piece.data(), piece.size())) > 0;)
      text.append(piece.data(), static_cast<size_t>(count));
    return text;
  }

 private:
  int descriptor_;
};

std::string first_line(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

}  // namespace

std::string run_program(const std::vector<std::string>& words, const std::string& input) {
  const MemoryFile in, out;
  in.write(input);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in.descriptor(), STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, out.descriptor(), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, out.descriptor(), STDERR_FILENO);
  std::vector<char*> arguments;
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  pid_t process = 0;
  const int error =
      posix_spawnp(&process, words[0].c_str(), &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) throw ProcessError(words[0] + " cannot be run: " + strerror(error));
  int status = 0;
  pid_t ended = 0;
  while ((ended = waitpid(process, &status, 0)) < 0 && errno == EINTR) {
  }
  std::string text = out.read();
  if (ended != process || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
    throw ProcessError(words[0] + " failed: " + (text.empty() ? "no output" : first_line(text)));
  return text;
}

}  // namespace vgpu::host
