// Accesses outside an allocation or a shared array, and misaligned ones. `// BUG name: kind` stands
// on the line to report.
#include <cuda_fp16.h>

#include "../cases.cuh"

// The grid is rounded up, the tail is not guarded.
__global__ void tail_not_guarded(const float* in, float* out) {
  const int i = blockIdx.x * 64 + threadIdx.x;
  const float x = in[i];  // BUG tail_not_guarded: bounds
  out[i] = 2 * x;
}

__global__ void last_tile_too_long(const float* keys, float* out, int n) {
  float sum = 0;
  for (int start = 0; start < n; start += 32) {
    for (int j = start; j < start + 32; ++j) sum += keys[j];  // BUG last_tile_too_long: bounds
  }
  out[threadIdx.x] = sum;
}

// A sliding window that begins before the sequence does.
__global__ void window_before_the_start(const float* keys, float* out) {
  const int row = threadIdx.x;
  float sum = 0;
  for (int j = row - 4; j <= row; ++j) sum += keys[j];  // BUG window_before_the_start: bounds
  out[row] = sum;
}

// [heads, seq, 16] indexed with the stride of another axis.
__global__ void wrong_head_stride(const float* q, float* out, int heads, int seq) {
  const int head = blockIdx.x, row = threadIdx.x;
  out[head * seq + row] = q[(row * seq + head) * 16];  // BUG wrong_head_stride: bounds
}

__global__ void row_and_column_swapped(float* scores, int rows, int columns) {
  const int row = blockIdx.x, column = threadIdx.x;
  scores[column * columns + row] = 1;  // BUG row_and_column_swapped: bounds
}

// Half of the last vector lies behind the array.
__global__ void vector_over_the_end(const float4* in, float* out) {
  const float4 v = in[threadIdx.x];  // BUG vector_over_the_end: bounds
  out[threadIdx.x] = v.x + v.y + v.z + v.w;
}

__global__ void store_one_past_the_end(float* lse, int rows) {
  if (threadIdx.x <= rows) lse[threadIdx.x] = 0;  // BUG store_one_past_the_end: bounds
}

__global__ void atomic_past_the_end(float* sums) {
  atomicAdd(&sums[threadIdx.x / 8], 1.0f);  // BUG atomic_past_the_end: bounds
}

// cudaMallocPitch gives a pitch in bytes.
__global__ void pitch_taken_for_elements(const float* rows, float* out, size_t pitch) {
  out[threadIdx.x] = rows[threadIdx.x * pitch];  // BUG pitch_taken_for_elements: bounds
}

// The loop over a row of K runs into the array of V behind it.
__global__ void into_the_next_array(const float* in, float* out) {
  __shared__ float keys[64], values[64];
  keys[threadIdx.x] = in[threadIdx.x];
  values[threadIdx.x] = -in[threadIdx.x];
  __syncthreads();
  float sum = values[threadIdx.x];
  for (int j = 0; j <= 64; ++j) sum += keys[j];  // BUG into_the_next_array: bounds_shared
  out[threadIdx.x] = sum;
}

__global__ void store_into_the_next_array(const float* in, float* out) {
  __shared__ float scores[63], maxima[64];
  maxima[threadIdx.x] = in[threadIdx.x];
  __syncthreads();
  scores[threadIdx.x] = in[threadIdx.x];  // BUG store_into_the_next_array: bounds_shared
  __syncthreads();
  out[threadIdx.x] = scores[threadIdx.x / 2] + maxima[threadIdx.x];
}

__global__ void dynamic_too_small(const float* in, float* out) {
  extern __shared__ float tile[];
  tile[threadIdx.x] = in[threadIdx.x];  // BUG dynamic_too_small: bounds_shared
  __syncthreads();
  out[threadIdx.x] = tile[0];
}

__global__ void before_the_shared_array(const float* in, float* out, int shift) {
  __shared__ float tile[64];
  tile[threadIdx.x] = in[threadIdx.x];
  __syncthreads();
  const int left = static_cast<int>(threadIdx.x) - shift;
  out[threadIdx.x] = tile[left];  // BUG before_the_shared_array: bounds_shared
}

// Rows of 30 floats start at a multiple of 16 bytes only every second time.
__global__ void vector_on_odd_row(const float* in, float* out) {
  const float4 v =
      *reinterpret_cast<const float4*>(in + threadIdx.x * 30);  // BUG vector_on_odd_row: misaligned
  out[threadIdx.x] = v.x + v.y + v.z + v.w;
}

// A pad of one float frees the tile of bank conflicts, and its rows of 16-byte alignment.
__global__ void vector_in_padded_tile(const float* in, float* out) {
  __shared__ __align__(16) float tile[32 * 33];
  for (int i = threadIdx.x; i < 32 * 33; i += 32) tile[i] = in[i];
  __syncthreads();
  const float4 v = *reinterpret_cast<const float4*>(
      &tile[threadIdx.x * 33]);  // BUG vector_in_padded_tile: misaligned
  out[threadIdx.x] = v.x + v.y + v.z + v.w;
}

__global__ void pair_at_odd_half(const __half* in, __half* out) {
  const __half2 pair =
      *reinterpret_cast<const __half2*>(in + threadIdx.x * 33);  // BUG pair_at_odd_half: misaligned
  out[threadIdx.x] = __hadd(pair.x, pair.y);
}

__global__ void misaligned_store(float* out) {
  *reinterpret_cast<float2*>(out + 3 * threadIdx.x) = {1, 2};  // BUG misaligned_store: misaligned
}

constexpr Case kCases[] = {
    {"tail_not_guarded",
     [] { tail_not_guarded<<<2, 64>>>(input<float>(100), output<float>(128)); }},
    {"last_tile_too_long",
     [] { last_tile_too_long<<<1, 32>>>(input<float>(100), output<float>(32), 100); }},
    {"window_before_the_start",
     [] { window_before_the_start<<<1, 32>>>(input<float>(32), output<float>(32)); }},
    {"wrong_head_stride",
     [] { wrong_head_stride<<<4, 32>>>(input<float>(4 * 32 * 16), output<float>(128), 4, 32); }},
    {"row_and_column_swapped",
     [] { row_and_column_swapped<<<16, 64>>>(output<float>(16 * 64), 16, 64); }},
    {"vector_over_the_end",
     [] {
       vector_over_the_end<<<1, 8>>>(reinterpret_cast<float4*>(input<float>(30)), output<float>(8));
     }},
    {"store_one_past_the_end", [] { store_one_past_the_end<<<1, 64>>>(output<float>(50), 50); }},
    {"atomic_past_the_end", [] { atomic_past_the_end<<<1, 64>>>(output<float>(7)); }},
    {"pitch_taken_for_elements",
     [] {
       void* rows = nullptr;
       size_t pitch = 0;
       must(cudaMallocPitch(&rows, &pitch, 400, 32));
       must(cudaMemset2D(rows, pitch, 0, pitch, 32));
       g_buffers.push_back({rows, 0, false});
       pitch_taken_for_elements<<<1, 32>>>(static_cast<float*>(rows), output<float>(32), pitch);
     }},
    {"into_the_next_array",
     [] { into_the_next_array<<<1, 64>>>(input<float>(64), output<float>(64)); }},
    {"store_into_the_next_array",
     [] { store_into_the_next_array<<<1, 64>>>(input<float>(64), output<float>(64)); }},
    {"dynamic_too_small",
     [] { dynamic_too_small<<<1, 64, 63 * sizeof(float)>>>(input<float>(64), output<float>(64)); }},
    {"before_the_shared_array",
     [] { before_the_shared_array<<<1, 64>>>(input<float>(64), output<float>(64), 1); }},
    {"vector_on_odd_row",
     [] { vector_on_odd_row<<<1, 16>>>(input<float>(16 * 30), output<float>(16)); }},
    {"vector_in_padded_tile",
     [] { vector_in_padded_tile<<<1, 32>>>(input<float>(32 * 33), output<float>(32)); }},
    {"pair_at_odd_half",
     [] { pair_at_odd_half<<<1, 32>>>(input<__half, __half>(32 * 33), output<__half>(32)); }},
    {"misaligned_store", [] { misaligned_store<<<1, 16>>>(output<float>(64)); }},
};

int main(int argc, char** argv) {
  return run_cases(kCases, argc, argv);
}
