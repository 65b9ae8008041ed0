#include "ptxas/program.hpp"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <vector>

namespace vgpu::ptxas {
namespace {

namespace fs = std::filesystem;

std::string variable(const char* name) {
  const char* text = std::getenv(name);
  return text != nullptr ? text : "";
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

}  // namespace vgpu::ptxas
