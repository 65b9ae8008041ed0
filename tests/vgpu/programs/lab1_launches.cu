// Lab 1's staff kernels at sixteen shapes: odd sizes, one row, many heads, Nq != Nk. Their counters
// on a real GPU are recorded in handouts/data/counters_h200.json; test_known_counts.py compares.
#include "../../../solutions/lab1_naive/naive_attention.cu"
#include "program.cuh"

namespace {

struct Problem {
  int batch, heads, seq_q, seq_k, head_dim;
};

constexpr Problem kProblems[] = {
    {1, 1, 64, 64, 64},   {1, 1, 1, 1, 8},      {1, 1, 33, 33, 20},    {1, 1, 100, 100, 1},
    {1, 1, 130, 130, 64}, {1, 1, 65, 65, 127},  {1, 1, 257, 257, 128}, {1, 4, 64, 64, 32},
    {3, 2, 48, 48, 40},   {2, 1, 40, 150, 32},  {1, 2, 150, 40, 32},   {1, 1, 1, 200, 64},
    {1, 1, 72, 72, 64},   {1, 1, 256, 256, 64}, {2, 3, 31, 97, 17},    {1, 1, 512, 512, 64},
};

std::vector<void*> scratch;

void* allocate(void*, const char*, size_t bytes) {
  void* memory = nullptr;
  CHECK(cudaMalloc(&memory, bytes));
  scratch.push_back(memory);
  return memory;
}

// Row by row in double precision.
std::vector<float> reference(const std::vector<float>& Q, const std::vector<float>& K,
                             const std::vector<float>& V, const flashlab::AttentionShape& s) {
  std::vector<float> O(Q.size());
  std::vector<double> P(s.seq_k);
  for (int row = 0; row < s.batch * s.heads * s.seq_q; ++row) {
    const size_t first_key = static_cast<size_t>(row / s.seq_q) * s.seq_k;
    double m = -INFINITY, l = 0;
    for (int j = 0; j < s.seq_k; ++j) {
      P[j] = 0;
      for (int c = 0; c < s.head_dim; ++c) {
        P[j] += s.scale * static_cast<double>(Q[row * s.head_dim + c]) *
                K[(first_key + j) * s.head_dim + c];
      }
      m = std::max(m, P[j]);
    }
    for (double& p : P) l += p = std::exp(p - m);
    for (int c = 0; c < s.head_dim; ++c) {
      double sum = 0;
      for (int j = 0; j < s.seq_k; ++j) sum += P[j] / l * V[(first_key + j) * s.head_dim + c];
      O[row * s.head_dim + c] = static_cast<float>(sum);
    }
  }
  return O;
}

}  // namespace

int main() {
  unsigned seed = 1;
  for (const Problem& p : kProblems) {
    const float scale = 1.0f / std::sqrt(static_cast<float>(p.head_dim));
    const flashlab::AttentionShape shape{p.batch,    p.heads, p.seq_q, p.seq_k,
                                         p.head_dim, scale,   false};
    const size_t heads = static_cast<size_t>(p.batch) * p.heads;
    const auto Q = random_floats(heads * p.seq_q * p.head_dim, seed++);
    const auto K = random_floats(heads * p.seq_k * p.head_dim, seed++);
    const auto V = random_floats(heads * p.seq_k * p.head_dim, seed++);
    DeviceArray<float> q(Q), k(K), v(V), o(Q.size());
    flashlab::Workspace workspace(allocate, nullptr);
    CHECK(lab1_naive_attention(q.data(), k.data(), v.data(), o.data(), shape, workspace, nullptr));
    finish_kernels();
    expect("O", o.host(), reference(Q, K, V, shape), 1e-4, 2e-5);
    for (void* memory : scratch) CHECK(cudaFree(memory));
    scratch.clear();
  }
  return verdict();
}
