// CUB inside a block and a warp: reductions, scans, loads and stores that transpose, radix sort,
// histogram, discontinuities.
#include <cub/cub.cuh>

#include "field.cuh"

constexpr int kThreads = 128, kItems = 4, kTile = kThreads * kItems;

__global__ void reduce_and_scan(const int* in, int* scanned, int* sums) {
  using Load = cub::BlockLoad<int, kThreads, kItems, cub::BLOCK_LOAD_WARP_TRANSPOSE>;
  using Store = cub::BlockStore<int, kThreads, kItems, cub::BLOCK_STORE_TRANSPOSE>;
  using Scan = cub::BlockScan<int, kThreads, cub::BLOCK_SCAN_WARP_SCANS>;
  using Reduce = cub::BlockReduce<int, kThreads>;
  __shared__ union {
    typename Load::TempStorage load;
    typename Store::TempStorage store;
    typename Scan::TempStorage scan;
    typename Reduce::TempStorage reduce;
  } temp;
  int items[kItems], total;
  Load(temp.load).Load(in + blockIdx.x * kTile, items);
  __syncthreads();
  const int sum = Reduce(temp.reduce).Sum(items);
  __syncthreads();
  Scan(temp.scan).ExclusiveSum(items, items, total);
  __syncthreads();
  Store(temp.store).Store(scanned + blockIdx.x * kTile, items);
  if (threadIdx.x == 0) sums[blockIdx.x] = sum * 2 + total;
}

__global__ void sort_block(const unsigned* in, unsigned* out) {
  using Sort = cub::BlockRadixSort<unsigned, kThreads, kItems, int>;
  __shared__ typename Sort::TempStorage temp;
  unsigned keys[kItems];
  int values[kItems];
  for (int k = 0; k < kItems; ++k) {
    values[k] = threadIdx.x * kItems + k;
    keys[k] = in[blockIdx.x * kTile + values[k]];
  }
  Sort(temp).SortDescending(keys, values);
  for (int k = 0; k < kItems; ++k)
    out[blockIdx.x * kTile + threadIdx.x * kItems + k] = keys[k] ^ values[k];
}

__global__ void histogram(const unsigned char* in, unsigned* out) {
  using Histogram =
      cub::BlockHistogram<unsigned char, kThreads, kItems, 64, cub::BLOCK_HISTO_ATOMIC>;
  __shared__ typename Histogram::TempStorage temp;
  __shared__ unsigned bins[64];
  unsigned char items[kItems];
  for (int k = 0; k < kItems; ++k)
    items[k] = in[blockIdx.x * kTile + threadIdx.x * kItems + k] % 64;
  Histogram(temp).Histogram(items, bins);
  __syncthreads();
  if (threadIdx.x < 64) out[blockIdx.x * 64 + threadIdx.x] = bins[threadIdx.x];
}

__global__ void warps(const int* in, int* out) {
  using Reduce = cub::WarpReduce<int>;
  using Scan = cub::WarpScan<int>;
  __shared__ typename Reduce::TempStorage reduce[kThreads / 32];
  __shared__ typename Scan::TempStorage scan[kThreads / 32];
  const int warp = threadIdx.x / 32, v = in[threadIdx.x];
  int inclusive, most;
  Scan(scan[warp]).InclusiveSum(v, inclusive);
  most = Reduce(reduce[warp]).Reduce(v, cuda::maximum<>{});
  out[threadIdx.x] = inclusive * 3 + __shfl_sync(0xffffffff, most, 0);
}

__global__ void flags(const int* in, int* out) {
  using Discontinuity = cub::BlockDiscontinuity<int, kThreads>;
  __shared__ typename Discontinuity::TempStorage temp;
  int items[1] = {in[threadIdx.x] / 250}, heads[1];
  Discontinuity(temp).FlagHeads(heads, items, cuda::std::not_equal_to<>{});
  out[threadIdx.x] = heads[0];
}

int main() {
  const int blocks = 5, n = blocks * kTile;
  int* in = to_device(random_ints(n, -1000, 1000, 311));
  int* out = device_array<int>(n);
  int* sums = device_array<int>(blocks);
  reduce_and_scan<<<blocks, kThreads>>>(in, out, sums);
  show("scan", out, n);
  show("sums", sums, blocks);
  sort_block<<<blocks, kThreads>>>(reinterpret_cast<unsigned*>(in),
                                   reinterpret_cast<unsigned*>(out));
  show("sort", out, n);
  histogram<<<blocks, kThreads>>>(reinterpret_cast<unsigned char*>(in),
                                  reinterpret_cast<unsigned*>(out));
  show("histogram", out, blocks * 64);
  warps<<<1, kThreads>>>(in, out);
  show("warps", out, kThreads);
  flags<<<1, kThreads>>>(in, out);
  show("flags", out, kThreads);
}
