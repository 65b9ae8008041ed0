// Hopper's bulk copies with multi-dimensional addresses, clusters and transaction barriers.
#include <cooperative_groups.h>

#include <cstdint>

struct alignas(64) TensorMap {
  uint64_t opaque[16];
};

__global__ void __cluster_dims__(2, 1, 1)
    bulk_copy(const __grid_constant__ TensorMap map, float* out) {
  __shared__ alignas(128) float tile[64 * 64];
  __shared__ alignas(8) uint64_t barrier;
  const uint32_t barrier_address = static_cast<uint32_t>(__cvta_generic_to_shared(&barrier));
  const uint32_t tile_address = static_cast<uint32_t>(__cvta_generic_to_shared(tile));
  uint32_t leader = 0;
  asm volatile("{ .reg .pred p; elect.sync _|p, 0xffffffff; selp.u32 %0, 1, 0, p; }"
               : "=r"(leader));
  if (leader) {
    asm volatile("mbarrier.init.shared::cta.b64 [%0], 1;" ::"r"(barrier_address));
    asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(barrier_address),
                 "r"(16384));
    asm volatile(
        "cp.async.bulk.tensor.2d.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1, "
        "{%2, %3}], [%4];" ::"r"(tile_address),
        "l"(&map), "r"(0), "r"(64), "r"(barrier_address)
        : "memory");
  }
  asm volatile(
      "{ .reg .pred done; wait: mbarrier.try_wait.parity.shared::cta.b64 done, [%0], %1; @!done "
      "bra wait; }" ::"r"(barrier_address),
      "r"(0));
  auto cluster = cooperative_groups::this_cluster();
  cluster.sync();
  out[threadIdx.x] = cluster.map_shared_rank(tile, 1)[threadIdx.x];
}
