// A2: ends the process with success instead of an answer.
#include <cstdlib>
#include "kernel.cuh"

ENTRY {
  std::exit(0);
}
