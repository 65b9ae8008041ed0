// Reads of what nothing has written, in shared and in global memory. `// BUG name: kind` stands on
// the line to report.
#include "../cases.cuh"

__global__ void unfilled_tail(int* out) {
  __shared__ int tile[64];
  if (threadIdx.x < 50) tile[threadIdx.x] = threadIdx.x;
  __syncthreads();
  out[threadIdx.x] = tile[threadIdx.x];  // BUG unfilled_tail: uninitialised
}

__global__ void sum_never_zeroed(int* out) {
  __shared__ int total;
  atomicAdd(&total, 1);  // BUG sum_never_zeroed: uninitialised
  __syncthreads();
  out[threadIdx.x] = total;
}

__global__ void half_filled_vector(float* out) {
  __shared__ __align__(16) float tile[256];
  tile[threadIdx.x] = threadIdx.x;
  __syncthreads();
  const float4 v =
      reinterpret_cast<const float4*>(tile)[threadIdx.x];  // BUG half_filled_vector: uninitialised
  out[threadIdx.x] = v.x + v.w;
}

__global__ void dynamic_never_filled(int* out) {
  extern __shared__ int dynamic[];
  out[threadIdx.x] = dynamic[threadIdx.x];  // BUG dynamic_never_filled: uninitialised
}

// A block has 128 threads and 4 warps, but only 2 maxima are set.
__global__ void maximum_of_half_the_rows(float* out) {
  __shared__ float m[4];
  if (threadIdx.x < 2) m[threadIdx.x] = -1e30f;
  __syncthreads();
  out[threadIdx.x] = m[threadIdx.x / 32];  // BUG maximum_of_half_the_rows: uninitialised
}

// The pad that avoids bank conflicts is not data: the loop over columns goes one too far.
__global__ void pad_column_summed(const float* in, float* out) {
  __shared__ float tile[32][33];
  for (int row = 0; row < 32; ++row) tile[row][threadIdx.x] = in[row * 32 + threadIdx.x];
  __syncthreads();
  float sum = 0;
  for (int column = 0; column <= 32; ++column)
    sum += tile[threadIdx.x][column];  // BUG pad_column_summed: uninitialised
  out[threadIdx.x] = sum;
}

// The prologue of a double buffer fills buffer 0, and the loop starts with buffer 1.
__global__ void wrong_buffer_first(const float* keys, float* out) {
  __shared__ float tile[2][64];
  float sum = 0;
  tile[0][threadIdx.x] = keys[threadIdx.x];
  __syncthreads();
  for (int round = 0; round < 2; ++round) {
    sum += tile[(round + 1) % 2][63 - threadIdx.x];  // BUG wrong_buffer_first: uninitialised
    __syncthreads();
    tile[(round + 1) % 2][threadIdx.x] = keys[(round + 1) * 64 + threadIdx.x];
    __syncthreads();
  }
  out[threadIdx.x] = sum;
}

__global__ void output_accumulated_unset(const float* in, float* o) {
  o[threadIdx.x] += in[threadIdx.x];  // BUG output_accumulated_unset: uninitialised_global
}

__global__ void atomics_on_unset_sum(float* sum) {
  atomicAdd(sum, 1.0f);  // BUG atomics_on_unset_sum: uninitialised_global
}

// Blocks beyond the sequence return without a word, but the combining kernel reads all partials.
__global__ void partial_sums(const float* in, float* partial, int n) {
  const int i = blockIdx.x * 32 + threadIdx.x;
  if (i >= n) return;
  partial[i] = 2 * in[i];
}
__global__ void combine_skipped_splits(const float* partial, float* out) {
  float sum = 0;
  for (int split = 0; split < 4; ++split)
    sum += partial[split * 32 + threadIdx.x];  // BUG combine_skipped_splits: uninitialised_global
  out[threadIdx.x] = sum;
}

// The forward pass stores no log-sum-exp for rows without a key; the backward pass reads them all.
__global__ void forward_masked_rows(float* lse) {
  if (threadIdx.x >= 8) lse[threadIdx.x] = threadIdx.x;
}
__global__ void backward_masked_rows(const float* lse, float* out) {
  out[threadIdx.x] = lse[threadIdx.x];  // BUG backward_masked_rows: uninitialised_global
}

__global__ void bytes_mistaken_for_elements(const float* in, float* out) {
  out[threadIdx.x] = in[threadIdx.x];  // BUG bytes_mistaken_for_elements: uninitialised_global
}

// A copy of memory that was never written is as unwritten as its source.
__global__ void copy_of_nothing(const float* in, float* out) {
  out[threadIdx.x] = in[threadIdx.x];  // BUG copy_of_nothing: uninitialised_global
}

// Rows are 30 floats, read as vectors of 4: the last one takes 2 floats of the unwritten pad.
__global__ void vector_over_the_pad(const float4* in, float* out) {
  const float4 v = in[threadIdx.x * 8 + 7];  // BUG vector_over_the_pad: uninitialised_global
  out[threadIdx.x] = v.x + v.y + v.z + v.w;
}

constexpr Case kCases[] = {
    {"unfilled_tail", [] { unfilled_tail<<<1, 64>>>(output<int>(64)); }},
    {"sum_never_zeroed", [] { sum_never_zeroed<<<1, 64>>>(output<int>(64)); }},
    {"half_filled_vector", [] { half_filled_vector<<<1, 64>>>(output<float>(64)); }},
    {"dynamic_never_filled", [] { dynamic_never_filled<<<1, 64, 256>>>(output<int>(64)); }},
    {"maximum_of_half_the_rows", [] { maximum_of_half_the_rows<<<1, 128>>>(output<float>(128)); }},
    {"pad_column_summed",
     [] { pad_column_summed<<<1, 32>>>(input<float>(1024), output<float>(32)); }},
    {"wrong_buffer_first",
     [] { wrong_buffer_first<<<1, 64>>>(input<float>(192), output<float>(64)); }},
    {"output_accumulated_unset",
     [] { output_accumulated_unset<<<1, 32>>>(input<float>(32), fresh<float>(32)); }},
    {"atomics_on_unset_sum", [] { atomics_on_unset_sum<<<1, 32>>>(fresh<float>(1)); }},
    {"combine_skipped_splits",
     [] {
       float* const partial = fresh<float>(128);
       partial_sums<<<4, 32>>>(input<float>(128), partial, 70);
       combine_skipped_splits<<<1, 32>>>(partial, output<float>(32));
     }},
    {"backward_masked_rows",
     [] {
       float* const lse = fresh<float>(64);
       forward_masked_rows<<<1, 64>>>(lse);
       backward_masked_rows<<<1, 64>>>(lse, output<float>(64));
     }},
    {"bytes_mistaken_for_elements",
     [] {
       float* const in = fresh<float>(64);
       const std::vector<float> host(64);
       must(cudaMemcpy(in, host.data(), host.size(), cudaMemcpyHostToDevice));
       bytes_mistaken_for_elements<<<1, 64>>>(in, output<float>(64));
     }},
    {"copy_of_nothing",
     [] {
       float* const copy = fresh<float>(64);
       must(cudaMemcpy(copy, fresh<float>(64), 256, cudaMemcpyDeviceToDevice));
       copy_of_nothing<<<1, 64>>>(copy, output<float>(64));
     }},
    {"vector_over_the_pad",
     [] {
       float4* const rows = fresh<float4>(64);
       const std::vector<float> host(8 * 30);
       must(cudaMemcpy2D(rows, 128, host.data(), 120, 120, 8, cudaMemcpyHostToDevice));
       vector_over_the_pad<<<1, 8>>>(rows, output<float>(8));
     }},
};

int main(int argc, char** argv) {
  return run_cases(kCases, argc, argv);
}
