// Locks that threads of one warp take from one another, and a hash table with open addressing whose
// slots are won by compare and swap.
#include "field.cuh"

__device__ int locks[16];

__global__ void bank(int* accounts, const int* from, const int* to, int n) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n || from[i] == to[i]) return;
  const int first = min(from[i], to[i]), second = max(from[i], to[i]);
  bool done = false;
  while (!done) {
    if (atomicCAS(&locks[first], 0, 1) == 0) {
      if (atomicCAS(&locks[second], 0, 1) == 0) {
        __threadfence();
        *(volatile int*)&accounts[from[i]] -= i % 10;
        *(volatile int*)&accounts[to[i]] += i % 10;
        __threadfence();
        done = true;
        atomicExch(&locks[second], 0);
      }
      atomicExch(&locks[first], 0);
    }
  }
}

constexpr unsigned kEmpty = 0xffffffffu;

struct Slot {
  unsigned key, count;
};

__device__ unsigned hash(unsigned k) {
  k ^= k >> 16;
  k *= 0x85ebca6bu;
  k ^= k >> 13;
  k *= 0xc2b2ae35u;
  return k ^ k >> 16;
}

__global__ void insert(Slot* table, int size, const unsigned* keys, int n) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n) return;
  unsigned at = hash(keys[i]) & (size - 1);
  while (true) {
    const unsigned seen = atomicCAS(&table[at].key, kEmpty, keys[i]);
    if (seen == kEmpty || seen == keys[i]) {
      atomicAdd(&table[at].count, 1u);
      return;
    }
    at = (at + 1) & (size - 1);
  }
}

__global__ void look_up(const Slot* table, int size, const unsigned* keys, unsigned* counts,
                        int n) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n) return;
  unsigned at = hash(keys[i]) & (size - 1);
  while (table[at].key != kEmpty && table[at].key != keys[i]) at = (at + 1) & (size - 1);
  counts[i] = table[at].key == keys[i] ? table[at].count : 0;
}

int main() {
  const int n = 600;
  int* accounts = to_device(std::vector<int>(16, 1000));
  bank<<<(n + 63) / 64, 64>>>(accounts, to_device(random_ints(n, 0, 15, 491)),
                              to_device(random_ints(n, 0, 15, 492)), n);
  show("accounts", accounts, 16);

  const int size = 4096, keys = 6000;
  std::vector<unsigned> key = random_whole<unsigned>(keys, 0, 2500, 493);
  Slot* table = device_array<Slot>(size);
  CHECK(cudaMemset(table, 0xff, size * sizeof(Slot)));
  // Counts start at zero, keys at kEmpty.
  CHECK(cudaMemset2D(&table[0].count, sizeof(Slot), 0, sizeof(unsigned), size));
  unsigned* d_key = to_device(key);
  unsigned* counts = device_array<unsigned>(keys);
  insert<<<(keys + 127) / 128, 128>>>(table, size, d_key, keys);
  look_up<<<(keys + 127) / 128, 128>>>(table, size, d_key, counts, keys);
  show("counts", counts, keys);
}
