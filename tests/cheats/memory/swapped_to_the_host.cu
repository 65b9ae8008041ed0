// All scores in ordinary host memory: they are computed a few queries at a time, copied there, and
// copied back when they are needed.
#include <algorithm>
#include <vector>

#include "base.cuh"

ENTRY_HEAD {
  constexpr int kQueries = 16;
  const int Nq = shape.seq_q, Nk = shape.seq_k, heads = shape.batch * shape.heads;
  const size_t chunk = static_cast<size_t>(heads) * kQueries * Nk, bytes = chunk * sizeof(float);
  float* S = workspace.allocate<float>("chunk of S", chunk);
  if (S == nullptr) return cudaErrorMemoryAllocation;
  std::vector<float> host(chunk * ((Nq + kQueries - 1) / kQueries));
  for (int first = 0; first < Nq; first += kQueries) {
    const int queries = std::min(kQueries, Nq - first);
    const dim3 grid((Nk + naive::kThreads - 1) / naive::kThreads, queries, heads);
    naive::compute_scores<<<grid, naive::kThreads, 0, stream>>>(Q, K, S, first, shape);
    cudaMemcpyAsync(&host[first / kQueries * chunk], S, bytes, cudaMemcpyDeviceToHost, stream);
  }
  for (int first = 0; first < Nq; first += kQueries) {
    const int queries = std::min(kQueries, Nq - first);
    cudaMemcpyAsync(S, &host[first / kQueries * chunk], bytes, cudaMemcpyHostToDevice, stream);
    naive::use_scores<<<dim3(queries, heads), naive::kThreads, 0, stream>>>(S, V, O, L, first,
                                                                            shape);
  }
  cudaStreamSynchronize(stream);
  return cudaGetLastError();
}
