// Numbers that look random, the same on the host, on a GPU and on the virtual GPU.
#pragma once

__host__ __device__ inline unsigned draw(unsigned seed, unsigned lane) {
  unsigned x = seed * 2654435761u + lane * 40503u + 12345u;
  x ^= x >> 15;
  x *= 2246822519u;
  x ^= x >> 13;
  x *= 3266489917u;
  return x ^ x >> 16;
}
