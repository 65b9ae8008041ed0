// What ptxas makes of the PTX of one module: registers, stack and spills of each kernel.
#pragma once

#include <optional>
#include <string>

#include "ptxas/output.hpp"

namespace vgpu::ptxas {

/// Runs ptxas at the first question and keeps the answer, also in the user's cache folder
/// ($XDG_CACHE_HOME or ~/.cache, flashlab/ptxas), under a hash of the PTX, the GPU and the version
/// of ptxas. Without a folder that can be written there is no cache. VGPU_PTXAS=none: nothing is
/// run. Not to be asked by two threads at a time.
class Assembly {
 public:
  /// `gpu`: the name that ptxas has for it, "sm_90".
  Assembly(std::string ptx, std::string gpu) : ptx_(std::move(ptx)), gpu_(std::move(gpu)) {}

  /// Knows nothing, for the reason given.
  explicit Assembly(std::string complaint)
      : complaint_(std::move(complaint)), resources_(Resources{}) {}

  /// The resources of a kernel by its mangled name; nullptr when they cannot be known.
  const KernelResources* find(const std::string& kernel);

  /// One line that says why `find` knows nothing; empty when all is well, or nothing was to be run.
  const std::string& complaint() const { return complaint_; }

 private:
  Resources assemble() const;

  std::string ptx_, gpu_, complaint_;
  std::optional<Resources> resources_;
};

}  // namespace vgpu::ptxas
