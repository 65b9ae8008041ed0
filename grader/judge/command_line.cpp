#include "command_line.hpp"

#include <sys/random.h>

#include <charconv>
#include <cstdlib>
#include <string>

namespace flashlab::judge {
namespace {

constexpr uint64_t kMaxSeed = (uint64_t{1} << 53) - 1;

}  // namespace

uint64_t random_seed() {
  uint64_t seed = 0;
  if (getentropy(&seed, sizeof seed) != 0) throw EnvironmentError("no entropy for a seed");
  return seed & kMaxSeed;
}

uint64_t default_seed() {
  const char* given = std::getenv("FLASHLAB_SEED");
  return given == nullptr ? random_seed() : parse_seed(given);
}

uint64_t parse_seed(std::string_view text) {
  uint64_t seed = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seed);
  if (error != std::errc() || end != text.data() + text.size() || seed > kMaxSeed) {
    throw UsageError("the seed is an integer from 0 to 2^53 - 1, not '" + std::string(text) + "'");
  }
  return seed;
}

int parse_count(std::string_view text, const char* option) {
  int count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc() || end != text.data() + text.size() || count < 1 || count > 1000) {
    throw UsageError(std::string(option) + " needs a number from 1 to 1000, not '" +
                     std::string(text) + "'");
  }
  return count;
}

DeviceKind parse_device(std::string_view text) {
  if (text == "vgpu") return DeviceKind::kVirtual;
  if (text == "cuda") return DeviceKind::kCuda;
  throw UsageError("--device needs vgpu or cuda, not '" + std::string(text) + "'");
}

void require_file(const std::filesystem::path& path, const char* option) {
  if (path.empty()) throw UsageError(std::string(option) + " is missing");
  if (!std::filesystem::is_regular_file(path)) {
    throw EnvironmentError(std::string(option) + ": no such file: " + path.string());
  }
}

}  // namespace flashlab::judge
