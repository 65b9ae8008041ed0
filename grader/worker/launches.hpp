// Kernel launches, counted on every device: the worker's own cudaLaunchKernel and its sisters stand
// before those of libcudart, because the dynamic linker looks into the program first.
#pragma once

#include <cstdint>

namespace flashlab::worker {

/// What was launched since the last call of reset_launches().
struct Launches {
  uint64_t launches = 0;
  uint64_t threads = 0;  ///< of all grids together
};

/// Starts to count anew.
void reset_launches();

/// What was launched without an error.
Launches count_launches();

}  // namespace flashlab::worker
