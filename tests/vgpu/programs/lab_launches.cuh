// What the programs that run a lab's staff kernels share: problems of odd shapes, scratch memory,
// and attention and its gradients in double precision, row by row.
//
// Without arguments such a program runs its own list of problems, whose counters on a real GPU are
// in handouts/data/counters_labs_h200.json; test_known_counts.py compares. With six numbers
// (B H Nq Nk d causal) it runs that problem alone: test_bytes_moved.py.
#pragma once

#include <flashlab/attention.h>

#include "program.cuh"

namespace lab_launches {

struct Problem {
  int batch, heads, seq_q, seq_k, head_dim;
  bool causal = false;

  flashlab::AttentionShape shape() const {
    const float scale = 1.0f / std::sqrt(static_cast<float>(head_dim));
    return {batch, heads, seq_q, seq_k, head_dim, scale, causal};
  }
  size_t rows() const { return static_cast<size_t>(batch) * heads * seq_q; }
  size_t q_elements() const { return rows() * head_dim; }
  size_t k_elements() const { return static_cast<size_t>(batch) * heads * seq_k * head_dim; }
};

// For head_dim 32, 64 and 128: one row, whole tiles, tiles of one row, several heads, Nq != Nk.
inline const std::vector<Problem> kTiled = {
    {1, 1, 64, 64, 64},   {1, 1, 1, 1, 32},    {1, 1, 33, 33, 32},    {1, 1, 130, 130, 128},
    {1, 1, 257, 257, 64}, {1, 4, 96, 96, 64},  {3, 2, 70, 70, 32},    {2, 1, 40, 150, 64},
    {1, 2, 150, 40, 32},  {1, 1, 1, 300, 128}, {1, 1, 256, 256, 128}, {1, 1, 512, 512, 64},
};
// With the mask: half a tile hidden, whole tiles hidden, queries without keys.
inline const std::vector<Problem> kCausal = {
    {1, 1, 64, 64, 64, true},  {1, 1, 130, 130, 128, true}, {2, 3, 100, 100, 32, true},
    {1, 1, 70, 150, 64, true}, {1, 1, 150, 70, 64, true},   {1, 1, 300, 300, 32, true},
};

inline std::vector<Problem> operator+(std::vector<Problem> some, const std::vector<Problem>& more) {
  some.insert(some.end(), more.begin(), more.end());
  return some;
}

// The problem that the command line names, or else all of `usual`.
inline std::vector<Problem> problems(int argc, char** argv, const std::vector<Problem>& usual) {
  if (argc == 1) return usual;
  if (argc != 7) {
    std::printf("usage: %s [B H Nq Nk d causal]\n", argv[0]);
    std::exit(2);
  }
  const auto number = [&](int i) { return std::atoi(argv[i]); };
  return {{number(1), number(2), number(3), number(4), number(5), number(6) != 0}};
}

// Workspace memory, freed at the end of the scope.
class Scratch {
 public:
  Scratch() = default;
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() {
    for (void* memory : given_) CHECK(cudaFree(memory));
  }

  flashlab::Workspace workspace() { return {allocate, this}; }

 private:
  static void* allocate(void* self, const char*, size_t bytes) {
    void* memory = nullptr;
    CHECK(cudaMalloc(&memory, bytes));
    static_cast<Scratch*>(self)->given_.push_back(memory);
    return memory;
  }

  std::vector<void*> given_;
};

struct Inputs {
  std::vector<float> Q, K, V, dO;

  Inputs(const Problem& p, unsigned seed)
      : Q(random_floats(p.q_elements(), seed)),
        K(random_floats(p.k_elements(), seed + 1)),
        V(random_floats(p.k_elements(), seed + 2)),
        dO(random_floats(p.q_elements(), seed + 3)) {}
};

struct Results {
  std::vector<float> O, L, dQ, dK, dV;
};

// Sum of a[c] * b[c] over d elements.
inline double dot(const float* a, const float* b, int d) {
  double sum = 0;
  for (int c = 0; c < d; ++c) sum += static_cast<double>(a[c]) * b[c];
  return sum;
}

// O, L and the gradients for dO, by the formulas: P = softmax(S), dS = P o (dO V^T - rowsum(dO o
// O)).
inline Results reference(const Inputs& in, const Problem& p) {
  const auto shape = p.shape();
  const int d = p.head_dim;
  Results out;
  std::vector<double> dK(p.k_elements()), dV(p.k_elements());
  for (size_t row = 0; row < p.rows(); ++row) {
    const int i = static_cast<int>(row % p.seq_q);
    const size_t head = row / p.seq_q * p.seq_k * d;  // where the keys and values of the head start
    const int keys = p.causal ? std::clamp(i + p.seq_k - p.seq_q + 1, 0, p.seq_k) : p.seq_k;
    const float *q = &in.Q[row * d], *K = &in.K[head], *V = &in.V[head], *dO = &in.dO[row * d];
    std::vector<double> P(keys), O(d), dQ(d);
    double m = -INFINITY, l = 0, D = 0;
    for (int j = 0; j < keys; ++j) m = std::max(m, P[j] = shape.scale * dot(q, K + j * d, d));
    for (double& weight : P) l += weight = std::exp(weight - m);
    for (int j = 0; j < keys; ++j) {
      P[j] /= l;
      for (int c = 0; c < d; ++c) O[c] += P[j] * V[j * d + c];
    }
    for (int c = 0; c < d; ++c) D += dO[c] * O[c];
    for (int j = 0; j < keys; ++j) {
      const double dS = shape.scale * P[j] * (dot(dO, V + j * d, d) - D);
      for (int c = 0; c < d; ++c) {
        dV[head + j * d + c] += P[j] * dO[c];
        dK[head + j * d + c] += dS * q[c];
        dQ[c] += dS * K[j * d + c];
      }
    }
    out.O.insert(out.O.end(), O.begin(), O.end());
    out.dQ.insert(out.dQ.end(), dQ.begin(), dQ.end());
    out.L.push_back(keys > 0 ? static_cast<float>(m + std::log(l)) : -INFINITY);
  }
  out.dK.assign(dK.begin(), dK.end());
  out.dV.assign(dV.begin(), dV.end());
  return out;
}

// Runs a forward kernel, call(Q, K, V, O, L, shape, workspace), and compares O, and L where it has
// one.
template <class Call>
void run_forward(const Problem& p, bool has_L, Call call) {
  const Inputs in(p, 1);
  const Results want = reference(in, p);
  DeviceArray<float> Q(in.Q), K(in.K), V(in.V), O(p.q_elements()), L(p.rows());
  Scratch scratch;
  auto workspace = scratch.workspace();
  CHECK(call(Q.data(), K.data(), V.data(), O.data(), L.data(), p.shape(), workspace));
  finish_kernels();
  expect("O", O.host(), want.O, 1e-4, 2e-5);
  if (has_L) expect("L", L.host(), want.L, 1e-4, 2e-5);
}

// Runs a backward kernel, call(Q, K, V, O, L, dO, dQ, dK, dV, shape, workspace), and compares.
template <class Call>
void run_backward(const Problem& p, Call call) {
  const Inputs in(p, 1);
  const Results want = reference(in, p);
  DeviceArray<float> Q(in.Q), K(in.K), V(in.V), dO(in.dO), O(want.O), L(want.L);
  DeviceArray<float> dQ(p.q_elements()), dK(p.k_elements()), dV(p.k_elements());
  Scratch scratch;
  auto workspace = scratch.workspace();
  CHECK(call(Q.data(), K.data(), V.data(), O.data(), L.data(), dO.data(), dQ.data(), dK.data(),
             dV.data(), p.shape(), workspace));
  finish_kernels();
  expect("dQ", dQ.host(), want.dQ, 1e-4, 2e-5);
  expect("dK", dK.host(), want.dK, 1e-4, 2e-5);
  expect("dV", dV.host(), want.dV, 1e-4, 2e-5);
}

}  // namespace lab_launches
