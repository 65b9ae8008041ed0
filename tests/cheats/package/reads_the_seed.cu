// C5: looks for the seed and for hidden cases, in the class's folder and with every process.
#include <cstdio>
#include <cstring>
#include "../hostile/kernel.cuh"

#define COURSE "@COURSE@"

namespace {

void show(const char* path, const char* word) {
  char text[4096];
  FILE* file = std::fopen(path, "r");
  if (file == nullptr) return;
  const size_t size = std::fread(text, 1, sizeof text - 1, file);
  std::fclose(file);
  for (size_t i = 0; i < size; ++i) text[i] = text[i] == '\0' ? ' ' : text[i];
  text[size] = '\0';
  if (const char* found = std::strstr(text, word)) std::printf("found: %.60s\n", found);
}

}  // namespace

ENTRY {
  show(COURSE "/class.toml", "seed =");
  show(COURSE "/labs/lab1_naive/lab.toml", "[[case]]");
  for (int process = 1; process < 65536; ++process) {
    char path[64];
    std::snprintf(path, sizeof path, "/proc/%d/environ", process);
    show(path, "FLASHLAB_SEED=");
    std::snprintf(path, sizeof path, "/proc/%d/cmdline", process);
    show(path, "--seed");
  }
  return zeros(O, shape, stream);
}
