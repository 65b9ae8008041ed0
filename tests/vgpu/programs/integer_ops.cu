// Integers of 32 and 64 bits, signed and unsigned: products, quotients, shifts, bit counts, and
// conversions to and from float. Host and device must agree to the last bit.
#include "program.cuh"

using Signed = long long;
using Unsigned = unsigned long long;
constexpr int kResults = 28;

__host__ __device__ void operations(Signed a, Signed b, Unsigned* out) {
  const Unsigned ua = static_cast<Unsigned>(a), ub = static_cast<Unsigned>(b);
  const int x = static_cast<int>(a), y = static_cast<int>(b);
  const unsigned ux = static_cast<unsigned>(a), uy = static_cast<unsigned>(b);
  const unsigned by32 = uy % 32, by64 = uy % 64;
  int k = 0;
  out[k++] = ua * ub;
  out[k++] = static_cast<Unsigned>(a / b);
  out[k++] = static_cast<Unsigned>(a % b);
  out[k++] = ua / ub;
  out[k++] = ua % ub;
  out[k++] = ua << by64;
  out[k++] = ua >> by64;
  out[k++] = static_cast<Unsigned>(a >> by64);
  out[k++] = static_cast<Unsigned>(a < b ? a : b);
  out[k++] = ua > ub ? ua : ub;
  out[k++] = ux * uy;
  out[k++] = static_cast<Unsigned>(static_cast<Signed>(x) * y);
  out[k++] = static_cast<Unsigned>(ux) * uy >> 32;
  out[k++] = y != 0 && y != -1 ? static_cast<unsigned>(x / y) : 1u;
  out[k++] = y != 0 && y != -1 ? static_cast<unsigned>(x % y) : 2u;
  out[k++] = uy != 0 ? ux / uy : 3u;
  out[k++] = uy != 0 ? ux % uy : 4u;
  out[k++] = ux << by32;
  out[k++] = ux >> by32;
  out[k++] = static_cast<unsigned>(x >> by32);
  out[k++] = static_cast<Unsigned>((ua & ub) ^ (ua | ~ub));
  out[k++] = static_cast<unsigned>(x / 7) + ux % 10u;
  out[k++] = static_cast<Unsigned>(a / 1000003) + ua % 10ull;
  out[k++] = static_cast<unsigned>(static_cast<short>(x)) + static_cast<unsigned char>(y);
  out[k++] = static_cast<Unsigned>(static_cast<Signed>(static_cast<float>(x)));
  out[k++] = static_cast<Unsigned>(static_cast<Signed>(static_cast<double>(a >> 12)));
  out[k++] = static_cast<Unsigned>(static_cast<unsigned>(static_cast<float>(ux >> 1)));
  out[k++] = a >= b && ua <= ub ? 1 : a == b || ux != uy ? 2 : 3;
}

__global__ void evaluate(const Signed* a, const Signed* b, Unsigned* out, int n) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) operations(a[i], b[i], out + i * kResults);
}

// Halves and bytes of registers, taken apart and put together the other way round, as the toolkit's
// headers do at compute_90: bytes are in 16-bit registers, and a part may be dropped.
__global__ void parts(const unsigned* x, unsigned* out) {
  const unsigned v = x[threadIdx.x];
  unsigned reversed, pair;
  asm("{.reg .b8 a, b, c, d; mov.b32 {a, b, c, d}, %1; mov.b32 %0, {d, c, b, a};}"
      : "=r"(reversed)
      : "r"(v));
  asm("{.reg .b8 a, b; .reg .b16 l, h; mov.b32 {l, h}, %1; mov.b16 {a, _}, l; mov.b16 {_, b}, h;"
      " mov.b16 l, {b, a}; mov.b16 h, {a, 0}; mov.b32 %0, {l, h};}"
      : "=r"(pair)
      : "r"(v));
  out[2 * threadIdx.x] = reversed;
  out[2 * threadIdx.x + 1] = pair;
}

__global__ void intrinsics(const unsigned* x, unsigned* out) {
  const unsigned v = x[threadIdx.x];
  unsigned* o = out + threadIdx.x * 6;
  o[0] = __popc(v);
  o[1] = __clz(v);
  o[2] = __brev(v);
  o[3] = __umulhi(v, 0x9e3779b9u);
  o[4] = __funnelshift_l(v, ~v, 9);
  o[5] = __byte_perm(v, 0x01234567u, 0x2514);
}

int main() {
  std::vector<Signed> a, b;
  const std::vector<Signed> corners = {1,
                                       -1,
                                       2,
                                       3,
                                       -7,
                                       0x7fffffff,
                                       0x80000000,
                                       1 << 20,
                                       -12345,
                                       0x123456789abcdef,
                                       -0x7edcba9876543210};
  for (const Signed p : corners) {
    for (const Signed q : corners) a.push_back(p), b.push_back(q);
  }
  const int n = static_cast<int>(a.size());
  DeviceArray<Signed> da(a), db(b);
  DeviceArray<Unsigned> out(n * kResults);
  evaluate<<<(n + 63) / 64, 64>>>(da.data(), db.data(), out.data(), n);
  std::vector<unsigned> x(32);
  for (unsigned i = 0; i < 32; ++i) x[i] = i * 0x01234567u + i % 3;
  DeviceArray<unsigned> dx(x), bits(32 * 6);
  intrinsics<<<1, 32>>>(dx.data(), bits.data());
  DeviceArray<unsigned> made(32 * 2);
  parts<<<1, 32>>>(dx.data(), made.data());
  finish_kernels();

  std::vector<unsigned> want_made;
  for (const unsigned v : x) {
    want_made.push_back(__builtin_bswap32(v));
    want_made.push_back((v & 0xff) << 16 | (v & 0xff) << 8 | v >> 24);
  }
  expect("parts", made.host(), want_made);
  std::vector<Unsigned> want(n * kResults);
  for (int i = 0; i < n; ++i) operations(a[i], b[i], &want[i * kResults]);
  expect("operations", out.host(), want);
  std::vector<unsigned> want_bits;
  for (const unsigned v : x) {
    unsigned reversed = 0;
    for (int bit = 0; bit < 32; ++bit) reversed |= (v >> bit & 1u) << (31 - bit);
    const unsigned bytes[8] = {v & 0xff, v >> 8 & 0xff, v >> 16 & 0xff, v >> 24,
                               0x67,     0x45,          0x23,           1};
    want_bits.insert(
        want_bits.end(),
        {static_cast<unsigned>(__builtin_popcount(v)),
         v ? static_cast<unsigned>(__builtin_clz(v)) : 32u, reversed,
         static_cast<unsigned>(static_cast<Unsigned>(v) * 0x9e3779b9u >> 32), ~v << 9 | v >> 23,
         bytes[4] | bytes[1] << 8 | bytes[5] << 16 | bytes[2] << 24});
  }
  expect("intrinsics", bits.host(), want_bits);
  return verdict();
}
