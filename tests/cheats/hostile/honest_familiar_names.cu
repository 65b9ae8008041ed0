// honest: functions and methods of its own that have the names of system calls.
#include "kernel.cuh"

static int read(flashlab::AttentionShape shape) {
  return shape.seq_q;
}
struct Log {
  int last = 0;
  void write(int x) { last = x; }
  int kill() const { return last; }
};

ENTRY {
  Log log;
  log.write(read(shape));
  if (log.kill() != shape.seq_q) return cudaErrorUnknown;
  return run(Q, K, V, O, shape, stream);
}
