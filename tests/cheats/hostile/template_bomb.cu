// G5: has the compiler make templates without end.
#include "kernel.cuh"

template <int N, int M>
struct Bomb {
  static constexpr int value = Bomb<N - 1, 2 * M>::value + Bomb<N - 1, 2 * M + 1>::value;
};
template <int M>
struct Bomb<0, M> {
  static constexpr int value = M;
};

ENTRY {
  return static_cast<cudaError_t>(Bomb<60, 0>::value);
}
