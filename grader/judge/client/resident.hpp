// How much memory a program and all that it started take.
#pragma once

#include <sys/types.h>

#include <cstdint>

namespace flashlab::judge {

/// Bytes of memory that `root` and its descendants have touched and not given back; a page that two
/// of them share counts twice. What cannot be read, because a process has just ended, counts
/// nothing.
uint64_t resident_bytes(pid_t root);

}  // namespace flashlab::judge
