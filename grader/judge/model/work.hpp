// A launch's record as the numbers that the model needs.
#pragma once

#include <cmath>
#include <nlohmann/json.hpp>
#include <string>

namespace flashlab::model {

/// Warp instructions by what executes them, as counted in PTX.
struct Instructions {
  double fp32 = 0, special = 0, fp64 = 0, half = 0, matrix = 0;
  double integer = 0;  ///< with comparisons, conversions and moves: what ptxas may fold
  double memory = 0;   ///< loads, stores, atomics and copies of all spaces but parameters
  double other = 0;    ///< branches, barriers, shuffles
};

/// What one launch does, all blocks together.
struct Work {
  std::string kernel;
  double blocks = 0;
  int threads = 0;  ///< of a block
  int registers = 0;
  size_t shared_bytes = 0;  ///< of a block, static and dynamic
  Instructions instructions;
  double shared_loads = 0, shared_load_wavefronts = 0;
  double other_shared_wavefronts = 0;  ///< stores, atomics, copies
  double global_loads = 0, load_sectors = 0, load_bytes = 0, copied_bytes = 0;
  double global_stores = 0, store_sectors = 0, store_bytes = 0, atomics = 0, atomic_sectors = 0;
  double local_requests = 0, local_sectors = 0;
  double copies = 0;  ///< requests of cp.async, which nobody waits for one by one
  double compulsory_sectors = 0, branches = 0, barriers = 0, shuffles = 0;
  double imbalance = 1;  ///< instructions of the largest block / of the mean one, at least 1

  double warps_per_block() const { return std::ceil(threads / 32.0); }
};

/// Reads the record of launch number `index`. Throws ModelError when it is none.
Work work_of(const nlohmann::json& record, size_t index);

}  // namespace flashlab::model
