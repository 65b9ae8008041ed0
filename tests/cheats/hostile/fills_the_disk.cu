// H5: writes until the disk is full.
#include <fcntl.h>
#include <unistd.h>
#include "kernel.cuh"

ENTRY {
  const int file = open("/tmp/full", O_CREAT | O_WRONLY, 0600);
  static char block[1 << 20];
  while (write(file, block, sizeof block) > 0) {
  }
  return zeros(O, shape, stream);
}
