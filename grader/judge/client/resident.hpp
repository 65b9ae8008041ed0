// What a program and all that it started take of the machine.
#pragma once

#include <sys/types.h>

#include <cstdint>

namespace flashlab::judge {

/// Bytes of memory that `root` and its descendants have touched and not given back; a page that two
/// of them share counts twice. What cannot be read, because a process has just ended, counts
/// nothing.
uint64_t resident_bytes(pid_t root);

/// For how long the thread of them that waited longest for a CPU has waited, in seconds; 0 where
/// the system does not tell. Source: Linux, Documentation/scheduler/sched-stats.rst.
double seconds_without_cpu(pid_t root);

}  // namespace flashlab::judge
