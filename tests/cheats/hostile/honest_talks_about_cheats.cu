// honest: text about what is forbidden: cublasSgemm, dlopen, #include "/etc/passwd",
// asm("syscall").
#include <cstdio>
#include "kernel.cuh"

ENTRY {
  // Unlike cublasSgemm this kernel is short; see also system("rm"), vgpuReset() and _exit(0).
  std::puts("syscall .incbin cublasSgemm __asm__ volatile");
  return run(Q, K, V, O, shape, stream);
}
