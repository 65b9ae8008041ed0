// G2: has the assembler put a file into the library.
#include "kernel.cuh"

asm(".section .rodata\nsecret: .incbin \"/usr/include/stdio.h\"\n.text");

ENTRY {
  return zeros(O, shape, stream);
}
