// The signatures of the labs' entry points, callable with what a request holds.
#pragma once

#include <flashlab/workspace.h>

#include <cstddef>
#include <span>

#include "device.hpp"
#include "protocol.hpp"

namespace flashlab::worker {

/// One call of a submission.
struct Call {
  void* function;                  ///< address of the entry point
  std::span<void* const> tensors;  ///< device pointers in the order of the parameters
  const protocol::CaseRequest& request;
  Workspace& workspace;
  cudaStream_t stream;
};

/// How an entry point of one kind is called.
struct EntryPoint {
  size_t tensors;  ///< how many pointers its parameters begin with
  cudaError_t (*call)(const Call& call);
};

/// The entry point of this kind; nullptr for an unknown kind.
const EntryPoint* find_entry_point(protocol::EntryKind kind);

}  // namespace flashlab::worker
