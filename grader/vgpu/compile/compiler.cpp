#include "compile/compiler.hpp"

#include <dlfcn.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <stdexcept>
#include <utility>
#include <vector>

#include "host/cache.hpp"
#include "host/process.hpp"
#include "isa/isa.hpp"
#include "program/region_text.hpp"

namespace vgpu::compile {
namespace {

namespace fs = std::filesystem;

constexpr const char* kProgram = "g++";

/// g++ and its flags: arithmetic as in CMakeLists.txt, add_lane_code(). No library is linked.
std::vector<std::string> command(uint32_t vector_bytes) {
  std::vector<std::string> words = {kProgram,
                                    "-O2",
                                    "-w",
                                    "-x",
                                    "c++",
                                    "-",
                                    "-shared",
                                    "-fPIC",
                                    "-nostdlib",
                                    "-fno-strict-aliasing",
                                    "-ffp-contract=off",
                                    "-fno-math-errno",
                                    "-fno-trapping-math"};
  if (vector_bytes == 64)
    words.insert(words.end(), {"-march=x86-64-v4", "-mprefer-vector-width=512"});
  else
    words.emplace_back("-march=x86-64-v3");
  return words;
}

/// Code is run as this process: nobody else may have been able to write it.
bool is_own(const fs::path& path) {
  struct stat status {};
  return stat(path.c_str(), &status) == 0 && status.st_uid == geteuid() &&
         (status.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

// A cached file is a shared library and its hash, which the loader passes over.
constexpr size_t kHashBytes = 16;
bool is_whole(const std::string& file) {
  if (file.size() <= kHashBytes) return false;
  const size_t size = file.size() - kHashBytes;
  return host::hash(file.substr(0, size)) == file.substr(size);
}

/// The shared library of a kernel's C++, in the cache folder.
fs::path make_library(const std::string& text) {
  std::vector<std::string> words = command(isa::fused().vector_bytes);
  static const std::string version = host::run_program({kProgram, "--version"}, "");
  std::string key = version;
  for (const std::string& word : words) key += '\n' + word;
  const fs::path folder = host::cache_folder("compiled");
  if (folder.empty())
    throw std::runtime_error("there is no folder for it: neither XDG_CACHE_HOME nor HOME is set");
  fs::path file =
      folder / (host::hash(key + '\n' + text) + "-" + std::to_string(text.size()) + ".so");
  if (is_own(folder) && is_own(file) && is_whole(host::read_file(file))) return file;

  std::error_code failed;
  fs::create_directories(folder, failed);
  if (!is_own(folder) || access(folder.c_str(), W_OK) != 0)
    throw std::runtime_error(folder.string() + " is not a folder that this user alone can write");
  const fs::path made = file.string() + "." + std::to_string(getpid()) + ".made";
  words.insert(words.end(), {"-o", made.string()});
  host::run_program(words, text);
  std::string library = host::read_file(made);
  fs::remove(made, failed);
  library += host::hash(library);
  if (!host::write_file(file, library))
    throw std::runtime_error(file.string() + " cannot be written");
  return file;
}

void compile(Kernel& kernel) {
  std::string text = region_prelude(isa::fused().vector_bytes);
  for (const CompiledRegion& region : kernel.regions) text += region.text;
  void* const library = dlopen(make_library(text).c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) throw std::runtime_error(dlerror());
  for (CompiledRegion& region : kernel.regions) {
    region.run = reinterpret_cast<CompiledCode>(dlsym(library, region.name.c_str()));
    region.text.clear();
  }
}

}  // namespace

std::function<void(Kernel&)> make_compiler(std::function<void(const std::string&)> say) {
  auto has_failed = std::make_shared<bool>(false);
  return [say = std::move(say), has_failed](Kernel& kernel) {
    if (*has_failed) return;
    try {
      compile(kernel);
    } catch (const std::exception& error) {
      *has_failed = true;
      say(std::string("no machine code, kernels are interpreted: ") + error.what());
    }
  };
}

}  // namespace vgpu::compile
