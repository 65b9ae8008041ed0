#include "ptxas/program.hpp"

#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <sstream>

namespace vgpu::ptxas {
namespace {

namespace fs = std::filesystem;

std::string variable(const char* name) {
  const char* text = std::getenv(name);
  return text != nullptr ? text : "";
}

/// A file that exists in memory only and is closed at the end.
class MemoryFile {
 public:
  MemoryFile() : descriptor_(memfd_create("ptxas", MFD_CLOEXEC)) {
    if (descriptor_ < 0) throw PtxasError(std::string("no file for ptxas: ") + strerror(errno));
  }
  ~MemoryFile() { close(descriptor_); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;

  int descriptor() const { return descriptor_; }

  void write(const std::string& text) const {
    for (size_t done = 0; done < text.size();) {
      const ssize_t count = ::write(descriptor_, text.data() + done, text.size() - done);
      if (count < 0) throw PtxasError(std::string("no room for the PTX: ") + strerror(errno));
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

std::string find_program() {
  if (std::string named = variable("VGPU_PTXAS"); !named.empty()) {
    if (access(named.c_str(), X_OK) == 0) return named;
    throw PtxasError("VGPU_PTXAS=" + named + " is not a program");
  }
  std::vector<fs::path> folders;
  std::istringstream path(variable("PATH"));
  for (std::string folder; std::getline(path, folder, ':');) {
    if (folder.empty()) continue;
    folders.emplace_back(folder);
    std::error_code missing;
    const fs::path nvcc = fs::canonical(fs::path(folder) / "nvcc", missing);  // follows links
    if (!missing) folders.push_back(nvcc.parent_path());
  }
  for (const std::string& toolkit : {variable("CUDA_HOME"), variable("CUDA_PATH"),
                                     std::string(VGPU_TOOLKIT), std::string("/usr/local/cuda")})
    if (!toolkit.empty()) folders.push_back(fs::path(toolkit) / "bin");
  for (const fs::path& folder : folders)
    if (fs::path program = folder / "ptxas"; access(program.c_str(), X_OK) == 0) return program;
  throw PtxasError("no ptxas of a CUDA Toolkit was found");
}

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
      posix_spawn(&process, words[0].c_str(), &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) throw PtxasError(words[0] + " cannot be run: " + strerror(error));
  int status = 0;
  pid_t ended = 0;
  while ((ended = waitpid(process, &status, 0)) < 0 && errno == EINTR) {
  }
  std::string text = out.read();
  if (ended != process || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
    throw PtxasError(words[0] + " failed: " + (text.empty() ? "no output" : first_line(text)));
  return text;
}

}  // namespace vgpu::ptxas
