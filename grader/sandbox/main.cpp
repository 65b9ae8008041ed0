// flashlab-confine: runs a command with fewer files and system calls. See README.md.
#include <sys/prctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <exception>
#include <stdexcept>
#include <string_view>

#include "confine.hpp"

namespace {

constexpr int kNotStarted = 125;

struct Options {
  std::vector<std::string> readable, writable;
  bool any_file = false, gpu = false;
  char** command = nullptr;
};

Options parse(char** words) {
  Options options;
  for (++words; *words != nullptr; ++words) {
    const std::string_view word = *words;
    if (word == "--") {
      options.command = words + 1;
      break;
    }
    if (word == "--any-file") {
      options.any_file = true;
      continue;
    }
    if (word == "--gpu") {
      options.gpu = true;
      continue;
    }
    const bool known = word == "--read" || word == "--write";
    if (!known || *++words == nullptr) throw std::invalid_argument(std::string(word) + "?");
    (word == "--read" ? options.readable : options.writable).emplace_back(*words);
  }
  if (options.command == nullptr || *options.command == nullptr) {
    throw std::invalid_argument("no command");
  }
  return options;
}

}  // namespace

int main(int, char** argv) {
  try {
    const Options options = parse(argv);
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) throw std::runtime_error("no_new_privs");
    if (!options.any_file) {
      flashlab::sandbox::confine_files(options.readable, options.writable);
    }
    flashlab::sandbox::confine_system_calls(options.gpu);
    execvp(*options.command, options.command);
    throw std::runtime_error(std::string(*options.command) + ": " + std::strerror(errno));
  } catch (const std::invalid_argument& error) {
    std::fprintf(stderr,
                 "flashlab-confine: %s; usage: flashlab-confine [--read PATH]... [--write PATH]... "
                 "[--any-file] [--gpu] -- COMMAND...\n",
                 error.what());
  } catch (const std::exception& error) {
    std::fprintf(stderr, "flashlab-confine: %s\n", error.what());
  }
  return kNotStarted;
}
