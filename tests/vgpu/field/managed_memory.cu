// Managed memory: variables that host and device share, linked structures, prefetch and advice,
// pinned memory mapped into the device.
#include "field.cuh"

__managed__ int counter = 5;
__managed__ float table[64];

struct Node {
  int value;
  Node* next;
};

__global__ void touch(int n) {
  if (threadIdx.x < 64) table[threadIdx.x] = table[threadIdx.x] * 2 + threadIdx.x;
  for (int i = threadIdx.x; i < n; i += blockDim.x) atomicAdd(&counter, i);
}

__global__ void walk(const Node* head, long long* result) {
  long long sum = 0;
  for (const Node* n = head; n != nullptr; n = n->next) sum = (sum * 31 + n->value) % 1000000007;
  *result = sum;
}

__global__ void increment(int* mapped, int n) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) mapped[i] += i;
}

int main() {
  for (int i = 0; i < 64; ++i) table[i] = static_cast<float>(i) / 4;
  touch<<<1, 128>>>(100);
  CHECK(cudaDeviceSynchronize());
  std::printf("counter %d, table %g %g\n", counter, table[1], table[63]);
  counter = 1;
  touch<<<1, 32>>>(10);
  CHECK(cudaDeviceSynchronize());
  std::printf("counter %d\n", counter);

  Node* head = nullptr;
  for (const int v : random_ints(50, 0, 999, 401)) {
    Node* node;
    CHECK(cudaMallocManaged(&node, sizeof(Node)));
    *node = {v, head};
    head = node;
  }
  long long* result;
  CHECK(cudaMallocManaged(&result, sizeof *result));
  cudaMemLocation here{};
  here.type = cudaMemLocationTypeDevice;
  here.id = 0;
  CHECK(cudaMemAdvise(result, sizeof *result, cudaMemAdviseSetPreferredLocation, here));
  CHECK(cudaMemPrefetchAsync(result, sizeof *result, here, 0, nullptr));
  walk<<<1, 1>>>(head, result);
  CHECK(cudaDeviceSynchronize());
  std::printf("walk %lld\n", *result);

  int* host;
  int* device;
  const int n = 500;
  CHECK(cudaHostAlloc(&host, n * sizeof(int), cudaHostAllocMapped));
  for (int i = 0; i < n; ++i) host[i] = 1000 - i;
  CHECK(cudaHostGetDevicePointer(&device, host, 0));
  increment<<<4, 128>>>(device, n);
  CHECK(cudaDeviceSynchronize());
  show("mapped", std::vector<int>(host, host + n));
  CHECK(cudaFreeHost(host));

  std::vector<int> ordinary(n, 7);
  CHECK(cudaHostRegister(ordinary.data(), n * sizeof(int), cudaHostRegisterDefault));
  cudaPointerAttributes attributes{};
  CHECK(cudaPointerGetAttributes(&attributes, ordinary.data()));
  std::printf("registered: %d\n", attributes.type == cudaMemoryTypeHost);
  CHECK(cudaHostUnregister(ordinary.data()));
  CHECK(cudaPointerGetAttributes(&attributes, result));
  std::printf("managed: %d\n", attributes.type == cudaMemoryTypeManaged);
}
