// One block for each row: the correct kernels of base.cuh.
#include "base.cuh"

CORPUS_ENTRIES(corpus::Correct)
