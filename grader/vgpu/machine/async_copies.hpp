// Asynchronous copies (cp.async) that a warp has issued and not waited for. The data arrive in
// shared memory only when a thread waits for its own copies: a missing wait shows.
#pragma once

#include <cstdint>
#include <vector>

#include "machine/profile.hpp"

namespace vgpu {

struct Op;
struct Warp;

/// One cp.async instruction: each lane copies `bytes` bytes from global to shared memory.
struct AsyncCopy {
  const Op* op = nullptr;       ///< the instruction
  uint32_t lanes = 0;           ///< that have not waited for it yet
  uint32_t groups = 0;          ///< committed since it was issued: 1 when its group is the last one
  uint32_t bytes = 0;           ///< 4, 8 or 16
  uint64_t from[kWarpSize];     ///< global addresses
  uint32_t to[kWarpSize];       ///< offsets in shared memory
  uint32_t present[kWarpSize];  ///< bytes to read, at most `bytes`; zeros follow
};

/// Groups belong to threads: lanes that commit or wait apart from the others see their own groups.
class AsyncCopies {
 public:
  void clear() { pending_.clear(); }

  /// Until its lanes wait, the copy's destination in `shared` holds 0xFF bytes.
  void issue(const AsyncCopy& copy, uint8_t* shared);

  /// Closes the current group of each of `lanes`; it may be empty.
  void commit(uint32_t lanes);

  /// Carries out the copies of the warp's active lanes that at least `groups` commits followed.
  void wait(const Warp& warp, uint32_t groups);

 private:
  std::vector<AsyncCopy> pending_;
};

}  // namespace vgpu
