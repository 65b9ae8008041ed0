// A2: a constructor of its own runs before anything is measured.
#include <cstdlib>
#include "kernel.cuh"

static int tables[256];
static struct Prepared {
  Prepared() { tables[7] = std::rand(); }
} prepared;

ENTRY {
  return run(Q, K, V, O, shape, stream);
}
