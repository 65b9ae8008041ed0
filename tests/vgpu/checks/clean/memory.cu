// Correct programs that get, fill and read memory in unusual ways. No check may report anything
// about them.
#include <cuda_fp16.h>

#include "../cases.cuh"

__global__ void doubled(const float* in, float* out, int n) {
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x)
    out[i] = 2 * in[i];
}

void managed_written_by_the_host() {
  float* managed = nullptr;
  must(cudaMallocManaged(&managed, 64 * sizeof(float)));
  for (int i = 0; i < 64; ++i) managed[i] = i;
  doubled<<<1, 64>>>(managed, output<float>(64), 64);
  must(cudaDeviceSynchronize());
  managed[0] = 1;
  must(cudaFree(managed));
}

void managed_written_by_a_kernel() {
  float* managed = nullptr;
  must(cudaMallocManaged(&managed, 64 * sizeof(float)));
  doubled<<<1, 64>>>(input<float>(64), managed, 64);
  must(cudaDeviceSynchronize());
  must(cudaMemcpy(output<float>(64), managed, 256, cudaMemcpyDefault));
  must(cudaFree(managed));
}

void pinned_memory_on_the_device() {
  float* pinned = nullptr;
  must(cudaHostAlloc(&pinned, 64 * sizeof(float), cudaHostAllocMapped));
  for (int i = 0; i < 64; ++i) pinned[i] = i;
  float* mapped = nullptr;
  must(cudaHostGetDevicePointer(&mapped, pinned, 0));
  doubled<<<1, 64>>>(mapped, output<float>(64), 64);
  must(cudaDeviceSynchronize());
  must(cudaFreeHost(pinned));
}

// Rows of 30 floats in a pitch of 512 bytes: the pad is never written, and never read.
__global__ void pitched_rows(const float* rows, size_t pitch, float* out) {
  const auto* const row =
      reinterpret_cast<const float*>(reinterpret_cast<const char*>(rows) + blockIdx.x * pitch);
  if (threadIdx.x < 30) out[blockIdx.x * 30 + threadIdx.x] = row[threadIdx.x];
}

void copied_in_two_dimensions() {
  float* rows = nullptr;
  size_t pitch = 0;
  must(cudaMallocPitch(&rows, &pitch, 120, 8));
  std::vector<float> host(240);
  for (int i = 0; i < 240; ++i) host[i] = i;
  must(cudaMemcpy2D(rows, pitch, host.data(), 120, 120, 8, cudaMemcpyHostToDevice));
  pitched_rows<<<8, 32>>>(rows, pitch, output<float>(240));
  must(cudaDeviceSynchronize());
  must(cudaFree(rows));
}

void set_in_two_dimensions() {
  float* rows = nullptr;
  size_t pitch = 0;
  must(cudaMallocPitch(&rows, &pitch, 120, 8));
  must(cudaMemset2D(rows, pitch, 1, 120, 8));
  pitched_rows<<<8, 32>>>(rows, pitch, output<float>(240));
  must(cudaDeviceSynchronize());
  must(cudaFree(rows));
}

__constant__ float c_scale[4];
__device__ float g_table[64];
__device__ float g_preset[4] = {1, 2, 3, 4};
__device__ int g_zeros[64];  // zero from the start, as any static variable

__global__ void symbols(float* out) {
  out[threadIdx.x] = g_table[threadIdx.x] * c_scale[threadIdx.x % 4] + g_preset[threadIdx.x % 4] +
                     g_zeros[threadIdx.x];
}

void symbols_filled_by_the_host() {
  std::vector<float> table(64, 3.0f);
  const float scale[4] = {1, 2, 4, 8};
  must(cudaMemcpyToSymbol(g_table, table.data(), 256));
  must(cudaMemcpyToSymbol(c_scale, scale, sizeof scale));
  symbols<<<1, 64>>>(output<float>(64));
}

// A copy of which only the first half was ever written, and only that is read.
void copies_between_device_arrays() {
  float *half_filled = fresh<float>(128), *copy = fresh<float>(128);
  doubled<<<1, 64>>>(input<float>(64), half_filled, 64);
  must(cudaMemcpy(copy, half_filled, 512, cudaMemcpyDeviceToDevice));
  must(cudaMemcpyAsync(copy + 64, copy, 256, cudaMemcpyDeviceToDevice));
  doubled<<<1, 128>>>(copy, output<float>(128), 128);
}

struct Tagged {
  float value;
  char tag;  // and three bytes of padding
};

__global__ void write_members(Tagged* all) {
  all[threadIdx.x].value = threadIdx.x;
  all[threadIdx.x].tag = static_cast<char>(threadIdx.x);
}
__global__ void copy_structures(const Tagged* from, Tagged* to) {
  to[threadIdx.x] = from[threadIdx.x];
}
__global__ void read_members(const Tagged* all, float* out) {
  out[threadIdx.x] = all[threadIdx.x].value + all[threadIdx.x].tag;
}

void padding_never_written() {
  Tagged *first = fresh<Tagged>(64), *second = fresh<Tagged>(64);
  write_members<<<1, 64>>>(first);
  copy_structures<<<1, 64>>>(first, second);
  read_members<<<1, 64>>>(second, output<float>(64));
}

// Arrays of three floats: no vector fits them, and their last one ends the allocation.
__global__ void vectors_of_three(const float3* in, float3* out) {
  const float3 v = in[threadIdx.x];
  out[threadIdx.x] = {v.z, v.x, v.y};
}

// Vectors up to the very last byte of an odd number of floats; the rest one by one.
__global__ void vectors_and_a_tail(const float* in, float* out, int n) {
  const int whole = n / 4;
  for (int i = threadIdx.x; i < whole; i += blockDim.x) {
    const float4 v = reinterpret_cast<const float4*>(in)[i];
    reinterpret_cast<float4*>(out)[i] = {v.w, v.z, v.y, v.x};
  }
  for (int i = 4 * whole + threadIdx.x; i < n; i += blockDim.x) out[i] = in[i];
}

__global__ void words_of_halves(const __half* in, unsigned* out) {
  out[threadIdx.x] = reinterpret_cast<const unsigned*>(in)[threadIdx.x];
}

// Only even elements are ever written, and only they are read.
__global__ void write_even(float* x) {
  x[2 * threadIdx.x] = threadIdx.x;
}
__global__ void read_even(const float* x, float* out) {
  out[threadIdx.x] = x[2 * threadIdx.x];
}

void written_in_part() {
  float* const x = fresh<float>(128);
  write_even<<<1, 64>>>(x);
  read_even<<<1, 64>>>(x, output<float>(64));
}

// No rows: the pointers are never used, and nothing is copied.
void nothing_to_do() {
  doubled<<<1, 64>>>(nullptr, nullptr, 0);
  float* const x = output<float>(1);
  must(cudaMemcpy(x, nullptr, 0, cudaMemcpyHostToDevice));
  must(cudaMemset(x, 0, 0));
  must(cudaFree(nullptr));
}

void allocated_in_a_stream() {
  cudaStream_t stream = nullptr;
  must(cudaStreamCreate(&stream));
  float* const out = output<float>(64);
  const float* const in = input<float>(64);
  must(cudaDeviceSynchronize());
  for (int round = 0; round < 3; ++round) {
    float* scratch = nullptr;
    must(cudaMallocAsync(&scratch, 256, stream));
    doubled<<<1, 64, 0, stream>>>(in, scratch, 64);
    doubled<<<1, 64, 0, stream>>>(scratch, out, 64);
    must(cudaFreeAsync(scratch, stream));
  }
  must(cudaStreamSynchronize(stream));
  must(cudaStreamDestroy(stream));
}

// Freed and allocated again: the new array is filled before it is read.
void memory_used_again() {
  for (int round = 0; round < 3; ++round) {
    float* scratch = nullptr;
    must(cudaMalloc(&scratch, 256));
    doubled<<<1, 64>>>(input<float>(64), scratch, 64);
    doubled<<<1, 64>>>(scratch, output<float>(64), 64);
    must(cudaDeviceSynchronize());
    must(cudaFree(scratch));
  }
}

// A thread's own array, of which only what was written is read.
__global__ void local_array(const int* in, int* out) {
  int stack[32];
  int top = 0;
  for (int i = 0; i < 32; ++i) {
    const int x = in[(threadIdx.x + i) % 64];
    if (x % 3 != 0 || top == 0) {
      stack[top++] = x;
    } else {
      out[threadIdx.x] += stack[--top];
    }
  }
}

__device__ __noinline__ int depth_of_halving(int n) {
  return n <= 1 ? 0 : 1 + depth_of_halving(n / 2) + depth_of_halving(n / 3);
}
__global__ void recursion(int* out) {
  out[threadIdx.x] = depth_of_halving(threadIdx.x);
}

__global__ void printing(int* out) {
  if (threadIdx.x == 3) std::printf("thread %d of %d\n", threadIdx.x, blockDim.x);
  out[threadIdx.x] = threadIdx.x;
}

__global__ void last_part(const float* in, float* out, int first, int n) {
  for (int i = first + threadIdx.x; i < first + n; i += blockDim.x) out[i - first] = in[i] + 1;
}

constexpr Case kCases[] = {
    {"managed_written_by_the_host", managed_written_by_the_host},
    {"managed_written_by_a_kernel", managed_written_by_a_kernel},
    {"pinned_memory_on_the_device", pinned_memory_on_the_device},
    {"copied_in_two_dimensions", copied_in_two_dimensions},
    {"set_in_two_dimensions", set_in_two_dimensions},
    {"symbols_filled_by_the_host", symbols_filled_by_the_host},
    {"copies_between_device_arrays", copies_between_device_arrays},
    {"padding_never_written", padding_never_written},
    {"vectors_of_three",
     [] { vectors_of_three<<<1, 33>>>(input<float3>(33), output<float3>(33)); }},
    {"vectors_and_a_tail",
     [] { vectors_and_a_tail<<<1, 32>>>(input<float>(131), output<float>(131), 131); }},
    {"words_of_halves",
     [] { words_of_halves<<<1, 32>>>(input<__half, __half>(64), output<unsigned>(32)); }},
    {"written_in_part", written_in_part},
    {"nothing_to_do", nothing_to_do},
    {"allocated_in_a_stream", allocated_in_a_stream},
    {"memory_used_again", memory_used_again},
    {"local_array", [] { local_array<<<1, 64>>>(input<int>(64), output<int>(64)); }},
    {"recursion", [] { recursion<<<1, 64>>>(output<int>(64)); }},
    {"printing", [] { printing<<<1, 32>>>(output<int>(32)); }},
    {"grid_stride_loop", [] { doubled<<<3, 64>>>(input<float>(1000), output<float>(1000), 1000); }},
    {"last_part_of_an_array",
     [] { last_part<<<1, 32>>>(input<float>(100), output<float>(70), 30, 70); }},
};

int main(int argc, char** argv) {
  return run_cases(kCases, argc, argv);
}
