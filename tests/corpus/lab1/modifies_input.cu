// Multiplies the scale into Q in place: the result is right, the caller's Q is not any more.
#include "base.cuh"

struct Wrong : corpus::Correct {
  static __device__ float scale(corpus::AttentionShape) { return 1.0f; }
};

__global__ void scale_in_place(float* Q, corpus::AttentionShape shape) {
  const size_t row = static_cast<size_t>(blockIdx.y) * shape.seq_q + blockIdx.x;
  if (threadIdx.x < shape.head_dim) Q[row * shape.head_dim + threadIdx.x] *= shape.scale;
}

CORPUS_ENTRY_HEAD {
  scale_in_place<<<corpus::row_grid(shape), corpus::kThreads, 0, stream>>>(const_cast<float*>(Q),
                                                                           shape);
  return corpus::attention<Wrong>(Q, K, V, O, shape, workspace, stream);
}
