// The PTX files that nvcc made from samples/*.cu.
#pragma once

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

namespace vgpu::ptx {

/// File names that contain `part`, sorted.
inline std::vector<std::string> sample_files(std::string_view part) {
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(PTX_SAMPLES)) {
    const std::string name = entry.path().filename().string();
    if (name.ends_with(".ptx") && name.find(part) != std::string::npos) files.push_back(name);
  }
  std::sort(files.begin(), files.end());
  return files;
}

inline std::string read_sample(const std::string& file) {
  std::ifstream stream(std::filesystem::path(PTX_SAMPLES) / file);
  return {std::istreambuf_iterator<char>(stream), {}};
}

}  // namespace vgpu::ptx
