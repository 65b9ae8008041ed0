// B3: lets the host work behind the kernels.
#include "kernel.cuh"

static void later(void*) {}

ENTRY {
  if (cudaError_t error = cudaLaunchHostFunc(stream, later, nullptr)) return error;
  return run(Q, K, V, O, shape, stream);
}
