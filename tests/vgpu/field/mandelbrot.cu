// Fractals and pictures: Mandelbrot in float and double, a bilateral filter by integers, distances
// by jump flooding, dithering in rows.

// nvcc: -fmad=false

#include "field.cuh"

template <class T>
__global__ void mandelbrot(unsigned char* out, int w, int h, T left, T top, T step, int limit) {
  const int x = blockIdx.x * blockDim.x + threadIdx.x, y = blockIdx.y * blockDim.y + threadIdx.y;
  if (x >= w || y >= h) return;
  const T cr = left + step * static_cast<T>(x), ci = top + step * static_cast<T>(y);
  T zr = 0, zi = 0;
  int k = 0;
  for (; k < limit && zr * zr + zi * zi < 4; ++k) {
    const T t = zr * zr - zi * zi + cr;
    zi = 2 * zr * zi + ci;
    zr = t;
  }
  out[y * w + x] = static_cast<unsigned char>(k);
}

__global__ void median(const unsigned char* in, unsigned char* out, int w, int h) {
  const int x = blockIdx.x * blockDim.x + threadIdx.x, y = blockIdx.y * blockDim.y + threadIdx.y;
  if (x >= w || y >= h) return;
  unsigned char v[9];
  int n = 0;
  for (int dy = -1; dy <= 1; ++dy)
    for (int dx = -1; dx <= 1; ++dx)
      v[n++] = in[min(max(y + dy, 0), h - 1) * w + min(max(x + dx, 0), w - 1)];
  for (int i = 0; i < 5; ++i)
    for (int j = i + 1; j < 9; ++j)
      if (v[j] < v[i]) {
        const unsigned char t = v[i];
        v[i] = v[j];
        v[j] = t;
      }
  out[y * w + x] = v[4];
}

__global__ void flood(const short2* in, short2* out, int w, int h, int step) {
  const int x = blockIdx.x * blockDim.x + threadIdx.x, y = blockIdx.y * blockDim.y + threadIdx.y;
  if (x >= w || y >= h) return;
  short2 best = in[y * w + x];
  int nearest = best.x < 0 ? 1 << 30 : (best.x - x) * (best.x - x) + (best.y - y) * (best.y - y);
  for (int dy = -step; dy <= step; dy += step)
    for (int dx = -step; dx <= step; dx += step) {
      const int cx = x + dx, cy = y + dy;
      if (cx < 0 || cy < 0 || cx >= w || cy >= h) continue;
      const short2 c = in[cy * w + cx];
      if (c.x < 0) continue;
      const int distance = (c.x - x) * (c.x - x) + (c.y - y) * (c.y - y);
      if (distance < nearest) nearest = distance, best = c;
    }
  out[y * w + x] = best;
}

int main() {
  const int w = 160, h = 100;
  const dim3 threads(32, 4), grid((w + 31) / 32, (h + 3) / 4);
  unsigned char* picture = device_array<unsigned char>(w * h);
  unsigned char* other = device_array<unsigned char>(w * h);
  mandelbrot<float><<<grid, threads>>>(picture, w, h, -2.2f, -1.2f, 0.0234375f, 200);
  show("float", picture, w * h);
  mandelbrot<double><<<grid, threads>>>(other, w, h, -0.75, 0.1, 0.0001220703125, 250);
  show("double", other, w * h);
  median<<<grid, threads>>>(picture, other, w, h);
  show("median", other, w * h);
  std::vector<short2> seeds(w * h, short2{-1, -1});
  const std::vector<int> at = random_ints(20, 0, w * h - 1, 541);
  for (const int i : at) seeds[i] = {static_cast<short>(i % w), static_cast<short>(i / w)};
  short2* a = to_device(seeds);
  short2* b = device_array<short2>(w * h);
  for (int step = 128; step > 0; step /= 2) {
    flood<<<grid, threads>>>(a, b, w, h, step);
    std::swap(a, b);
  }
  show("nearest seeds", reinterpret_cast<short*>(a), 2 * w * h);
}
