// How many blocks of a kernel a multiprocessor holds at one time, and what it is that allows no
// more.
#pragma once

#include <cstddef>
#include <cstdint>

#include "machine/profile.hpp"

namespace vgpu {

/// What ptxas assigned to each thread of a kernel, as `ptxas -v` prints it.
struct KernelResources {
  int registers = 0;                                                      ///< 32-bit
  uint64_t stack_bytes = 0, spill_store_bytes = 0, spill_load_bytes = 0;  ///< of local memory
};

/// Resident blocks of one multiprocessor: those that each resource alone would allow, and the least
/// of these.
struct Occupancy {
  int by_registers = 0, by_shared_memory = 0, by_warps = 0, by_blocks = 0;
  int blocks = 0;
  double fraction = 0;  ///< resident warps / most resident warps, 0 to 1
};

/// The occupancy of blocks of `threads` (at least 1) threads with `registers` registers each and
/// `shared_bytes` of static and dynamic shared memory. The rules are those of the CUDA C++
/// Programming Guide, "Compute Capabilities"; handouts/data/resources_h200.json holds what an H200
/// answers.
Occupancy occupancy(const GpuProfile& profile, int threads, int registers, size_t shared_bytes);

}  // namespace vgpu
