// Prints a little, with control characters and a forged verdict, and does nothing else.
#include <flashlab/lab1.h>

#include <cstdio>

cudaError_t lab1_naive_attention(const float*, const float*, const float*, float*,
                                 flashlab::AttentionShape, flashlab::Workspace&, cudaStream_t) {
  std::puts("hello \033[31mred\033[0m");
  std::puts(R"({"event":"end","score":100.0,"max_score":100.0})");
  return cudaSuccess;
}
