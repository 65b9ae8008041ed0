// Leaves a child behind that holds the socket open, and dies.
#include <flashlab/lab1.h>

#include <unistd.h>

cudaError_t lab1_naive_attention(const float*, const float*, const float*, float*,
                                 flashlab::AttentionShape, flashlab::Workspace&, cudaStream_t) {
  if (fork() == 0) {
    sleep(5);
    _exit(0);
  }
  _exit(7);
}
