#include "ptxas/assembly.hpp"

#include <cstdlib>
#include <filesystem>

#include "host/cache.hpp"
#include "host/process.hpp"
#include "ptxas/program.hpp"

namespace vgpu::ptxas {
namespace {

namespace fs = std::filesystem;

std::optional<Resources> read_cache(const fs::path& file) {
  const std::string text = host::read_file(file);
  if (text.empty()) return std::nullopt;
  try {
    return parse_output(text);
  } catch (const PtxasError&) {
    return std::nullopt;  // cut short: it is made again
  }
}

}  // namespace

Resources Assembly::assemble() const {
  const std::string program = find_program();
  const std::string version = host::run_program({program, "--version"}, "");
  const fs::path folder = host::cache_folder("ptxas");
  const fs::path file = folder / (host::hash(version + '\n' + gpu_ + '\n' + ptx_) + "-" +
                                  std::to_string(ptx_.size()));
  if (!folder.empty())
    if (auto cached = read_cache(file)) return *cached;
  // Its input by name: ptxas would copy "-" to a file in /tmp, where a sandbox may allow none.
  const std::string text = host::run_program(
      {program, "-v", "--gpu-name", gpu_, "-o", "/dev/null", "/proc/self/fd/0"}, ptx_);
  Resources resources = parse_output(text);
  if (!folder.empty()) host::write_file(file, text);
  return resources;
}

const KernelResources* Assembly::find(const std::string& kernel) {
  if (!resources_) {
    resources_.emplace();
    const char* setting = std::getenv("VGPU_PTXAS");
    if (setting != nullptr && std::string(setting) == "none") return nullptr;
    try {
      resources_ = assemble();
    } catch (const std::runtime_error& error) {
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
