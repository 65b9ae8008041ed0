#include "host/cache.hpp"

#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <sstream>

namespace vgpu::host {

namespace fs = std::filesystem;

fs::path cache_folder(const std::string& name) {
  if (const char* cache = std::getenv("XDG_CACHE_HOME"); cache != nullptr && *cache == '/')
    return fs::path(cache) / "flashlab" / name;
  if (const char* home = std::getenv("HOME"); home != nullptr && *home == '/')
    return fs::path(home) / ".cache/flashlab" / name;
  return {};
}

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

std::string read_file(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

bool write_file(const fs::path& file, const std::string& content) {
  std::error_code failed;
  fs::create_directories(file.parent_path(), failed);
  const fs::path unfinished = file.string() + "." + std::to_string(getpid());
  std::ofstream stream(unfinished, std::ios::binary);
  stream << content;
  stream.close();
  if (stream) fs::rename(unfinished, file, failed);
  if (stream && !failed) return true;
  fs::remove(unfinished, failed);
  return false;
}

}  // namespace vgpu::host
