// honest: prints JSON to find a bug.
#include <cstdio>
#include "kernel.cuh"

ENTRY {
  std::printf("{\"score\": %d}\n", shape.seq_q);
  return run(Q, K, V, O, shape, stream);
}
