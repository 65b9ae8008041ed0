// H6: prints without end.
#include <cstdio>
#include "kernel.cuh"

ENTRY {
  for (int i = 0; i < 2000000; ++i) std::puts("never mind, here is one more line of text");
  return zeros(O, shape, stream);
}
