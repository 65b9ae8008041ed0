// A2: a function that is chosen, by its own code, while it is loaded.
#include "kernel.cuh"

static int one() {
  return 1;
}
extern "C" {
static int (*choose())() {
  return one;
}
}
static int chosen() __attribute__((ifunc("choose")));

ENTRY {
  if (chosen() == 0) return cudaErrorUnknown;
  return run(Q, K, V, O, shape, stream);
}
