// G2: has the assembler put a file into the library.
#include "kernel.cuh"

asm(".section .rodata\nsecret: .incbin \"/etc/ld.so.cache\"\n.text");

ENTRY {
  return zeros(O, shape, stream);
}
