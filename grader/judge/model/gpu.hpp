// What the model has to know of a GPU, read from a file of grader/judge/gpus/.
#pragma once

#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

#include "machine/profile.hpp"

namespace flashlab::model {

/// A GPU's profile or a launch record that cannot be used; one line that names the file or the
/// launch, and what is wrong with it.
struct ModelError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// A GPU as its profile describes it. The profiles name a source for each number.
struct GpuProfile {
  std::string id;           ///< the file's name without .toml: "h200"
  std::string name;         ///< "NVIDIA H200"
  vgpu::GpuProfile limits;  ///< of a multiprocessor: how many blocks fit (machine/occupancy.hpp)

  // A multiprocessor's rates: lanes per cycle, but for these three.
  double issue = 0;                   ///< warp instructions per cycle
  double shared_bytes_per_cycle = 0;  ///< shared memory and L1
  double l2_bytes_per_cycle = 0;      ///< most that one multiprocessor reads from L2
  double fma = 0, integer = 0, mufu = 0, fp64 = 0, lsu = 0;
  double tensor = 0;  ///< 16-bit multiply-adds per cycle

  // Of the whole chip.
  double blocks_per_cycle = 0;  ///< that it can start
  double clock_hz = 0;
  double dram_bytes_per_second = 0, l2_bytes_per_second = 0;
  double l2_bytes = 0;  ///< size

  // Cycles from an instruction's issue to the use of its result.
  double arithmetic_latency = 0, shared_latency = 0, l1_latency = 0, l2_latency = 0,
         dram_latency = 0;

  double floor_seconds = 0;  ///< an empty kernel's time
};

/// Reads a profile. Throws ModelError when the file is missing, is no TOML, or lacks a number, has
/// one that is not above zero, or a key that nobody knows.
GpuProfile load_gpu(const std::filesystem::path& file);

/// The ids of the profiles in a folder, sorted. Throws ModelError when there is none.
std::vector<std::string> known_gpus(const std::filesystem::path& folder);

}  // namespace flashlab::model
