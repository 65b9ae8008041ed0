// cp.async: copies of 4, 8 and 16 bytes through and past L1, zero fill, groups that are waited for
// in turn, and lanes whose groups differ. With the argument "no-wait" the data are used without
// waiting for them, which is wrong: the virtual GPU must show it.
#include <cstring>

#include "program.cuh"

__device__ unsigned shared_address(const void* p) {
  return static_cast<unsigned>(__cvta_generic_to_shared(p));
}

enum class Cache { Through, Past };

template <int kBytes, Cache kCache>
__device__ void copy(void* to, const void* from, int present) {
  if constexpr (kCache == Cache::Past) {
    asm volatile("cp.async.cg.shared.global [%0], [%1], %2, %3;" ::"r"(shared_address(to)),
                 "l"(from), "n"(kBytes), "r"(present)
                 : "memory");
  } else {
    asm volatile("cp.async.ca.shared.global [%0], [%1], %2, %3;" ::"r"(shared_address(to)),
                 "l"(from), "n"(kBytes), "r"(present)
                 : "memory");
  }
}
__device__ void commit() {
  asm volatile("cp.async.commit_group;" ::: "memory");
}
template <int kPending>
__device__ void wait_group() {
  asm volatile("cp.async.wait_group %0;" ::"n"(kPending) : "memory");
}
__device__ void wait_all() {
  asm volatile("cp.async.wait_all;" ::: "memory");
}

// Lane t copies piece t * step of the input to piece t * stride in shared memory, of which
// `present` bytes are read; the output is the shared memory.
template <int kBytes, Cache kCache>
__global__ void pieces(const char* in, char* out, int step, int stride, int present, int sharing) {
  __shared__ alignas(16) char tile[4096];
  const int t = threadIdx.x;
  for (int i = t; i < 4096; i += 32) tile[i] = 1;
  __syncthreads();  // the pattern is complete before copies land in it
  copy<kBytes, kCache>(tile + t * stride * kBytes, in + t / sharing * step * kBytes, present);
  commit();
  wait_group<0>();
  __syncthreads();  // everybody's copies are there
  for (int i = t; i < 4096; i += 32) out[i] = tile[i];
}

template <int kBytes, Cache kCache>
void check_pieces(const char* what, int step, int stride, int present, int sharing = 1) {
  std::vector<char> in(4096), want(4096, 1);
  for (int i = 0; i < 4096; ++i) in[i] = static_cast<char>(i * 7 + i / 256);
  for (int t = 0; t < 32; ++t) {
    char* const piece = &want[t * stride * kBytes];
    std::memset(piece, 0, kBytes);
    std::memcpy(piece, &in[t / sharing * step * kBytes], present);
  }
  DeviceArray<char> din(in), out(4096);
  pieces<kBytes, kCache><<<1, 32>>>(din.data(), out.data(), step, stride, present, sharing);
  finish_kernels();
  expect(what, out.host(), want);
}

// Lane t reads min(16, bytes left) of its 16 bytes: the last piece ends with the allocation, and
// those behind it are not read at all.
__global__ void ragged(const char* in, int bytes, char* out) {
  __shared__ alignas(16) char tile[512];
  const int t = threadIdx.x, left = bytes - 16 * t;
  copy<16, Cache::Past>(tile + 16 * t, in + 16 * t, left < 0 ? 0 : left > 16 ? 16 : left);
  wait_all();
  __syncthreads();  // everybody's copies are there
  for (int i = t; i < 512; i += 32) out[i] = tile[i];
}

// A pipeline of two buffers: while one tile is added up the next one is on its way.
template <bool kWait>
__global__ void pipeline(const float* in, float* out, int tiles) {
  __shared__ alignas(16) float buffer[2][256];
  const int t = threadIdx.x;
  float sum = 0.0f;
  copy<16, Cache::Past>(&buffer[0][4 * t], in + 4 * t, 16);
  commit();
  for (int tile = 0; tile < tiles; ++tile) {
    // The copy behind the last tile is not needed: it stays pending to the end.
    const float* const next = in + (tile + 1) % tiles * 256;
    copy<16, Cache::Past>(&buffer[(tile + 1) % 2][4 * t], next + 4 * t, 16);
    commit();
    if (kWait) wait_group<1>();
    __syncthreads();  // this tile is complete
    for (int i = 0; i < 4; ++i) sum += buffer[tile % 2][(4 * t + 64 + i) % 256];
    __syncthreads();  // nobody reads the tile that the next copy overwrites
  }
  out[t] = sum;
}

// Half of the warp commits each copy on its own, the other half both together.
__global__ void uneven_groups(const int* in, int* out) {
  __shared__ int tile[64];
  const int t = threadIdx.x;
  copy<4, Cache::Through>(&tile[t], in + t, 4);
  if (t % 2 == 0) commit();
  copy<4, Cache::Through>(&tile[32 + t], in + 32 + t, 4);
  commit();
  wait_group<1>();
  // Only the even lanes may look at their first value now: the odd ones have one group.
  const int early = t % 2 == 0 ? tile[t] : 0;
  wait_group<0>();
  out[t] = early;
  out[32 + t] = tile[t] + tile[32 + t];
}

int check_pipeline(bool waits) {
  constexpr int kTiles = 5;
  const std::vector<float> in = random_floats(kTiles * 256, 21);
  DeviceArray<float> din(in), out(64);
  if (waits)
    pipeline<true><<<1, 64>>>(din.data(), out.data(), kTiles);
  else
    pipeline<false><<<1, 64>>>(din.data(), out.data(), kTiles);
  finish_kernels();
  std::vector<float> want(64);
  for (int t = 0; t < 64; ++t) {
    for (int i = 0; i < kTiles * 4; ++i) want[t] += in[i / 4 * 256 + (4 * t + 64 + i % 4) % 256];
  }
  expect("pipeline", out.host(), want);
  return verdict();
}

int main(int argc, char** argv) {
  if (argc > 1 && std::strcmp(argv[1], "no-wait") == 0) return check_pipeline(false);
  check_pieces<16, Cache::Past>("16 bytes", 1, 1, 16);
  check_pieces<16, Cache::Past>("16 bytes, none read", 1, 1, 0);
  check_pieces<16, Cache::Past>("16 bytes, 7 read", 1, 1, 7);
  check_pieces<16, Cache::Past>("16 bytes, far apart", 3, 4, 16);
  check_pieces<16, Cache::Through>("16 bytes through L1", 1, 1, 16);
  check_pieces<16, Cache::Through>("16 bytes through L1, conflicts", 2, 4, 16);
  check_pieces<8, Cache::Through>("8 bytes", 1, 1, 8);
  check_pieces<8, Cache::Through>("8 bytes, every second place", 1, 2, 8);
  check_pieces<8, Cache::Through>("8 bytes, conflicts", 6, 8, 8);
  check_pieces<8, Cache::Through>("8 bytes, 3 read", 1, 1, 3);
  check_pieces<4, Cache::Through>("4 bytes", 1, 1, 4);
  check_pieces<4, Cache::Through>("4 bytes, every second place", 1, 2, 4);
  check_pieces<4, Cache::Through>("4 bytes, one bank", 9, 32, 4);
  check_pieces<4, Cache::Through>("4 bytes, 5 apart", 5, 3, 4);
  for (const int sharing : {2, 4, 32}) {
    check_pieces<4, Cache::Through>("4 bytes, shared", 1, 1, 4, sharing);
    check_pieces<8, Cache::Through>("8 bytes, shared", 1, 1, 8, sharing);
    check_pieces<16, Cache::Through>("16 bytes, shared", 1, 1, 16, sharing);
    check_pieces<4, Cache::Through>("4 bytes, shared and spread", 9, 4, 4, sharing);
    check_pieces<16, Cache::Past>("16 bytes past L1, shared", 1, 1, 16, sharing);
  }

  std::vector<char> in(83), want(512, 0);
  for (size_t i = 0; i < in.size(); ++i) want[i] = in[i] = static_cast<char>(i + 1);
  DeviceArray<char> din(in), out(512);
  ragged<<<1, 32>>>(din.data(), 83, out.data());
  finish_kernels();
  expect("ragged", out.host(), want);

  std::vector<int> numbers(64), sums(64);
  for (int i = 0; i < 64; ++i) numbers[i] = 100 + i;
  for (int t = 0; t < 32; ++t) {
    sums[t] = t % 2 == 0 ? numbers[t] : 0;
    sums[32 + t] = numbers[t] + numbers[32 + t];
  }
  DeviceArray<int> dnumbers(numbers), dsums(64);
  uneven_groups<<<1, 32>>>(dnumbers.data(), dsums.data());
  finish_kernels();
  expect("uneven groups", dsums.host(), sums);
  return check_pipeline(true);
}
