// Least-significant-digit radix sort of keys and values, four bits a pass, written by hand: counts
// per block, one scan, stable scatter with ballots inside warps.
#include "field.cuh"

constexpr int kThreads = 256, kDigits = 16;

__global__ void count_digits(const unsigned* keys, unsigned* counts, int n, int shift) {
  __shared__ unsigned local[kDigits];
  if (threadIdx.x < kDigits) local[threadIdx.x] = 0;
  __syncthreads();
  const int i = blockIdx.x * kThreads + threadIdx.x;
  if (i < n) atomicAdd(&local[keys[i] >> shift & 15], 1u);
  __syncthreads();
  if (threadIdx.x < kDigits) counts[threadIdx.x * gridDim.x + blockIdx.x] = local[threadIdx.x];
}

__global__ void scan_counts(unsigned* counts, int n) {  // one block
  __shared__ unsigned warp_sums[32];
  unsigned carry = 0;
  for (int first = 0; first < n; first += blockDim.x) {
    const int i = first + threadIdx.x;
    const unsigned own = i < n ? counts[i] : 0;
    unsigned sum = own;
    for (int d = 1; d < 32; d *= 2) {
      const unsigned other = __shfl_up_sync(0xffffffff, sum, d);
      if (threadIdx.x % 32 >= d) sum += other;
    }
    if (threadIdx.x % 32 == 31) warp_sums[threadIdx.x / 32] = sum;
    __syncthreads();
    if (threadIdx.x < 32) {
      unsigned w = warp_sums[threadIdx.x];
      for (int d = 1; d < 32; d *= 2) {
        const unsigned other = __shfl_up_sync(0xffffffff, w, d);
        if (threadIdx.x >= d) w += other;
      }
      warp_sums[threadIdx.x] = w;
    }
    __syncthreads();
    if (threadIdx.x >= 32) sum += warp_sums[threadIdx.x / 32 - 1];
    if (i < n) counts[i] = carry + sum - own;
    carry += warp_sums[31];
    __syncthreads();
  }
}

__global__ void scatter(const unsigned* keys, const unsigned* values, unsigned* keys_out,
                        unsigned* values_out, const unsigned* offsets, int n, int shift) {
  __shared__ unsigned warp_counts[kThreads / 32][kDigits];
  const int i = blockIdx.x * kThreads + threadIdx.x, lane = threadIdx.x % 32,
            warp = threadIdx.x / 32;
  const bool valid = i < n;
  const unsigned key = valid ? keys[i] : 0, digit = key >> shift & 15;
  unsigned peers = __ballot_sync(0xffffffff, valid);
  for (int bit = 0; bit < 4; ++bit) {
    const unsigned ballot = __ballot_sync(0xffffffff, digit >> bit & 1);
    peers &= digit >> bit & 1 ? ballot : ~ballot;
  }
  if (lane < kDigits) warp_counts[warp][lane] = 0;
  __syncwarp();
  const unsigned before = __popc(peers & ((1u << lane) - 1));
  if (valid && before == 0) warp_counts[warp][digit] = __popc(peers);
  __syncthreads();
  if (!valid) return;
  unsigned rank = offsets[digit * gridDim.x + blockIdx.x] + before;
  for (int w = 0; w < warp; ++w) rank += warp_counts[w][digit];
  keys_out[rank] = key;
  values_out[rank] = values[i];
}

int main() {
  const int n = 40000, blocks = (n + kThreads - 1) / kThreads;
  std::vector<unsigned> host_keys, host_values;
  for (const int x : random_ints(n, 0, (1 << 24) - 1, 161))
    host_keys.push_back(static_cast<unsigned>(x) * 193u);
  for (int i = 0; i < n; ++i) host_values.push_back(i);
  unsigned* keys[2] = {to_device(host_keys), device_array<unsigned>(n)};
  unsigned* values[2] = {to_device(host_values), device_array<unsigned>(n)};
  unsigned* counts = device_array<unsigned>(kDigits * blocks);
  int from = 0;
  for (int shift = 0; shift < 32; shift += 4, from ^= 1) {
    count_digits<<<blocks, kThreads>>>(keys[from], counts, n, shift);
    scan_counts<<<1, 1024>>>(counts, kDigits * blocks);
    scatter<<<blocks, kThreads>>>(keys[from], values[from], keys[from ^ 1], values[from ^ 1],
                                  counts, n, shift);
  }
  show("keys", keys[from], n);
  show("values", values[from], n);
}
