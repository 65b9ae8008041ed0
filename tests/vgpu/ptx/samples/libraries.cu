// Header libraries that kernels use: CUB, cooperative groups, barriers, pipelines, atomics, wmma.
#include <cooperative_groups.h>
#include <cooperative_groups/memcpy_async.h>
#include <cooperative_groups/reduce.h>
#include <mma.h>

#include <cub/block/block_radix_sort.cuh>
#include <cub/block/block_scan.cuh>
#include <cuda/atomic>
#include <cuda/barrier>
#include <cuda/pipeline>

#pragma nv_diag_suppress static_var_with_dynamic_init

namespace cg = cooperative_groups;

__global__ void matrix_multiply(const half* a, const half* b, float* c) {
  using namespace nvcuda;
  wmma::fragment<wmma::matrix_a, 16, 16, 16, half, wmma::row_major> fa;
  wmma::fragment<wmma::matrix_b, 16, 16, 16, half, wmma::col_major> fb;
  wmma::fragment<wmma::accumulator, 16, 16, 16, float> fc;
  wmma::fill_fragment(fc, 0.0f);
  wmma::load_matrix_sync(fa, a, 16);
  wmma::load_matrix_sync(fb, b, 16);
  wmma::mma_sync(fc, fa, fb, fc);
  wmma::store_matrix_sync(c, fc, 16, wmma::mem_row_major);
}

__global__ void groups(float* data) {
  __shared__ float tile[128];
  const auto block = cg::this_thread_block();
  const auto warp = cg::tiled_partition<32>(block);
  data[0] = cg::reduce(warp, data[warp.thread_rank()], cg::plus<float>());
  cg::this_grid().sync();
  data[cg::coalesced_threads().size()] = 1;
  cg::memcpy_async(block, tile, data, sizeof(tile));
  cg::wait(block);
  data[9] = tile[3];
}

__global__ void barriers(float* data) {
  __shared__ cuda::barrier<cuda::thread_scope_block> barrier;
  __shared__ cuda::pipeline_shared_state<cuda::thread_scope_block, 2> state;
  __shared__ float tile[256];
  if (threadIdx.x == 0) init(&barrier, blockDim.x);
  __syncthreads();
  cuda::memcpy_async(tile + threadIdx.x, data + threadIdx.x, cuda::aligned_size_t<4>(4), barrier);
  barrier.arrive_and_wait();
  auto pipeline = cuda::make_pipeline(cg::this_thread_block(), &state);
  pipeline.producer_acquire();
  cuda::memcpy_async(cg::this_thread_block(), tile, data, 64, pipeline);
  pipeline.producer_commit();
  pipeline.consumer_wait();
  data[4] = tile[3];
  pipeline.consumer_release();
  cuda::atomic_ref<float, cuda::thread_scope_device>(data[7]).fetch_add(1.0f);
}

__global__ void block_algorithms(int* data) {
  using Scan = cub::BlockScan<int, 128>;
  using Sort = cub::BlockRadixSort<int, 128, 4>;
  __shared__ union {
    typename Scan::TempStorage scan;
    typename Sort::TempStorage sort;
  } storage;
  int keys[4] = {data[0], data[1], data[2], data[3]};
  Scan(storage.scan).ExclusiveSum(keys[0], keys[0]);
  __syncthreads();
  Sort(storage.sort).Sort(keys);
  data[threadIdx.x] = keys[2];
}
