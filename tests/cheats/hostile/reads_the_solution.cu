// C5: prints the staff's kernel.
#include <fcntl.h>

#include <cstdio>

#define FLASHLAB_ROOT "@ROOT@"
#include "kernel.cuh"

ENTRY {
  const int file = open(FLASHLAB_ROOT "/solutions/lab1_naive/naive_attention.cu", O_RDONLY);
  std::printf("solution: %d\n", file);
  return zeros(O, shape, stream);
}
