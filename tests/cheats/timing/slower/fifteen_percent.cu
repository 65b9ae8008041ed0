// The staff's kernel, made slower by about 15 %: it goes over a part of the keys once more. Timing
// has to tell it from the original.
#include "../honest.cuh"

CHEAT_ENTRY {
  AttentionShape part = a.shape;
  part.seq_k = a.shape.seq_k * 13 / 100;
  if (part.seq_k > 0) honest_work({a.Q, a.K, a.V, a.O, a.L, part, a.workspace}, stream);
  return honest_work(a, stream);
}
