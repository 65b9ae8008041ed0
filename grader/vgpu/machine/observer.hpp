// Checks watch a block through this interface. One object watches one block at a time, on the CPU
// thread that runs it. A launch without observers pays nothing: the fast ways of the instruction
// handlers are open only then (Warp::quick).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "machine/access_fault.hpp"

namespace vgpu {

struct Block;

/// One memory instruction of one warp, checked for bounds and alignment, before it takes effect.
struct Access {
  Warp& warp;
  const Op* op;
  MemoryKind kind;
  Intent intent;
  uint32_t size;            ///< bytes of each lane
  uint32_t lanes;           ///< that take part
  const uint64_t* address;  ///< of each of 32 lanes; in shared and local memory an offset
};

class Observer {
 public:
  virtual ~Observer() = default;
  /// A block starts. Its shared memory holds nothing yet.
  virtual void begin(const Block& block) = 0;
  virtual void access(const Access& access) = 0;
  /// The warp arrives at barrier `id` of its block.
  virtual void arrives(const Warp& warp, uint32_t id) = 0;
  /// The warp, which waited at barrier `id`, goes on.
  virtual void released(const Warp& warp, uint32_t id) = 0;
  /// Everybody has passed barrier `id`; it starts anew.
  virtual void completed(uint32_t id) = 0;
  /// The active lanes of the warp have met at __syncwarp().
  virtual void warp_synchronised(const Warp& warp) = 0;
};

/// Tells every observer of the block. Out of line: it is called from code that is compiled several
/// times.
void notify_observers(const Access& access);
void notify_warp_barrier(const Warp& warp);

/// Makes the observer of one CPU thread for launches of blocks like `block`.
using ObserverFactory = std::function<std::unique_ptr<Observer>(const Block& block)>;

}  // namespace vgpu
