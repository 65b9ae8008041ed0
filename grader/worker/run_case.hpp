// One case on the device: prepare, call the submission, report what happened.
#pragma once

#include <cstddef>
#include <span>

#include "buffers.hpp"
#include "device.hpp"
#include "protocol.hpp"

namespace flashlab::worker {

/// What a timed call tells the judge while it runs.
class Gate {
 public:
  virtual ~Gate() = default;
  /// Says that everything is prepared, and returns when the clock has been started.
  virtual void wait_for_go() = 0;
  /// Stops the clock.
  virtual void done() = 0;
};

/// What a worker keeps from one case to the next.
struct Kept {
  const Device& device;
  Gate& gate;
  Arena arena;  ///< workspace of timed calls
};

/// Runs `request`, which is_servable, with the entry point at `function` (its signature is
/// request.kind) and fills the regions of `memory` that the request names. Errors become data in
/// the reply; never throws.
protocol::CaseReply run_case(Kept& kept, void* function, const protocol::CaseRequest& request,
                             std::span<std::byte> memory);

/// Whether the worker can serve this request: known kind with as many tensors as its signature has,
/// spans inside the memory, an input as large as its copy.
bool is_servable(const protocol::CaseRequest& request, size_t memory_bytes);

}  // namespace flashlab::worker
