// Multiply-adds of values loaded from global memory, 12 in a row: runs that the virtual GPU
// executes as one. Lanes lie at addresses of many patterns: the same, neighbours, rows of a matrix,
// blocks 16 and 8 wide, backwards, and anyhow. test_fused_loads.py compares the counts with those
// of the same instructions one by one.
#include <functional>

#include "program.cuh"

constexpr int kTerms = 12, kElements = 1 << 15, kMiddle = kElements / 2;

// Offsets below and above the address, without gaps in A and with gaps in B.
__global__ void words(const float* A, const int* lanes_a, const float* B, const int* lanes_b,
                      float* out) {
  const float* a = A + lanes_a[threadIdx.x];
  const float* b = B + lanes_b[threadIdx.x];
  float sum = threadIdx.x;
#pragma unroll
  for (int k = -2; k < kTerms - 2; ++k) sum = fmaf(a[k], b[3 * k], sum);
  out[threadIdx.x] = sum;
}

// Four values at a time, each used twice.
__global__ void vectors(const float* A, const int* lanes_a, const float* B, const int* lanes_b,
                        float* out) {
  const float4* a = reinterpret_cast<const float4*>(A + 4 * lanes_a[threadIdx.x]);
  const float4* b = reinterpret_cast<const float4*>(B + 4 * lanes_b[threadIdx.x]);
  float sum = threadIdx.x, crossed = 1.0f;
#pragma unroll
  for (int k = 0; k < kTerms / 4; ++k) {
    const float4 x = a[k], y = b[-k];
    sum = fmaf(x.w, y.w, fmaf(x.z, y.z, fmaf(x.y, y.y, fmaf(x.x, y.x, sum))));
    crossed = fmaf(x.w, y.x, fmaf(x.z, y.y, fmaf(x.y, y.z, fmaf(x.x, y.w, crossed))));
  }
  out[threadIdx.x] = sum + crossed;
}

// One factor in a register, two sums.
__global__ void registers(const float* A, const int* lanes_a, const float* B, const int* lanes_b,
                          float* out) {
  const float* a = A + lanes_a[threadIdx.x];
  const float q = B[lanes_b[threadIdx.x]];
  float even = 0.0f, odd = 0.0f;
#pragma unroll
  for (int k = 0; k < kTerms; k += 2) {
    even = fmaf(q, a[k], even);
    odd = fmaf(a[k + 1], q, odd);
  }
  out[threadIdx.x] = even - odd;
}

namespace {

using Kernel = void (*)(const float*, const int*, const float*, const int*, float*);
using Host = std::function<float(const float* a, const float* b, int thread)>;

float host_words(const float* a, const float* b, int thread) {
  float sum = static_cast<float>(thread);
  for (int k = -2; k < kTerms - 2; ++k) sum = std::fmaf(a[k], b[3 * k], sum);
  return sum;
}
float host_vectors(const float* a, const float* b, int thread) {
  float sum = static_cast<float>(thread), crossed = 1.0f;
  for (int k = 0; k < kTerms; ++k) {
    const float* const y = b - k / 4 * 4;
    sum = std::fmaf(a[k], y[k % 4], sum);
    crossed = std::fmaf(a[k], y[3 - k % 4], crossed);
  }
  return sum + crossed;
}
float host_registers(const float* a, const float* b, int) {
  float sums[2] = {};
  for (int k = 0; k < kTerms; ++k) sums[k % 2] = std::fmaf(*b, a[k], sums[k % 2]);
  return sums[0] - sums[1];
}

/// Lanes of a block: from thread to thread `step` elements in rows of `width`, `distance` from row
/// to row.
std::vector<int> rows(int threads, int step, int distance, int width) {
  std::vector<int> result(threads);
  for (int i = 0; i < threads; ++i) result[i] = i % width * step + i / width * distance;
  return result;
}

std::vector<std::vector<int>> patterns(int threads) {
  std::vector<std::vector<int>> result;
  for (const int step : {0, 1, 2, 3, 8, 9, 64, -1, -8})
    result.push_back(rows(threads, step, 32 * step, 32));
  for (const int width : {16, 8}) {
    result.push_back(rows(threads, 0, 64, width));
    result.push_back(rows(threads, 64, 0, width));
    result.push_back(rows(threads, 1, 40, width));
    result.push_back(rows(threads, -2, -48, width));
  }
  result.push_back(rows(threads, 1, 32, 32));
  for (int i = 0; i < threads; ++i) result.back()[i] ^= 5 * (i % 3);
  return result;
}

void run(const char* name, Kernel kernel, const Host& host, int scale, int threads) {
  const std::vector<float> A = random_floats(kElements, 51), B = random_floats(kElements, 52);
  // `vectors` counts in fours.
  const int middle = kMiddle / scale;
  DeviceArray<float> dA(A), dB(B), out(threads);
  for (const std::vector<int>& of_a : patterns(threads)) {
    for (const std::vector<int>& of_b : patterns(threads)) {
      std::vector<int> a(of_a), b(of_b);
      for (int& at : a) at += middle;
      for (int& at : b) at += middle;
      DeviceArray<int> lanes_a(a), lanes_b(b);
      kernel<<<1, threads>>>(dA.data(), lanes_a.data(), dB.data(), lanes_b.data(), out.data());
      finish_kernels();
      std::vector<float> want(threads);
      for (int i = 0; i < threads; ++i)
        want[i] = host(A.data() + scale * a[i], B.data() + scale * b[i], i);
      expect(name, out.host(), want);
    }
  }
}

}  // namespace

int main() {
  for (const int threads : {32, 40}) {
    run("words", words, host_words, 1, threads);
    run("vectors", vectors, host_vectors, 4, threads);
    run("registers", registers, host_registers, 1, threads);
  }
  return verdict();
}
