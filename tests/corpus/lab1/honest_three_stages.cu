// The base itself.
#include "base.cuh"

CORPUS_ENTRY(corpus::Correct)
