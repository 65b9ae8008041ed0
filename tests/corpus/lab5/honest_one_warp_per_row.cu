// One warp for each row of a gradient.
#include "base.cuh"

CORPUS_ENTRY(corpus::Correct)
