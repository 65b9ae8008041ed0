// What `vgpu run` reads of an executable.
#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "target.hpp"
#include "tool/elf_file.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const int file = memfd_create("program", 0);
  if (file < 0 || write(file, data, size) != static_cast<ssize_t>(size)) std::abort();
  const std::string path = "/proc/self/fd/" + std::to_string(file);
  try {
    vgpu::tool::require_runnable(path, vgpu::tool::read_elf(path));
  } catch (const vgpu::tool::ProgramError&) {  // a refusal is an answer
  }
  close(file);
  return 0;
}
