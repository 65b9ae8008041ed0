// Works on a stream of its own, tied to the one that was given by events, as libraries do.
#include "honest.cuh"

CHEAT_ENTRY {
  static cudaStream_t mine = nullptr;
  static cudaEvent_t begin = nullptr, end = nullptr;
  if (mine == nullptr) {
    cudaStreamCreateWithFlags(&mine, cudaStreamNonBlocking);
    cudaEventCreateWithFlags(&begin, cudaEventDisableTiming);
    cudaEventCreateWithFlags(&end, cudaEventDisableTiming);
  }
  cudaEventRecord(begin, stream);
  cudaStreamWaitEvent(mine, begin, 0);
  const cudaError_t error = honest_work(a, mine);
  cudaEventRecord(end, mine);
  cudaStreamWaitEvent(stream, end, 0);
  return error;
}
