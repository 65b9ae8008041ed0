// The settings of a process, from its environment. `vgpu --help` documents them.
#pragma once

#include <string>
#include <vector>

#include "machine/profile.hpp"
#include "observe/checks.hpp"

namespace vgpu::cudart {

struct Environment {
  enum class Counters { None, Table, Json };

  unsigned threads = 0;        ///< VGPU_THREADS: CPU threads that run blocks; 0: one per core
  Checks checks;               ///< VGPU_CHECK: none, all, or names separated by commas
  size_t device_memory = 0;    ///< VGPU_DEVICE_MEMORY: bytes that cudaMalloc may give; 0: 8 GiB
  double timeout_seconds = 0;  ///< VGPU_TIMEOUT: wall time of one launch; 0: no limit
  Counters counters = Counters::None;  ///< VGPU_COUNTERS=table|json[:FILE]
  std::string counters_file;           ///< empty: stderr
  bool compile = false;                ///< VGPU_COMPILE=1: machine code for hot loops
  bool quiet = false;                  ///< VGPU_QUIET=1: no messages on stderr
  std::vector<std::string>
      complaints;  ///< one line for each setting that was not understood and is ignored

  static Environment read();
  /// The GPU that this process sees.
  GpuProfile profile() const;
};

}  // namespace vgpu::cudart
