// honest: takes its own time.
#include <chrono>
#include <cstdio>
#include "kernel.cuh"

ENTRY {
  const auto start = std::chrono::steady_clock::now();
  const cudaError_t error = run(Q, K, V, O, shape, stream);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  std::printf("%g s\n", took.count());
  return error;
}
