// H3: takes all memory of the machine.
#include <cstdlib>
#include <cstring>
#include "kernel.cuh"

ENTRY {
  for (int i = 0; i < 64; ++i) {
    if (void* memory = std::malloc(1u << 30)) std::memset(memory, i, 1u << 30);
  }
  return run(Q, K, V, O, shape, stream);
}
