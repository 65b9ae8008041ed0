// Adds up dQ by atomics.
#include "sums.cuh"

CORPUS_ENTRY_WITH_SUM(corpus::ByAtomics)
