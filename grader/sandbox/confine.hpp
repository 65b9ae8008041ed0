// What flashlab-confine takes away. Each throws std::system_error when the system cannot do it.
#pragma once

#include <string>
#include <vector>

namespace flashlab::sandbox {

/// From now on this thread, and what it executes or forks, opens nothing but what lies under
/// `readable` (to read and execute) and `writable` (to do anything with). Paths that do not exist
/// are left out. Source: Linux, Documentation/userspace-api/landlock.rst.
void confine_files(const std::vector<std::string>& readable,
                   const std::vector<std::string>& writable);

/// From now on the system calls that reach other processes, the network or rarely used parts of the
/// kernel fail with EPERM. `gpu` allows local sockets that nothing can be sent through: NVIDIA's
/// driver binds one. Source: Linux, Documentation/userspace-api/seccomp_filter.rst.
void confine_system_calls(bool gpu);

}  // namespace flashlab::sandbox
