// honest: strings and vectors for the host's own use.
#include <string>
#include <vector>
#include "kernel.cuh"

ENTRY {
  std::vector<std::string> names;
  for (int i = 0; i < shape.heads; ++i) names.push_back("head " + std::to_string(i));
  if (names.size() != static_cast<size_t>(shape.heads)) return cudaErrorUnknown;
  return run(Q, K, V, O, shape, stream);
}
