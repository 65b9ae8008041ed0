// Finding strings: a pattern in constant memory against every position, Rabin-Karp with rolling
// hashes, and many words by an automaton.

// nvcc: -arch=compute_75
#include <string>

#include "field.cuh"

__constant__ char pattern[32];
__constant__ int pattern_length;

__global__ void naive(const char* text, int n, int* count, int* first) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i + pattern_length > n) return;
  for (int k = 0; k < pattern_length; ++k)
    if (text[i + k] != pattern[k]) return;
  atomicAdd(count, 1);
  atomicMin(first, i);
}

__global__ void rabin_karp(const char* text, int n, unsigned target, unsigned power, int per_thread,
                           int* count) {
  const int begin = (blockIdx.x * blockDim.x + threadIdx.x) * per_thread, m = pattern_length;
  if (begin + m > n) return;
  unsigned hash = 0;
  for (int k = 0; k < m; ++k) hash = hash * 257u + static_cast<unsigned char>(text[begin + k]);
  int found = 0;
  for (int i = begin; i < begin + per_thread && i + m <= n; ++i) {
    if (hash == target) {
      bool same = true;
      for (int k = 0; same && k < m; ++k) same = text[i + k] == pattern[k];
      found += same;
    }
    if (i + m < n)
      hash = (hash - static_cast<unsigned char>(text[i]) * power) * 257u +
             static_cast<unsigned char>(text[i + m]);
  }
  if (found != 0) atomicAdd(count, found);
}

__global__ void automaton(const char* text, int n, const short (*next)[4],
                          const unsigned char* accepts, int chunk, int overlap, int* count) {
  const int begin = (blockIdx.x * blockDim.x + threadIdx.x) * chunk;
  if (begin >= n) return;
  int state = 0, found = 0;
  for (int i = max(0, begin - overlap); i < min(n, begin + chunk); ++i) {
    state = next[state][text[i] - 'a'];
    if (i >= begin) found += accepts[state];
  }
  atomicAdd(count, found);
}

int main() {
  const int n = 60000;
  std::string text;
  for (const int x : random_ints(n, 0, 3, 241)) text += static_cast<char>('a' + x);
  char* d_text = device_array<char>(n);
  CHECK(cudaMemcpy(d_text, text.data(), n, cudaMemcpyHostToDevice));
  const std::string wanted = "abcab";
  const int m = static_cast<int>(wanted.size());
  CHECK(cudaMemcpyToSymbol(pattern, wanted.data(), m));
  CHECK(cudaMemcpyToSymbol(pattern_length, &m, sizeof m));
  int* found = to_device(std::vector<int>{0, n});
  naive<<<(n + 255) / 256, 256>>>(d_text, n, found, found + 1);
  CHECK(cudaDeviceSynchronize());
  std::printf("naive: %d, first at %d\n", to_host(found, 2)[0], to_host(found, 2)[1]);

  unsigned target = 0, power = 1;
  for (const char c : wanted) target = target * 257u + static_cast<unsigned char>(c);
  for (int k = 1; k < m; ++k) power *= 257u;
  CHECK(cudaMemset(found, 0, sizeof(int)));
  rabin_karp<<<10, 64>>>(d_text, n, target, power, 100, found);
  CHECK(cudaDeviceSynchronize());
  std::printf("Rabin-Karp: %d\n", to_host(found, 1)[0]);

  // Aho-Corasick of four words.
  std::vector<std::string> words = {"abca", "bcab", "dd", "cabcd"};
  std::vector<short> next(4, -1);
  std::vector<int> fail{0};
  std::vector<unsigned char> accepts{0};
  for (const std::string& w : words) {
    int s = 0;
    for (const char c : w) {
      short& to = next[s * 4 + c - 'a'];
      if (to < 0) {
        to = static_cast<short>(accepts.size());
        s = to;
        next.insert(next.end(), 4, -1);
        fail.push_back(0);
        accepts.push_back(0);
      } else {
        s = to;
      }
    }
    ++accepts[s];
  }
  std::vector<int> order{0};
  for (size_t k = 0; k < order.size(); ++k) {
    const int s = order[k];
    for (int c = 0; c < 4; ++c) {
      const int down = s == 0 ? 0 : next[fail[s] * 4 + c];
      if (next[s * 4 + c] < 0) {
        next[s * 4 + c] = static_cast<short>(down);
      } else {
        const int to = next[s * 4 + c];
        fail[to] = down;
        accepts[to] += accepts[down];
        order.push_back(to);
      }
    }
  }
  CHECK(cudaMemset(found, 0, sizeof(int)));
  automaton<<<10, 64>>>(d_text, n, reinterpret_cast<short(*)[4]>(to_device(next)),
                        to_device(accepts), 100, 4, found);
  CHECK(cudaDeviceSynchronize());
  std::printf("automaton: %d\n", to_host(found, 1)[0]);
}
