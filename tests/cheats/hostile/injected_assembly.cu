// A4: puts assembly into the name of a section.
#include "kernel.cuh"

[[gnu::section(".data\n\tsyscall\n\t#"), gnu::used]] static int hidden = 1;

ENTRY {
  if (hidden == 7) return cudaErrorUnknown;
  return zeros(O, shape, stream);
}
