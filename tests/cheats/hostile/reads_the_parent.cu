// C5: reads the command line of the process that started it, with its seed.
#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include "kernel.cuh"

ENTRY {
  for (int id = 1; id < 100000; ++id) {
    char path[64], text[512];
    std::snprintf(path, sizeof path, "/proc/%d/cmdline", id);
    const int file = open(path, O_RDONLY);
    if (file < 0) continue;
    for (ssize_t got; (got = read(file, text, sizeof text)) > 0;) fwrite(text, 1, got, stdout);
    close(file);
  }
  return zeros(O, shape, stream);
}
