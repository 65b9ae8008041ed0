// Keeps O undivided, as FlashAttention-2 does, and divides it in a kernel of its own.
#include "base.cuh"

struct Undivided : corpus::Correct {
  static __device__ float new_o(float o_old, float pv, float alpha, float, float) {
    return alpha * o_old + pv;
  }
};

__global__ void divide(float* O, const float* l, int rows, int d) {
  const int element = blockIdx.x * blockDim.x + threadIdx.x;
  if (element < rows * d) O[element] /= l[element / d];
}

CORPUS_ENTRY_HEAD {
  const int heads = shape.batch * shape.heads, rows = heads * shape.seq_q, d = shape.head_dim;
  float* m = workspace.allocate<float>("m", rows);
  float* l = workspace.allocate<float>("l", rows);
  if (m == nullptr || l == nullptr) return cudaErrorMemoryAllocation;
  const auto kernel = d == 32   ? corpus::attention_kernel<Undivided, 32>
                      : d == 64 ? corpus::attention_kernel<Undivided, 64>
                                : corpus::attention_kernel<Undivided, 128>;
  kernel<<<heads, 32 * Undivided::kWarps, 0, stream>>>(Q, K, V, O, m, l, shape);
  divide<<<(rows * d + 255) / 256, 256, 0, stream>>>(O, l, rows, d);
  return cudaGetLastError();
}
