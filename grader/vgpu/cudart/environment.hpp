// The settings of a process, from its environment. `vgpu --help` documents them.
#pragma once

#include <string>
#include <vector>

#include "observe/checks.hpp"

namespace vgpu::cudart {

struct Environment {
  enum class Counters { None, Table, Json };

  unsigned threads = 0;        ///< VGPU_THREADS: CPU threads that run blocks; 0: one per core
  Checks checks;               ///< VGPU_CHECK: none, all, or names separated by commas
  double timeout_seconds = 0;  ///< VGPU_TIMEOUT: wall time of one launch; 0: no limit
  Counters counters = Counters::None;  ///< VGPU_COUNTERS=table|json[:FILE]
  std::string counters_file;           ///< empty: stderr
  bool quiet = false;                  ///< VGPU_QUIET=1: no messages on stderr
  std::vector<std::string>
      complaints;  ///< one line for each setting that was not understood and is ignored

  static Environment read();
};

}  // namespace vgpu::cudart
