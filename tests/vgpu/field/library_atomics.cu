// libcu++ atomics: scopes and orders, atomic_ref on plain memory, a lock among blocks, a sequence
// of messages, latch and semaphore.
#include <cuda/atomic>
#include <cuda/latch>
#include <cuda/semaphore>

#include "field.cuh"

__device__ cuda::atomic<int, cuda::thread_scope_device> total{0};
__device__ cuda::std::atomic<unsigned long long> bits{0};

class SpinLock {
 public:
  __device__ void lock() {
    while (flag_.exchange(1, cuda::std::memory_order_acquire) != 0) __nanosleep(20);
  }
  __device__ void unlock() { flag_.store(0, cuda::std::memory_order_release); }

 private:
  cuda::atomic<int, cuda::thread_scope_device> flag_{0};
};

__device__ SpinLock lock;
__device__ int protected_count, protected_sum;

__global__ void count(int* plain, double* plain_sum) {
  const int id = blockIdx.x * blockDim.x + threadIdx.x;
  total.fetch_add(id, cuda::std::memory_order_relaxed);
  bits.fetch_xor(1ull << (id % 61));
  cuda::atomic_ref<int, cuda::thread_scope_device>(plain[id % 7]).fetch_max(id);
  cuda::atomic_ref<double, cuda::thread_scope_device>(*plain_sum).fetch_add(0.5);
  if (threadIdx.x != 0) return;
  lock.lock();
  ++protected_count;
  protected_sum += protected_count * 3;
  lock.unlock();
}

// Block 0 hands numbers to block 1 through one slot.
struct Channel {
  cuda::atomic<int, cuda::thread_scope_device> full{0};
  int value = 0;
};
__device__ Channel channel;

__global__ void messages(long long* sum, int rounds) {
  if (threadIdx.x != 0) return;
  long long mine = 0;
  for (int r = 0; r < rounds; ++r) {
    if (blockIdx.x == 0) {
      while (channel.full.load(cuda::std::memory_order_acquire) != 0) {
      }
      channel.value = r * r;
      channel.full.store(1, cuda::std::memory_order_release);
    } else {
      while (channel.full.load(cuda::std::memory_order_acquire) == 0) {
      }
      mine = mine * 3 % 1000003 + channel.value;
      channel.full.store(0, cuda::std::memory_order_release);
    }
  }
  if (blockIdx.x == 1) *sum = mine;
}

__global__ void latch_and_semaphore(int* out) {
  __shared__ alignas(16) unsigned char storage[sizeof(cuda::latch<cuda::thread_scope_block>)];
  __shared__ alignas(
      16) unsigned char permits[sizeof(cuda::counting_semaphore<cuda::thread_scope_block, 2>)];
  __shared__ int inside, most, ready;
  auto* latch = reinterpret_cast<cuda::latch<cuda::thread_scope_block>*>(storage);
  auto* semaphore =
      reinterpret_cast<cuda::counting_semaphore<cuda::thread_scope_block, 2>*>(permits);
  if (threadIdx.x == 0) {
    new (latch) cuda::latch<cuda::thread_scope_block>(4);
    new (semaphore) cuda::counting_semaphore<cuda::thread_scope_block, 2>(2);
    inside = most = ready = 0;
  }
  __syncthreads();
  if (threadIdx.x % 32 == 0) {  // one thread of each of four warps
    atomicAdd(&ready, 1);
    latch->arrive_and_wait();
    out[threadIdx.x / 32] = ready;
    semaphore->acquire();
    atomicMax(&most, atomicAdd(&inside, 1) + 1);
    atomicSub(&inside, 1);
    semaphore->release();
  }
  __syncthreads();
  if (threadIdx.x == 0) out[4] = most <= 2;
}

int main() {
  int* plain = to_device(std::vector<int>(8, 0));
  double* sum = to_device(std::vector<double>{0});
  count<<<12, 96>>>(plain, sum);
  CHECK(cudaDeviceSynchronize());
  int host_total, counts[2];
  unsigned long long host_bits;
  CHECK(cudaMemcpyFromSymbol(&host_total, total, sizeof host_total));
  CHECK(cudaMemcpyFromSymbol(&host_bits, bits, sizeof host_bits));
  CHECK(cudaMemcpyFromSymbol(&counts[0], protected_count, sizeof(int)));
  CHECK(cudaMemcpyFromSymbol(&counts[1], protected_sum, sizeof(int)));
  std::printf("%d %llx %d %d %g\n", host_total, host_bits, counts[0], counts[1],
              to_host(sum, 1)[0]);
  show("maxima", plain, 7);
  long long* result = device_array<long long>(1);
  messages<<<2, 32>>>(result, 50);
  CHECK(cudaDeviceSynchronize());
  std::printf("messages: %lld\n", to_host(result, 1)[0]);
  int* out = device_array<int>(5);
  latch_and_semaphore<<<1, 128>>>(out);
  CHECK(cudaDeviceSynchronize());
  for (const int x : to_host(out, 5)) std::printf("%d ", x);
  std::printf("\n");
}
