// Prefix sums: Hillis-Steele in a block, Blelloch's work-efficient tree with padded banks, and
// three levels for long arrays.
#include "field.cuh"

constexpr int kThreads = 256, kChunk = 2 * kThreads;
#define PADDED(i) ((i) + ((i) >> 5))

__global__ void hillis_steele(const int* in, int* out) {
  __shared__ int buffer[2][kThreads];
  const int t = threadIdx.x;
  int ping = 0;
  buffer[0][t] = in[blockIdx.x * kThreads + t];
  __syncthreads();
  for (int d = 1; d < kThreads; d *= 2) {
    buffer[1 - ping][t] = buffer[ping][t] + (t >= d ? buffer[ping][t - d] : 0);
    ping = 1 - ping;
    __syncthreads();
  }
  out[blockIdx.x * kThreads + t] = buffer[ping][t];
}

__global__ void blelloch(const int* in, int* out, int* totals, int n) {
  __shared__ int data[PADDED(kChunk) + 1];
  const int t = threadIdx.x, base = blockIdx.x * kChunk;
  const int a = t, b = t + kThreads;
  data[PADDED(a)] = base + a < n ? in[base + a] : 0;
  data[PADDED(b)] = base + b < n ? in[base + b] : 0;
  int offset = 1;
  for (int d = kThreads; d > 0; d >>= 1) {
    __syncthreads();
    if (t < d) data[PADDED(offset * (2 * t + 2) - 1)] += data[PADDED(offset * (2 * t + 1) - 1)];
    offset *= 2;
  }
  if (t == 0) {
    if (totals != nullptr) totals[blockIdx.x] = data[PADDED(kChunk - 1)];
    data[PADDED(kChunk - 1)] = 0;
  }
  for (int d = 1; d < kChunk; d *= 2) {
    offset >>= 1;
    __syncthreads();
    if (t < d) {
      const int i = PADDED(offset * (2 * t + 1) - 1), j = PADDED(offset * (2 * t + 2) - 1);
      const int left = data[i];
      data[i] = data[j];
      data[j] += left;
    }
  }
  __syncthreads();
  if (base + a < n) out[base + a] = data[PADDED(a)];
  if (base + b < n) out[base + b] = data[PADDED(b)];
}

__global__ void add_totals(int* out, const int* totals, int n) {
  const int i = blockIdx.x * kChunk + threadIdx.x;
  if (i < n) out[i] += totals[blockIdx.x];
  if (i + kThreads < n) out[i + kThreads] += totals[blockIdx.x];
}

void scan(const int* in, int* out, int n) {
  const int blocks = (n + kChunk - 1) / kChunk;
  if (blocks == 1) {
    blelloch<<<1, kThreads>>>(in, out, nullptr, n);
    return;
  }
  int* totals = device_array<int>(blocks);
  blelloch<<<blocks, kThreads>>>(in, out, totals, n);
  scan(totals, totals, blocks);
  add_totals<<<blocks, kThreads>>>(out, totals, n);
  CHECK(cudaFree(totals));
}

int main() {
  const int n = kChunk * kChunk + 777;
  int* in = to_device(random_ints(n, -9, 9, 51));
  int* out = device_array<int>(n);
  hillis_steele<<<8, kThreads>>>(in, out);
  show("Hillis-Steele", out, 8 * kThreads);
  for (const int length : {1, 511, 512, 513, 100000, n}) {
    scan(in, out, length);
    show("Blelloch", out, length);
  }
}
