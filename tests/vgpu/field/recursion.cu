// Recursive device functions: Fibonacci, Ackermann, quicksort, mutual recursion, a tree walk with a
// local array in every frame.
#include "field.cuh"

__device__ __noinline__ int fibonacci(int n) {
  return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2);
}

__device__ __noinline__ int ackermann(int m, int n) {
  if (m == 0) return n + 1;
  if (n == 0) return ackermann(m - 1, 1);
  return ackermann(m - 1, ackermann(m, n - 1));
}

__device__ void quicksort(int* data, int low, int high) {
  if (low >= high) return;
  const int pivot = data[(low + high) / 2];
  int i = low, j = high;
  while (i <= j) {
    while (data[i] < pivot) ++i;
    while (data[j] > pivot) --j;
    if (i <= j) {
      const int t = data[i];
      data[i++] = data[j];
      data[j--] = t;
    }
  }
  quicksort(data, low, j);
  quicksort(data, i, high);
}

__device__ bool is_odd(unsigned n);
__device__ __noinline__ bool is_even(unsigned n) {
  return n == 0 || is_odd(n - 1);
}
__device__ __noinline__ bool is_odd(unsigned n) {
  return n != 0 && is_even(n - 1);
}

// Ways to place queens: a board in every frame.
struct Board {
  signed char column[8];
};
__device__ __noinline__ int queens(Board board, int row, int n) {
  if (row == n) return 1;
  int ways = 0;
  for (int c = 0; c < n; ++c) {
    bool free = true;
    for (int r = 0; r < row; ++r)
      free = free && board.column[r] != c && abs(board.column[r] - c) != row - r;
    if (!free) continue;
    Board next = board;
    next.column[row] = static_cast<signed char>(c);
    ways += queens(next, row + 1, n);
  }
  return ways;
}

__global__ void numbers(int* out) {
  const int t = threadIdx.x;
  out[t] = fibonacci(t % 15);
  out[64 + t] = t < 12 ? ackermann(t % 3, t / 3 + 1) : -t;
  out[128 + t] = is_even(t * 3) + 2 * is_odd(t);
  if (t < 8) out[192 + t] = queens(Board{}, 0, t % 6 + 1);
}

__global__ void sort_rows(int* data, int length) {
  quicksort(data + (blockIdx.x * blockDim.x + threadIdx.x) * length, 0, length - 1);
}

int main() {
  int* out = device_array<int>(200);
  CHECK(cudaDeviceSetLimit(cudaLimitStackSize, 16 * 1024));
  numbers<<<1, 64>>>(out);
  show("numbers", out, 200);
  const int rows = 64, length = 50;
  int* data = to_device(random_ints(rows * length, -999, 999, 361));
  sort_rows<<<2, 32>>>(data, length);
  show("rows", data, rows * length);
}
