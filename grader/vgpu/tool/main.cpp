// `vgpu run PROGRAM`: starts a CUDA program with the virtual GPU's libcudart in place of NVIDIA's.
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "observe/checks.hpp"
#include "tool/elf_file.hpp"

namespace fs = std::filesystem;
using vgpu::tool::ProgramError;

namespace {

constexpr char kHelp[] =
    R"(usage: vgpu run [options] PROGRAM [arguments...]
       vgpu --help | --version

Runs a CUDA program on the CPU. The program must have been linked by nvcc 12 or 13 with -cudart shared, and hold PTX:
    nvcc -arch=sm_80 -cudart shared -lineinfo -o program program.cu

options:
  --counters table|json  write what each kernel did when the program ends, to stderr
  --output FILE          write the counters to FILE instead
  --check LIST           look for mistakes: all, or names of checks separated by commas; they cost speed
  --threads N            CPU threads that run blocks (default: one per core)
  --timeout S            stop a kernel that runs longer than S seconds (default: no limit)

The exit code is the program's; 2 for wrong usage or a program that cannot be run.

environment (the options above set these; a program started without `vgpu run` obeys them too):
  VGPU_COUNTERS=table|json[:FILE]   as --counters and --output
  VGPU_THREADS=N, VGPU_TIMEOUT=S    as --threads and --timeout
  VGPU_DEVICE_MEMORY=BYTES          what cudaMalloc can give in all (default: 8 GiB); four times as much address space
                                    is reserved, and for --check 26 times that
  VGPU_CHECK=LIST                   as --check
  VGPU_PTXAS=PATH|none              ptxas for the registers in the counters (default: of the CUDA Toolkit at hand)
  VGPU_ISA=baseline|wide            vector instructions to use: AVX2 or AVX-512 (default: the widest there are)
  VGPU_COMPILE=1                    machine code for hot loops, made by g++ and kept in the user's cache folder; it takes
                                    a second or so and is worth it for kernels that run long. Not with --check
  VGPU_QUIET=1                      no messages of the virtual GPU on stderr

checks:
)";

struct Options {
  std::string counters, output, threads, timeout, check;
  char** program = nullptr;  ///< PROGRAM and its arguments, ended by null
};

template <typename Number>
bool is_number(std::string_view text, Number least) {
  Number value{};
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && end == text.data() + text.size() && value >= least &&
         std::isfinite(static_cast<double>(value));
}

Options parse(char** arguments) {
  Options options;
  for (; *arguments != nullptr && **arguments == '-'; ++arguments) {
    std::string_view name = *arguments;
    if (name == "--") {
      ++arguments;
      break;
    }
    std::string* value = name == "--counters"  ? &options.counters
                         : name == "--output"  ? &options.output
                         : name == "--threads" ? &options.threads
                         : name == "--timeout" ? &options.timeout
                         : name == "--check"   ? &options.check
                                               : nullptr;
    if (value == nullptr) throw ProgramError("unknown option " + std::string(name));
    if (*++arguments == nullptr) throw ProgramError(std::string(name) + " needs a value");
    *value = *arguments;
  }
  if (*arguments == nullptr) throw ProgramError("no program to run");
  if (!options.counters.empty() && options.counters != "table" && options.counters != "json")
    throw ProgramError("--counters is table or json, not " + options.counters);
  if (!options.output.empty() && options.counters.empty())
    throw ProgramError("--output needs --counters");
  if (!options.threads.empty() && !is_number<unsigned>(options.threads, 1))
    throw ProgramError("--threads is a number of 1 or more, not " + options.threads);
  if (!options.timeout.empty() && !is_number<double>(options.timeout, 0))
    throw ProgramError("--timeout is a number of seconds, not " + options.timeout);
  vgpu::checks_from_list(options.check);  // throws when there is no such check
  options.program = arguments;
  return options;
}

/// A path as it is, a bare name first in this folder and then in PATH.
std::string find_program(const std::string& name) {
  if (fs::is_directory(name)) throw ProgramError(name + ": is a folder, not a program");
  if (fs::exists(name)) return fs::absolute(name);
  if (name.find('/') == name.npos) {
    std::string path = std::getenv("PATH") ? std::getenv("PATH") : "";
    for (size_t begin = 0; begin < path.size();) {
      size_t end = std::min(path.find(':', begin), path.size());
      fs::path candidate = fs::path(path.substr(begin, end - begin)) / name;
      if (access(candidate.c_str(), X_OK) == 0) return candidate;
      begin = end + 1;
    }
  }
  throw ProgramError(name + ": not found");
}

/// The folder of the runtimes, beside this command: bin/vgpu and lib/libcudart.so.{12,13}.
fs::path library_folder() {
  fs::path folder = fs::read_symlink("/proc/self/exe").parent_path().parent_path() / "lib";
  for (const char* library : {"libcudart.so.12", "libcudart.so.13"})
    if (!fs::exists(folder / library))
      throw ProgramError((folder / library).string() + ": not found: build it first");
  return folder;
}

void set(const char* name, const std::string& value) {
  if (!value.empty()) setenv(name, value.c_str(), 1);
}

int run(char** arguments) {
  Options options = parse(arguments);
  std::string program = find_program(options.program[0]);
  vgpu::tool::require_runnable(program, vgpu::tool::read_elf(program));
  std::string libraries = library_folder();
  if (const char* others = std::getenv("LD_LIBRARY_PATH"); others != nullptr && *others != '\0')
    libraries += std::string(":") + others;
  set("LD_LIBRARY_PATH", libraries);
  set("VGPU_THREADS", options.threads);
  set("VGPU_TIMEOUT", options.timeout);
  set("VGPU_CHECK", options.check);
  if (!options.output.empty()) options.counters += ":" + fs::absolute(options.output).string();
  set("VGPU_COUNTERS", options.counters);
  execv(program.c_str(), options.program);
  throw ProgramError(program + ": cannot be started: " + std::strerror(errno));
}

}  // namespace

int main(int argc, char** argv) {
  std::string_view command = argc > 1 ? argv[1] : "";
  if (command == "--help" || command == "-h") {
    std::fputs(kHelp, stdout);
    for (const vgpu::CheckInfo& check : vgpu::all_checks())
      std::printf("  %-15s %s\n", check.name, check.finds);
    return 0;
  }
  if (command == "--version") {
    std::puts("vgpu " VGPU_VERSION ", CUDA runtimes 12.9 and 13.0");
    return 0;
  }
  try {
    if (command == "run") return run(argv + 2);
    throw ProgramError(command.empty() ? "no command; see vgpu --help"
                                       : "unknown command " + std::string(command));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "vgpu: %s\n", error.what());
    return 2;
  }
}
