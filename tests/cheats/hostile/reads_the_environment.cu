// C5: looks for secrets in the environment.
#include <unistd.h>

#include <cstdio>
#include "kernel.cuh"

ENTRY {
  for (char** text = environ; *text; ++text) std::puts(*text);
  return zeros(O, shape, stream);
}
