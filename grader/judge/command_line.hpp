// What the programs of the judge share in reading their command lines.
#pragma once

#include <cstdint>
#include <filesystem>
#include <stdexcept>
#include <string_view>

#include "lab.hpp"

namespace flashlab::judge {

/// A command line that cannot be understood: one line, for people.
struct UsageError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// A seed from the operating system, 0 to 2^53 - 1: exact in JSON numbers.
uint64_t random_seed();
/// The seed of FLASHLAB_SEED, where the environment has it, else random_seed(). Throws UsageError.
uint64_t default_seed();
/// The seed after --seed. Throws UsageError.
uint64_t parse_seed(std::string_view text);
/// A number from 1 to 1000 after `option`. Throws UsageError.
int parse_count(std::string_view text, const char* option);
/// "vgpu" or "cuda". Throws UsageError.
DeviceKind parse_device(std::string_view text);
/// Throws UsageError when `path` is empty, EnvironmentError when there is no such file.
void require_file(const std::filesystem::path& path, const char* option);

}  // namespace flashlab::judge
