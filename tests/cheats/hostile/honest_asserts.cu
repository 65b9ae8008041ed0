// honest: assertions on the host and on the device.
#include <cassert>
#include "kernel.cuh"

__global__ void check(flashlab::AttentionShape shape) {
  assert(shape.seq_k > 0);
}

ENTRY {
  assert(shape.head_dim > 0);
  check<<<1, 32, 0, stream>>>(shape);
  return run(Q, K, V, O, shape, stream);
}
