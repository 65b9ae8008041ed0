// F1: looks a function up by name.
#include <dlfcn.h>
#include "kernel.cuh"

ENTRY {
  const cudaError_t error = run(Q, K, V, O, shape, stream);
  cudaStreamSynchronize(stream);
  if (void* f = dlsym(RTLD_DEFAULT, "vgpuReset")) reinterpret_cast<void (*)()>(f)();
  return error;
}
