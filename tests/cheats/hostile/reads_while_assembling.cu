// G2: has the assembler put a file into the library.
#include "kernel.cuh"

asm(".section .rodata\nsecret: .incbin \"/proc/self/environ\"\n.text");

ENTRY {
  return zeros(O, shape, stream);
}
