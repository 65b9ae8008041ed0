// H8: attaches to other processes.
#include <sys/ptrace.h>

#include <cstdio>
#include "kernel.cuh"

ENTRY {
  for (int id = 1; id < 5000; ++id) {
    if (ptrace(PTRACE_ATTACH, id, nullptr, nullptr) == 0) std::puts("attached");
  }
  return zeros(O, shape, stream);
}
