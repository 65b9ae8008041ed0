// F1: has a library do the work.
#include <cublas_v2.h>
#include "kernel.cuh"

ENTRY {
  cublasHandle_t handle;
  cublasCreate(&handle);
  return run(Q, K, V, O, shape, stream);
}
