// Float64 inside, one thread for each row: a warp reads 32 rows at once and moves many sectors.
#include "base.cuh"

__global__ void in_double(const float* S, float* P, flashlab::RowShape shape) {
  const int row = blockIdx.x * blockDim.x + threadIdx.x;
  if (row >= shape.rows) return;
  const float* s = S + static_cast<size_t>(row) * shape.columns;
  double m = -INFINITY, l = 0.0;
  for (int j = 0; j < shape.columns; ++j) {
    const double score = s[j];
    if (score == -INFINITY) continue;
    const double larger = fmax(m, score);
    l = l * exp(m - larger) + exp(score - larger);
    m = larger;
  }
  float* p = P + static_cast<size_t>(row) * shape.columns;
  for (int j = 0; j < shape.columns; ++j) {
    p[j] = static_cast<float>(l > 0.0 ? exp(s[j] - m) / l : 0.0);
  }
}

CORPUS_MERGE(corpus::Correct)
CORPUS_STATISTICS(corpus::Correct)
CORPUS_SOFTMAX_HEAD {
  in_double<<<(shape.rows + 31) / 32, 32, 0, stream>>>(S, P, shape);
  return cudaGetLastError();
}
