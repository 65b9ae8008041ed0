#include "ptxas/assembly.hpp"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "ptxas/program.hpp"

namespace vgpu::ptxas {
namespace {

namespace fs = std::filesystem;

/// FNV-1a, 64 bits, as 16 hexadecimal digits.
std::string hash(const std::string& text) {
  uint64_t state = 0xCBF29CE484222325;
  for (const char c : text) state = (state ^ static_cast<uint8_t>(c)) * 0x100000001B3;
  std::ostringstream digits;
  digits << std::hex;
  digits.width(16);
  digits.fill('0');
  digits << state;
  return digits.str();
}

/// Empty when the user has no cache folder.
fs::path cache_folder() {
  if (const char* cache = std::getenv("XDG_CACHE_HOME"); cache != nullptr && *cache == '/')
    return fs::path(cache) / "flashlab/ptxas";
  if (const char* home = std::getenv("HOME"); home != nullptr && *home == '/')
    return fs::path(home) / ".cache/flashlab/ptxas";
  return {};
}

std::optional<Resources> read_cache(const fs::path& file) {
  std::ifstream stream(file);
  if (!stream) return std::nullopt;
  std::ostringstream text;
  text << stream.rdbuf();
  try {
    return parse_output(text.str());
  } catch (const PtxasError&) {
    return std::nullopt;  // cut short: it is made again
  }
}

/// In one step, so that no other process reads half of it. Failures only cost the next run's time.
void write_cache(const fs::path& file, const std::string& text) {
  std::error_code ignored;
  fs::create_directories(file.parent_path(), ignored);
  const fs::path unfinished = file.string() + "." + std::to_string(getpid());
  std::ofstream stream(unfinished);
  stream << text;
  stream.close();
  if (stream)
    fs::rename(unfinished, file, ignored);
  else
    fs::remove(unfinished, ignored);
}

}  // namespace

Resources Assembly::assemble() const {
  const std::string program = find_program();
  const std::string version = run_program({program, "--version"}, "");
  const fs::path folder = cache_folder();
  const fs::path file =
      folder / (hash(version + '\n' + gpu_ + '\n' + ptx_) + "-" + std::to_string(ptx_.size()));
  if (!folder.empty())
    if (auto cached = read_cache(file)) return *cached;
  // Its input by name: ptxas would copy "-" to a file in /tmp, where a sandbox may allow none.
  const std::string text =
      run_program({program, "-v", "--gpu-name", gpu_, "-o", "/dev/null", "/proc/self/fd/0"}, ptx_);
  Resources resources = parse_output(text);
  if (!folder.empty()) write_cache(file, text);
  return resources;
}

const KernelResources* Assembly::find(const std::string& kernel) {
  if (!resources_) {
    resources_.emplace();
    const char* setting = std::getenv("VGPU_PTXAS");
    if (setting != nullptr && std::string(setting) == "none") return nullptr;
    try {
      resources_ = assemble();
    } catch (const PtxasError& error) {
      complaint_ = error.what();
    }
  }
  const auto found = resources_->find(kernel);
  if (found != resources_->end()) return &found->second;
  if (complaint_.empty() && !resources_->empty())
    complaint_ = "ptxas does not know the kernel `" + kernel + "`";
  return nullptr;
}

}  // namespace vgpu::ptxas
