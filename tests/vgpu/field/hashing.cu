// SHA-256 of many messages, a search for leading zeros, CRC-32 by tables in shared memory, and a
// Merkle tree.
#include "field.cuh"

__constant__ unsigned k[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

__device__ unsigned rotate(unsigned x, int n) {
  return __funnelshift_r(x, x, n);
}

struct Digest {
  unsigned h[8];
};

__device__ Digest sha256_block(const unsigned (&block)[16]) {
  Digest d = {{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab,
               0x5be0cd19}};
  unsigned w[64];
  for (int i = 0; i < 16; ++i) w[i] = block[i];
  for (int i = 16; i < 64; ++i) {
    const unsigned a = w[i - 15], b = w[i - 2];
    w[i] = w[i - 16] + (rotate(a, 7) ^ rotate(a, 18) ^ a >> 3) + w[i - 7] +
           (rotate(b, 17) ^ rotate(b, 19) ^ b >> 10);
  }
  unsigned v[8];
  for (int i = 0; i < 8; ++i) v[i] = d.h[i];
  for (int i = 0; i < 64; ++i) {
    const unsigned s1 = rotate(v[4], 6) ^ rotate(v[4], 11) ^ rotate(v[4], 25),
                   choose = (v[4] & v[5]) ^ (~v[4] & v[6]);
    const unsigned t1 = v[7] + s1 + choose + k[i] + w[i];
    const unsigned s0 = rotate(v[0], 2) ^ rotate(v[0], 13) ^ rotate(v[0], 22),
                   majority = (v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]);
    for (int j = 7; j > 0; --j) v[j] = v[j - 1];
    v[4] += t1;
    v[0] = t1 + s0 + majority;
  }
  for (int i = 0; i < 8; ++i) d.h[i] += v[i];
  return d;
}

__device__ Digest sha256_words(const unsigned* data, int words) {  // at most 13 words
  unsigned block[16] = {};
  for (int i = 0; i < words; ++i) block[i] = data[i];
  block[words] = 0x80000000u;
  block[15] = static_cast<unsigned>(words) * 32;
  return sha256_block(block);
}

__global__ void leaves(const unsigned* data, Digest* out) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  out[i] = sha256_words(data + 4 * i, 4);
}
__global__ void parents(const Digest* in, Digest* out, int n) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n) return;
  unsigned words[13];
  for (int j = 0; j < 6; ++j) words[j] = in[2 * i].h[j], words[6 + j] = in[2 * i + 1].h[j];
  words[12] = static_cast<unsigned>(n);
  out[i] = sha256_words(words, 13);
}
__global__ void search(unsigned* best, int tries) {
  for (int t = 0; t < tries; ++t) {
    const unsigned nonce = (blockIdx.x * blockDim.x + threadIdx.x) * tries + t;
    const unsigned words[2] = {0xC0FFEEu, nonce};
    if (__clz(static_cast<int>(sha256_words(words, 2).h[0])) >= 11) atomicMin(best, nonce);
  }
}

__global__ void crc32(const unsigned char* data, unsigned* out, int length) {
  __shared__ unsigned table[256];
  for (unsigned i = threadIdx.x; i < 256; i += blockDim.x) {
    unsigned c = i;
    for (int bit = 0; bit < 8; ++bit) c = c & 1 ? 0xEDB88320u ^ c >> 1 : c >> 1;
    table[i] = c;
  }
  __syncthreads();
  const int id = blockIdx.x * blockDim.x + threadIdx.x;
  unsigned c = 0xffffffffu;
  for (int i = 0; i < length; ++i) c = table[(c ^ data[id * length + i]) & 255] ^ c >> 8;
  out[id] = ~c;
}

int main() {
  const int n = 512;
  unsigned* data = to_device(random_whole<unsigned>(4 * n, 0, 1 << 23, 511));
  Digest* level = device_array<Digest>(n);
  Digest* above = device_array<Digest>(n);
  leaves<<<n / 64, 64>>>(data, level);
  show("leaves", reinterpret_cast<unsigned*>(level), 8 * n);
  for (int m = n / 2; m > 0; m /= 2) {
    parents<<<(m + 63) / 64, 64>>>(level, above, m);
    std::swap(level, above);
  }
  show("root", reinterpret_cast<unsigned*>(level), 8);
  unsigned* best = to_device(std::vector<unsigned>{0xffffffffu});
  search<<<8, 64>>>(best, 12);
  show("nonce", best, 1);
  unsigned* crc = device_array<unsigned>(64);
  crc32<<<2, 32>>>(reinterpret_cast<unsigned char*>(data), crc, 100);
  show("crc", crc, 64);
}
