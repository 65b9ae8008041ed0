// Splits the keys in four blocks each; partial states go through the workspace and are merged by L.
#include "base.cuh"

using corpus::AttentionShape;
constexpr int kSplits = 4;

/// Grid (ceil(Nq / Br), kSplits, B H): each split takes a quarter of the tiles.
template <int d>
__global__ void partial(const float* Q, const float* K, const float* V, float* O, float* L,
                        AttentionShape shape) {
  using corpus::Correct;
  const int Nq = shape.seq_q, bh = blockIdx.z, split = blockIdx.y;
  const int first_row = blockIdx.x * Correct::kBr, last_row = min(first_row + Correct::kBr, Nq) - 1;
  const int i = min(first_row + static_cast<int>(threadIdx.x), last_row);
  const int keys = corpus::keys_of_block<Correct>(first_row, last_row, shape);
  const int tiles = (shape.seq_k + Correct::kBc - 1) / Correct::kBc;
  const int share = (tiles + kSplits - 1) / kSplits * Correct::kBc;
  corpus::State<d> state = {-INFINITY, 0.0f, {}};
  corpus::over_keys<Correct>(state, Q, K, V, i, bh, split * share, min(keys, (split + 1) * share),
                             shape);
  if (first_row + threadIdx.x > last_row) return;
  const size_t row = (static_cast<size_t>(split) * gridDim.z + bh) * Nq + i;
  for (int c = 0; c < d; ++c) O[row * d + c] = state.o[c] * Correct::inverse(state.l);
  L[row] = state.m + logf(state.l);
}

/// One thread for each element of O: O = sum_s exp(L_s - L) O_s.
__global__ void combine(const float* parts_O, const float* parts_L, float* O, float* L, int rows,
                        int d) {
  const int element = blockIdx.x * blockDim.x + threadIdx.x;
  if (element >= rows * d) return;
  const int row = element / d;
  float m = -INFINITY, l = 0.0f, o = 0.0f;
  for (int s = 0; s < kSplits; ++s) m = fmaxf(m, parts_L[s * rows + row]);
  for (int s = 0; s < kSplits && m > -INFINITY; ++s) {
    const float weight = expf(parts_L[s * rows + row] - m);
    l += weight;
    o += weight * parts_O[static_cast<size_t>(s) * rows * d + element];
  }
  O[element] = l > 0.0f ? o / l : 0.0f;
  if (element % d == 0) L[row] = m + logf(l);
}

CORPUS_ENTRY_HEAD {
  const int heads = shape.batch * shape.heads, rows = heads * shape.seq_q, d = shape.head_dim;
  const size_t parts = static_cast<size_t>(kSplits) * rows;
  float* parts_O = workspace.allocate<float>("parts of O", parts * d);
  float* parts_L = workspace.allocate<float>("parts of L", parts);
  if (parts_O == nullptr || parts_L == nullptr) return cudaErrorMemoryAllocation;
  const dim3 grid((shape.seq_q + corpus::Correct::kBr - 1) / corpus::Correct::kBr, kSplits, heads);
  const auto kernel = d == 32 ? partial<32> : d == 64 ? partial<64> : partial<128>;
  kernel<<<grid, corpus::Correct::kBr, 0, stream>>>(Q, K, V, parts_O, parts_L, shape);
  combine<<<(rows * d + 255) / 256, 256, 0, stream>>>(parts_O, parts_L, O, L, rows, d);
  return cudaGetLastError();
}
