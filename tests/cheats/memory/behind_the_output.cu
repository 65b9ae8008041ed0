// All scores in the memory behind O, which belongs to nobody.
#include "base.cuh"

ENTRY_HEAD {
  const size_t rows = static_cast<size_t>(shape.batch) * shape.heads * shape.seq_q;
  return naive::attention(Q, K, V, O, L, O + rows * shape.head_dim, shape, stream);
}
