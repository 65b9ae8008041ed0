// Memory of which a part is never written. Each rule has a program that may read it all the same
// and one that may not. `// BUG name: kind` stands on the line to report.
#include "../cases.cuh"

using Words = unsigned long long;

struct Best {
  int key;  // and four bytes of padding
  long place;
};
struct Last {
  double value;
  int place;  // and four bytes of padding
};

__global__ void write_best(const int* in, Best* best) {
  best[threadIdx.x].key = in[threadIdx.x];
  best[threadIdx.x].place = threadIdx.x;
}
__global__ void write_last(const int* in, Last* last) {
  last[threadIdx.x].value = in[threadIdx.x];
  last[threadIdx.x].place = threadIdx.x;
}
__global__ void write_left(const float* in, float2* out) {
  out[threadIdx.x].x = in[threadIdx.x];
}
// 32 of them; `T` is what a kernel takes them for.
template <class T>
T* best_of_threads() {
  Best* const best = fresh<Best>(32);
  write_best<<<1, 32>>>(input<int>(32), best);
  return reinterpret_cast<T*>(best);
}
template <class T>
T* half_written() {
  float2* const all = fresh<float2>(32);
  write_left<<<1, 32>>>(input<float>(32), all);
  return reinterpret_cast<T*>(all);
}

// Loads words of 64 bits, of which the upper half is padding, or half of a number.
__global__ void half_of_a_word(const Words* best, int* keys) {
  const Words word = __ldg(&best[2 * threadIdx.x]);
  keys[threadIdx.x] = static_cast<int>(word);
}
__device__ float sum_of_halves(Words word) {
  return __uint_as_float(static_cast<unsigned>(word)) +
         __uint_as_float(static_cast<unsigned>(word >> 32));
}
__global__ void both_halves_of_a_word(const Words* in, float* out) {
  const Words word = __ldg(&in[threadIdx.x]);  // BUG both_halves_of_a_word: uninitialised_global
  out[threadIdx.x] = sum_of_halves(word);
}

__global__ void half_of_a_shared_word(const int* in, int* out) {
  __shared__ Best best[32];
  best[threadIdx.x].key = in[threadIdx.x];
  best[threadIdx.x].place = threadIdx.x;
  __syncwarp();
  const auto* const words = reinterpret_cast<const volatile Words*>(best);
  out[threadIdx.x] = static_cast<int>(words[62 - 2 * threadIdx.x] & 255);
}
__global__ void both_halves_of_a_shared_word(const float* in, float* out) {
  __shared__ float2 tile[32];
  tile[threadIdx.x].x = in[threadIdx.x];
  __syncwarp();
  const auto* const words = reinterpret_cast<const volatile Words*>(tile);
  const Words word = words[31 - threadIdx.x];  // BUG both_halves_of_a_shared_word: uninitialised
  out[threadIdx.x] = sum_of_halves(word);
}

// A vector of four, of which the last element is missing.
__global__ void write_three(const float* in, float4* out) {
  out[threadIdx.x].x = out[threadIdx.x].y = out[threadIdx.x].z = in[threadIdx.x];
}
__global__ void three_of_four(const float4* in, float* out) {
  const float4 v = __ldg(&in[threadIdx.x]);
  out[threadIdx.x] = v.x + v.y * v.z;
}
__global__ void all_four(const float4* in, float* out) {
  const float4 v = __ldg(&in[threadIdx.x]);  // BUG all_four: uninitialised_global
  out[threadIdx.x] = v.x + v.y * v.z + v.w;
}

// Structs move whole through shared memory and between lanes.
__global__ void structs_moved(const Best* from, Best* to) {
  __shared__ Best tile[32];
  tile[threadIdx.x] = from[threadIdx.x];
  __syncwarp();
  to[threadIdx.x] = tile[31 - threadIdx.x];
}
__global__ void structs_exchanged(const uint4* from, uint4* to) {
  const uint4 words = __ldg(&from[threadIdx.x]);
  uint4 other;
  other.x = __shfl_xor_sync(~0u, words.x, 1);
  other.y = __shfl_xor_sync(~0u, words.y, 1);  // the padding
  other.z = __shfl_xor_sync(~0u, words.z, 1);
  other.w = __shfl_xor_sync(~0u, words.w, 1);
  to[threadIdx.x] = other;
}
__global__ void padding_at_the_end(const Last* from, Last* to) {
  to[threadIdx.x] = from[threadIdx.x];
}
// The words of an array, of which the second half is missing.
__global__ void write_first_half(unsigned* out) {
  if (threadIdx.x < 16) out[threadIdx.x] = threadIdx.x;
}
__global__ void words_moved(const unsigned* from, unsigned* to) {
  to[threadIdx.x] = from[threadIdx.x];  // BUG words_moved: uninitialised_global
}
// Numbers are not copied as structs are.
__global__ void numbers_moved(const float2* from, float2* to) {
  const float2 v = from[threadIdx.x];  // BUG numbers_moved: uninitialised_global
  to[threadIdx.x] = {v.y, v.x};
}

constexpr Case kCases[] = {
    {"half_of_a_word",
     [] { half_of_a_word<<<1, 32>>>(best_of_threads<Words>(), output<int>(32)); }},
    {"both_halves_of_a_word",
     [] { both_halves_of_a_word<<<1, 32>>>(half_written<Words>(), output<float>(32)); }},
    {"half_of_a_shared_word",
     [] { half_of_a_shared_word<<<1, 32>>>(input<int>(32), output<int>(32)); }},
    {"both_halves_of_a_shared_word",
     [] { both_halves_of_a_shared_word<<<1, 32>>>(input<float>(32), output<float>(32)); }},
    {"three_of_four",
     [] {
       float4* const all = fresh<float4>(32);
       write_three<<<1, 32>>>(input<float>(32), all);
       three_of_four<<<1, 32>>>(all, output<float>(32));
     }},
    {"all_four",
     [] {
       float4* const all = fresh<float4>(32);
       write_three<<<1, 32>>>(input<float>(32), all);
       all_four<<<1, 32>>>(all, output<float>(32));
     }},
    {"structs_moved", [] { structs_moved<<<1, 32>>>(best_of_threads<Best>(), output<Best>(32)); }},
    {"structs_exchanged",
     [] { structs_exchanged<<<1, 32>>>(best_of_threads<uint4>(), output<uint4>(32)); }},
    {"padding_at_the_end",
     [] {
       Last* const last = fresh<Last>(32);
       write_last<<<1, 32>>>(input<int>(32), last);
       padding_at_the_end<<<1, 32>>>(last, output<Last>(32));
     }},
    {"words_moved",
     [] {
       unsigned* const words = fresh<unsigned>(32);
       write_first_half<<<1, 32>>>(words);
       words_moved<<<1, 32>>>(words, output<unsigned>(32));
     }},
    {"numbers_moved", [] { numbers_moved<<<1, 32>>>(half_written<float2>(), output<float2>(32)); }},
};

int main(int argc, char** argv) {
  return run_cases(kCases, argc, argv);
}
