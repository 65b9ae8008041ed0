// Races on global memory between blocks of one launch. `// BUG name: kind` stands on the line to
// report.
#include "../cases.cuh"

// Two blocks take half of the keys each and add to the same rows of O.
__global__ void split_k_without_atomics(const float* in, float* o) {
  o[threadIdx.x] += in[blockIdx.x * 32 + threadIdx.x];  // BUG split_k_without_atomics: race_global
}

// The backward pass adds to dK from every block of queries.
__global__ void key_gradient_without_atomics(const float* p, float* dk) {
  for (int key = 0; key < 4; ++key)
    dk[key * 32 + threadIdx.x] +=  // BUG key_gradient_without_atomics: race_global
        p[blockIdx.x * 4 + key];
}

// FlashAttention 1 with one block for each tile of K: all of them update m and l of each row.
__global__ void row_state_of_several_blocks(const float* scores, float* m) {
  const float old = m[threadIdx.x];
  const float here = scores[blockIdx.x * 32 + threadIdx.x];
  m[threadIdx.x] = fmaxf(old, here);  // BUG row_state_of_several_blocks: race_global
}

// Tiles of 48 rows, but every block writes 64.
__global__ void overlapping_tiles(const float* in, float* out, int n) {
  const int row = blockIdx.x * 48 + threadIdx.x;
  if (row < n) out[row] = 2 * in[row] + blockIdx.x;  // BUG overlapping_tiles: race_global
}

// The stride of a grid-stride loop leaves out the number of blocks.
__global__ void stride_of_one_block(float* x, int n) {
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += blockDim.x)
    x[i] *= 2;  // BUG stride_of_one_block: race_global
}

// In place, although each row needs its old neighbours.
__global__ void stencil_in_place(float* x, int n) {
  const int i = blockIdx.x * 32 + threadIdx.x;
  float sum = x[i];
  if (i + 1 < n) sum += x[i + 1];
  __syncthreads();
  x[i] = sum;  // BUG stencil_in_place: race_global
}

// The last block adds up what the others wrote, without knowing that they have.
__global__ void partials_read_unasked(const float* in, float* partial, float* out) {
  if (threadIdx.x == 0) partial[blockIdx.x] = in[blockIdx.x];
  __syncthreads();
  if (blockIdx.x == gridDim.x - 1 && threadIdx.x == 0) {
    float sum = 0;
    for (int b = 0; b < gridDim.x; ++b)
      sum += partial[b];  // BUG partials_read_unasked: race_global
    *out = sum;
  }
}

// The counter says who is last, but without a fence the partials may come after it.
__global__ void counter_without_fence(const float* in, float* partial, unsigned* done, float* out) {
  __shared__ bool last;
  if (threadIdx.x == 0) {
    partial[blockIdx.x] = in[blockIdx.x];
    last = atomicAdd(done, 1) == gridDim.x - 1;
  }
  __syncthreads();
  if (!last || threadIdx.x != 0) return;
  __threadfence();
  float sum = 0;
  for (int b = 0; b < gridDim.x; ++b) sum += partial[b];  // BUG counter_without_fence: race_global
  *out = sum;
}

// Block 1 waits for a flag, which block 0 raises without a fence.
__global__ void flag_without_fence(float* data, int* flag, float* out) {
  if (blockIdx.x == 0) {
    *data = 42;
    atomicExch(flag, 1);
  } else {
    while (atomicAdd(flag, 0) == 0) {
    }
    __threadfence();
    *out = *data;  // BUG flag_without_fence: race_global
  }
}

// One block zeroes the sum that all of them add to.
__global__ void zeroed_by_the_first_block(float* sum) {
  if (blockIdx.x == 0 && threadIdx.x == 0) *sum = 0;
  __syncthreads();
  atomicAdd(sum, 1.0f);  // BUG zeroed_by_the_first_block: race_global
}

// Every block stores its maximum where there is room for one.
__global__ void one_result_for_all_blocks(const float* in, float* out) {
  float m = in[blockIdx.x * 32 + threadIdx.x];
  for (int step = 16; step > 0; step /= 2) m = fmaxf(m, __shfl_xor_sync(~0u, m, step));
  if (threadIdx.x == 0) out[0] = m + blockIdx.x;  // BUG one_result_for_all_blocks: race_global
}

// Blocks are numbered by head, and the batch is left out of the offset of the output.
__global__ void batch_left_out(const float* in, float* out) {
  const int head = blockIdx.x, batch = blockIdx.y;
  out[head * 32 + threadIdx.x] =  // BUG batch_left_out: race_global
      in[(batch * gridDim.x + head) * 32 + threadIdx.x];
}

constexpr Case kCases[] = {
    {"split_k_without_atomics",
     [] { split_k_without_atomics<<<2, 32>>>(input<float>(64), output<float>(32)); }},
    {"key_gradient_without_atomics",
     [] { key_gradient_without_atomics<<<3, 32>>>(input<float>(12), output<float>(128)); }},
    {"row_state_of_several_blocks",
     [] { row_state_of_several_blocks<<<4, 32>>>(input<float>(128), output<float>(32)); }},
    {"overlapping_tiles",
     [] { overlapping_tiles<<<3, 64>>>(input<float>(144), output<float>(144), 144); }},
    {"stride_of_one_block", [] { stride_of_one_block<<<2, 64>>>(output<float>(256), 256); }},
    {"stencil_in_place", [] { stencil_in_place<<<4, 32>>>(output<float>(128), 128); }},
    {"partials_read_unasked",
     [] { partials_read_unasked<<<4, 32>>>(input<float>(4), output<float>(4), output<float>(1)); }},
    {"counter_without_fence",
     [] {
       counter_without_fence<<<4, 32>>>(input<float>(4), output<float>(4), output<unsigned>(1),
                                        output<float>(1));
     }},
    {"flag_without_fence",
     [] { flag_without_fence<<<2, 1>>>(output<float>(1), output<int>(1), output<float>(1)); }},
    {"zeroed_by_the_first_block", [] { zeroed_by_the_first_block<<<2, 32>>>(output<float>(1)); }},
    {"one_result_for_all_blocks",
     [] { one_result_for_all_blocks<<<2, 32>>>(input<float>(64), output<float>(1)); }},
    {"batch_left_out",
     [] { batch_left_out<<<dim3(2, 2), 32>>>(input<float>(128), output<float>(64)); }},
};

int main(int argc, char** argv) {
  return run_cases(kCases, argc, argv);
}
