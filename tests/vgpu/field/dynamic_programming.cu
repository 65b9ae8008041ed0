// Dynamic programming on the device: edit distance by anti-diagonals, all shortest paths
// (Floyd-Warshall in blocks), a knapsack, Smith-Waterman scores of many pairs.
#include "field.cuh"

__global__ void edit_distance(const char* a, const char* b, int na, int nb,
                              int* result) {  // one block
  extern __shared__ int diagonals[];
  int *before = diagonals, *last = before + na + 1, *current = last + na + 1;
  for (int d = 0; d <= na + nb; ++d) {
    for (int i = threadIdx.x; i <= na; i += blockDim.x) {
      const int j = d - i;
      if (j < 0 || j > nb) continue;
      if (i == 0 || j == 0)
        current[i] = i + j;
      else
        current[i] = min(min(last[i - 1], last[i]) + 1, before[i - 1] + (a[i - 1] != b[j - 1]));
    }
    __syncthreads();
    int* const t = before;
    before = last;
    last = current;
    current = t;
  }
  if (threadIdx.x == 0) *result = last[na];
}

constexpr int kTile = 16;

__device__ void relax(int (*c)[kTile], int (*a)[kTile], int (*b)[kTile]) {
  for (int k = 0; k < kTile; ++k) {
    const int through = a[threadIdx.y][k] + b[k][threadIdx.x];
    __syncthreads();  // c may be a or b: everybody has read before anybody writes
    c[threadIdx.y][threadIdx.x] = min(c[threadIdx.y][threadIdx.x], through);
    __syncthreads();
  }
}

__global__ void floyd_warshall(int* d, int n, int round, int phase) {
  __shared__ int mine[kTile][kTile], row[kTile][kTile], column[kTile][kTile];
  int bx = round, by = round;
  if (phase == 1 && blockIdx.y == 0) bx = static_cast<int>(blockIdx.x);
  if (phase == 1 && blockIdx.y == 1) by = static_cast<int>(blockIdx.x);
  if (phase == 2) bx = static_cast<int>(blockIdx.x), by = static_cast<int>(blockIdx.y);
  if (phase == 1 && static_cast<int>(blockIdx.x) == round) return;
  if (phase == 2 && (bx == round || by == round)) return;
  const auto at = [&](int y, int x) -> int& {
    return d[(y * kTile + threadIdx.y) * n + x * kTile + threadIdx.x];
  };
  mine[threadIdx.y][threadIdx.x] = at(by, bx);
  row[threadIdx.y][threadIdx.x] = at(round, bx);
  column[threadIdx.y][threadIdx.x] = at(by, round);
  __syncthreads();
  if (phase == 0)
    relax(mine, mine, mine);
  else if (phase == 1 && blockIdx.y == 0)
    relax(mine, column, mine);
  else if (phase == 1)
    relax(mine, mine, row);
  else
    relax(mine, column, row);
  at(by, bx) = mine[threadIdx.y][threadIdx.x];
}

__global__ void knapsack_item(const int* before, int* after, int capacity, int weight, int value) {
  const int c = blockIdx.x * blockDim.x + threadIdx.x;
  if (c <= capacity)
    after[c] = c >= weight ? max(before[c], before[c - weight] + value) : before[c];
}

__global__ void smith_waterman(const char* a, const char* b, int length,
                               int* scores) {  // a warp for each pair
  const int pair = blockIdx.x, lane = threadIdx.x;
  int left = 0, diagonal = 0, best = 0;
  const char mine = a[pair * 32 + lane];
  for (int step = 0; step < length + 31; ++step) {
    int up = __shfl_up_sync(0xffffffff, left, 1);
    if (lane == 0) up = 0;
    const int j = step - lane;
    if (j >= 0 && j < length) {
      const int score =
          max(max(diagonal + (mine == b[pair * length + j] ? 3 : -2), max(up, left) - 1), 0);
      best = max(best, score);
      diagonal = up;
      left = score;
    } else {
      diagonal = up;
    }
  }
  best = __reduce_max_sync(0xffffffff, best);
  if (lane == 0) scores[pair] = best;
}

int main() {
  const int na = 300, nb = 341;
  char* a = to_device(random_whole<char>(na, 'a', 'd', 521));
  char* b = to_device(random_whole<char>(nb, 'a', 'd', 522));
  int* result = device_array<int>(256);
  edit_distance<<<1, 128, 3 * (na + 1) * sizeof(int)>>>(a, b, na, nb, result);
  show("edit distance", result, 1);

  const int n = 96;
  std::vector<int> d = random_ints(n * n, 1, 1000, 523);
  for (int i = 0; i < n; ++i) d[i * n + i] = 0;
  int* distances = to_device(d);
  for (int round = 0; round < n / kTile; ++round) {
    floyd_warshall<<<1, dim3(kTile, kTile)>>>(distances, n, round, 0);
    floyd_warshall<<<dim3(n / kTile, 2), dim3(kTile, kTile)>>>(distances, n, round, 1);
    floyd_warshall<<<dim3(n / kTile, n / kTile), dim3(kTile, kTile)>>>(distances, n, round, 2);
  }
  show("shortest paths", distances, n * n);

  const int capacity = 1000;
  const std::vector<int> weights = random_ints(40, 5, 120, 524),
                         values = random_ints(40, 1, 500, 525);
  int* from = to_device(std::vector<int>(capacity + 1, 0));
  int* to = device_array<int>(capacity + 1);
  for (int i = 0; i < 40; ++i) {
    knapsack_item<<<(capacity + 128) / 128, 128>>>(from, to, capacity, weights[i], values[i]);
    std::swap(from, to);
  }
  show("knapsack", from, capacity + 1);

  const int pairs = 60, length = 80;
  smith_waterman<<<pairs, 32>>>(to_device(random_whole<char>(pairs * 32, 'a', 'd', 526)),
                                to_device(random_whole<char>(pairs * length, 'a', 'd', 527)),
                                length, result);
  show("Smith-Waterman", result, pairs);
}
