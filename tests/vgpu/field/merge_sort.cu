// Merge sort by merge paths: each thread finds by binary search where its piece of the output
// begins in both inputs.

// nvcc: -arch=compute_75
#include "field.cuh"

constexpr int kPiece = 8;

__device__ int path(const int* a, int na, const int* b, int nb, int diagonal) {
  int low = max(0, diagonal - nb), high = min(diagonal, na);
  while (low < high) {
    const int middle = (low + high) / 2;
    if (a[middle] <= b[diagonal - 1 - middle])
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

__global__ void sort_pieces(int* data, int n) {  // insertion sort by one thread
  const int first = (blockIdx.x * blockDim.x + threadIdx.x) * kPiece;
  if (first >= n) return;
  int v[kPiece];
  const int count = min(kPiece, n - first);
  for (int i = 0; i < count; ++i) {
    const int x = data[first + i];
    int j = i;
    for (; j > 0 && v[j - 1] > x; --j) v[j] = v[j - 1];
    v[j] = x;
  }
  for (int i = 0; i < count; ++i) data[first + i] = v[i];
}

__global__ void merge(const int* in, int* out, int n, int run) {
  const int k = (blockIdx.x * blockDim.x + threadIdx.x) * kPiece;
  if (k >= n) return;
  const int start = k / (2 * run) * 2 * run, na = min(run, n - start),
            nb = max(0, min(run, n - start - run));
  const int* a = in + start;
  const int* b = a + na;
  int i = path(a, na, b, nb, k - start), j = k - start - i;
  for (int o = k; o < min(k + kPiece, n); ++o) {
    const bool take_a = j >= nb || (i < na && a[i] <= b[j]);
    out[o] = take_a ? a[i++] : b[j++];
  }
}

int main() {
  const int n = 50021, threads = (n + kPiece - 1) / kPiece, blocks = (threads + 127) / 128;
  int* from = to_device(random_ints(n, 0, 9999, 181));
  int* to = device_array<int>(n);
  sort_pieces<<<blocks, 128>>>(from, n);
  show("pieces", from, n);
  for (int run = kPiece; run < n; run *= 2) {
    merge<<<blocks, 128>>>(from, to, n, run);
    std::swap(from, to);
  }
  show("sorted", from, n);
}
