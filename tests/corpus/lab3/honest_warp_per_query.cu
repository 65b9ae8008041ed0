// One warp for each query: the correct kernel of base.cuh.
#include "base.cuh"

CORPUS_ENTRY(corpus::Correct)
