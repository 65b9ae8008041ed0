// Loads and stores of 2, 4, 8 and 16 bytes, in global and in shared memory, and of a 12-byte
// struct.
#include "program.cuh"

struct Point {
  float x, y, z;
};

__global__ void move(const float4* f4, const float2* f2, const short* s, const unsigned char* c,
                     const Point* p, float4* f4_out, float2* f2_out, short* s_out,
                     unsigned char* c_out, Point* p_out) {
  __shared__ float4 tile[64];
  const int t = threadIdx.x;
  tile[t] = f4[t];
  __syncthreads();  // the tile is complete before it is read backwards
  const float4 v = tile[63 - t];
  f4_out[t] = make_float4(v.w, v.z, v.y, v.x);
  f2_out[t] = make_float2(f2[t].y, f2[t].x);
  s_out[t] = static_cast<short>(s[63 - t] - 5);
  c_out[t] = static_cast<unsigned char>(c[t] + 200);
  p_out[t] = Point{p[t].z, p[t].x, p[t].y};
}

int main() {
  const std::vector<float> a = random_floats(256, 12), b = random_floats(128, 13),
                           e = random_floats(192, 14);
  std::vector<float4> f4(64), f4_want(64);
  std::vector<float2> f2(64);
  std::vector<short> s(64), s_want(64);
  std::vector<unsigned char> c(64), c_want(64);
  std::vector<Point> p(64);
  for (int i = 0; i < 64; ++i) {
    f4[i] = make_float4(a[4 * i], a[4 * i + 1], a[4 * i + 2], a[4 * i + 3]);
    f2[i] = make_float2(b[2 * i], b[2 * i + 1]);
    p[i] = Point{e[3 * i], e[3 * i + 1], e[3 * i + 2]};
    s[i] = static_cast<short>(i * 1021);
    c[i] = static_cast<unsigned char>(i * 3);
  }
  DeviceArray<float4> df4(f4), f4_out(64);
  DeviceArray<float2> df2(f2), f2_out(64);
  DeviceArray<short> ds(s), s_out(64);
  DeviceArray<unsigned char> dc(c), c_out(64);
  DeviceArray<Point> dp(p), p_out(64);
  move<<<1, 64>>>(df4.data(), df2.data(), ds.data(), dc.data(), dp.data(), f4_out.data(),
                  f2_out.data(), s_out.data(), c_out.data(), p_out.data());
  finish_kernels();

  std::vector<float> got, want;
  for (int i = 0; i < 64; ++i) {
    const float4 v = f4_out.host()[i];
    const float2 w = f2_out.host()[i];
    const Point q = p_out.host()[i];
    got.insert(got.end(), {v.x, v.y, v.z, v.w, w.x, w.y, q.x, q.y, q.z});
    const float4 from = f4[63 - i];
    want.insert(want.end(),
                {from.w, from.z, from.y, from.x, f2[i].y, f2[i].x, p[i].z, p[i].x, p[i].y});
    s_want[i] = static_cast<short>(s[63 - i] - 5);
    c_want[i] = static_cast<unsigned char>(c[i] + 200);
  }
  expect("floats", got, want);
  expect("shorts", s_out.host(), s_want);
  expect("bytes", c_out.host(), c_want);
  return verdict();
}
