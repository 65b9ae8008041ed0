// Prints without end: must neither block the grader nor fill its memory.
#include <flashlab/lab1.h>

#include <cstdio>

cudaError_t lab1_naive_attention(const float*, const float*, const float*, float*,
                                 flashlab::AttentionShape, flashlab::Workspace&, cudaStream_t) {
  while (true) std::puts("The quick brown fox jumps over the lazy dog, again and again and again.");
}
