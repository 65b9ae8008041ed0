// Finds the largest m of all parts first and sums with its weights: no online softmax.
#include "base.cuh"

/// Grid rows, block d.
__global__ void two_steps(const float* m, const float* l, const float* o, float* m_out,
                          float* l_out, float* o_out, flashlab::MergeShape shape) {
  const size_t row = blockIdx.x, c = threadIdx.x, d = shape.head_dim, first = row * shape.parts;
  float largest = -INFINITY, sum_l = 0.0f, sum_o = 0.0f;
  for (int p = 0; p < shape.parts; ++p) largest = fmaxf(largest, m[first + p]);
  for (int p = 0; p < shape.parts && largest > -INFINITY; ++p) {
    const float weight = expf(m[first + p] - largest);
    sum_l += weight * l[first + p];
    sum_o += weight * o[(first + p) * d + c];
  }
  m_out[row] = largest;
  l_out[row] = sum_l;
  o_out[row * d + c] = sum_o;
}

CORPUS_MERGE_HEAD {
  two_steps<<<shape.rows, shape.head_dim, 0, stream>>>(m, l, o, m_out, l_out, o_out, shape);
  return cudaGetLastError();
}
CORPUS_STATISTICS(corpus::Correct)
CORPUS_SOFTMAX(corpus::Correct)
