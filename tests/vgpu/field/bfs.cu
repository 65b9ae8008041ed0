// Breadth-first search: by levels over all vertices, then with a queue filled by atomics; a
// shortest-path relaxation until nothing changes.
#include <climits>

#include "field.cuh"

__global__ void by_level(const int* start, const int* edge, int* level, int n, int current,
                         int* changed) {
  const int v = blockIdx.x * blockDim.x + threadIdx.x;
  if (v >= n || level[v] != current) return;
  for (int k = start[v]; k < start[v + 1]; ++k) {
    if (level[edge[k]] != -1) continue;
    level[edge[k]] = current + 1;  // several threads may write the same value
    *changed = 1;
  }
}

__global__ void by_queue(const int* start, const int* edge, int* level, const int* queue, int count,
                         int* next, int* next_count, int current) {
  for (int q = blockIdx.x * blockDim.x + threadIdx.x; q < count; q += gridDim.x * blockDim.x) {
    const int v = queue[q];
    for (int k = start[v]; k < start[v + 1]; ++k)
      if (atomicCAS(&level[edge[k]], -1, current + 1) == -1)
        next[atomicAdd(next_count, 1)] = edge[k];
  }
}

__global__ void relax(const int* start, const int* edge, const int* weight, int* distance, int n,
                      int* changed) {
  const int v = blockIdx.x * blockDim.x + threadIdx.x;
  if (v >= n) return;
  const int mine = *(volatile int*)&distance[v];
  if (mine == INT_MAX) return;
  for (int k = start[v]; k < start[v + 1]; ++k)
    if (atomicMin(&distance[edge[k]], mine + weight[k]) > mine + weight[k]) atomicExch(changed, 1);
}

int main() {
  const int n = 6000;
  const std::vector<int> degree = random_ints(n, 1, 6, 231);
  std::vector<int> start{0};
  for (const int d : degree) start.push_back(start.back() + d);
  const int edges = start.back(), blocks = (n + 255) / 256;
  std::vector<int> edge = random_ints(edges, 0, n - 1, 232);
  int *d_start = to_device(start), *d_edge = to_device(edge),
      *weight = to_device(random_ints(edges, 1, 50, 233));
  std::vector<int> unseen(n, -1);
  unseen[0] = 0;
  int* level = to_device(unseen);
  int* flag = device_array<int>(1);
  for (int current = 0, changed = 1; changed != 0; ++current) {
    CHECK(cudaMemset(flag, 0, sizeof(int)));
    by_level<<<blocks, 256>>>(d_start, d_edge, level, n, current, flag);
    CHECK(cudaMemcpy(&changed, flag, sizeof changed, cudaMemcpyDeviceToHost));
  }
  show("by level", level, n);

  CHECK(cudaMemcpy(level, unseen.data(), n * sizeof(int), cudaMemcpyHostToDevice));
  int* queue[2] = {to_device(std::vector<int>(n, 0)), device_array<int>(n)};
  int count = 1, rounds = 0;
  for (; count > 0; ++rounds) {
    CHECK(cudaMemset(flag, 0, sizeof(int)));
    by_queue<<<8, 128>>>(d_start, d_edge, level, queue[rounds % 2], count, queue[1 - rounds % 2],
                         flag, rounds);
    CHECK(cudaMemcpy(&count, flag, sizeof count, cudaMemcpyDeviceToHost));
  }
  show("by queue", level, n);
  std::printf("%d rounds\n", rounds);

  std::vector<int> far(n, INT_MAX);
  far[0] = 0;
  int* distance = to_device(far);
  for (int changed = 1; changed != 0;) {
    CHECK(cudaMemset(flag, 0, sizeof(int)));
    relax<<<blocks, 256>>>(d_start, d_edge, weight, distance, n, flag);
    CHECK(cudaMemcpy(&changed, flag, sizeof changed, cudaMemcpyDeviceToHost));
  }
  show("shortest paths", distance, n);
}
