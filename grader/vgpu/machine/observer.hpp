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
  const Warp& warp;
  const Op* op;
  MemoryKind kind;
  Intent intent;
  uint32_t size;   ///< bytes of each lane
  uint32_t lanes;  ///< that take part
  /// Of each of 32 lanes; in shared and local memory an offset. Lanes that do not take part repeat
  /// one that does.
  const uint64_t* address;
  uint64_t low, high;  ///< smallest and largest address
};

/// What happens to a block. An observer overrides what it wants to know.
class Observer {
 public:
  virtual ~Observer() = default;
  /// Whether access(), and for shared memory broadcast() and copy_landed(), are to be called.
  virtual bool watches(MemoryKind) const { return false; }
  /// A block starts. Its shared memory holds nothing yet.
  virtual void begin(const Block&) {}
  virtual void access(const Access&) {}
  /// All 32 lanes read the same `bytes` bytes of shared memory, by one instruction or by several
  /// that follow `op`. False when something may be wrong: then each instruction comes to access().
  virtual bool broadcast(const Warp&, const Op* /*op*/, uint32_t /*address*/, uint32_t /*bytes*/) {
    return true;
  }
  /// The data of a cp.async that was an access before are now in shared memory.
  virtual void copy_landed(const Access&) {}
  /// `lane` takes the value of lane `source`, which the mask of the shuffle names and which is not
  /// there.
  virtual void reads_absent_lane(const Warp&, const Op*, int /*lane*/, int /*source*/) {}
  /// The warp arrives at barrier `id` of its block.
  virtual void arrives(const Warp&, const Op*, uint32_t /*id*/) {}
  /// The warp, which waited at barrier `id`, goes on.
  virtual void released(const Warp&, uint32_t /*id*/) {}
  /// Everybody has passed barrier `id`; it starts anew.
  virtual void completed(uint32_t /*id*/) {}
  /// The active lanes of the warp have met at __syncwarp().
  virtual void warp_synchronised(const Warp&) {}
  /// The warp executes __threadfence(), __threadfence_block() or a fence like them.
  virtual void fence(const Warp&) {}
};

/// Tells every observer of the block. Out of line: they are called from code that is compiled
/// several times.
void notify_observers(const Access& access);
void notify_copy_landed(const Access& access);
void notify_absent_lane(const Warp& warp, const Op* op, int lane, int source);
void notify_warp_barrier(const Warp& warp);
void notify_fence(const Warp& warp);
/// False when an observer wants to be told instruction by instruction.
bool notify_broadcast(const Warp& warp, const Op* op, uint32_t address, uint32_t bytes);

/// Makes the observer of one CPU thread for launches of blocks like `block`; nullptr when there is
/// nothing to watch.
using ObserverFactory = std::function<std::unique_ptr<Observer>(const Block& block)>;

}  // namespace vgpu
