// Crashes for one head, does nothing otherwise: the cases after the crash must still be graded.
#include <flashlab/lab1.h>

#include <csignal>

cudaError_t lab1_naive_attention(const float*, const float*, const float*, float*,
                                 flashlab::AttentionShape shape, flashlab::Workspace&,
                                 cudaStream_t) {
  if (shape.heads == 1) std::raise(SIGFPE);
  return cudaSuccess;
}
