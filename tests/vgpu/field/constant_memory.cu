// Constant memory: polynomials, a struct, partial updates through the symbol's address, tables
// indexed by each lane, reading back.

// nvcc: -fmad=false

#include "field.cuh"

struct Camera {
  float matrix[12];
  int width, height;
};

__constant__ double coefficients[8];
__constant__ Camera camera = {{1, 0, 0, 0.5f, 0, 1, 0, -0.5f, 0, 0, 1, 2}, 64, 48};
__constant__ unsigned char substitution[256];
__constant__ int3 offsets[4] = {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}, {-1, -1, -1}};
__device__ int3 device_offsets[4] = {{1, 2, 3}, {4, 5, 6}, {7, 8, 9}, {10, 11, 12}};

__global__ void horner(const double* x, double* y, int n) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n) return;
  double v = coefficients[7];
#pragma unroll
  for (int k = 6; k >= 0; --k) v = v * x[i] + coefficients[k];
  y[i] = v;
}

__global__ void transform(const float* p, float* out) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  for (int r = 0; r < 3; ++r)
    out[3 * i + r] = camera.matrix[4 * r] * p[3 * i] + camera.matrix[4 * r + 1] * p[3 * i + 1] +
                     camera.matrix[4 * r + 2] * p[3 * i + 2] +
                     camera.matrix[4 * r + 3] * static_cast<float>(camera.width);
}

__global__ void encrypt(const unsigned char* in, unsigned char* out) {
  unsigned char v = in[blockIdx.x * blockDim.x + threadIdx.x];
  for (int round = 0; round < 10; ++round)
    v = substitution[v ^ static_cast<unsigned char>(round * 17)];
  out[blockIdx.x * blockDim.x + threadIdx.x] = v;
}

__global__ void steps(int* out) {
  int3 p = {};
  for (int k = 0; k < 10; ++k) {
    const int3 a = offsets[(threadIdx.x + k) % 4], b = device_offsets[(threadIdx.x * k) % 4];
    p = {p.x + a.x * b.x, p.y + a.y * b.y, p.z + a.z * b.z};
  }
  out[threadIdx.x] = p.x + 100 * p.y + 10000 * p.z;
}

int main() {
  const int n = 2000;
  const std::vector<double> c = random_whole<double>(8, -9, 9, 441);
  CHECK(cudaMemcpyToSymbol(coefficients, c.data(), sizeof coefficients));
  double* x = to_device(random_whole<double>(n, -30, 30, 442));
  double* y = device_array<double>(n);
  horner<<<8, 256>>>(x, y, n);
  show("polynomial", y, n);
  const double changed = 0.125;
  CHECK(cudaMemcpyToSymbol(coefficients, &changed, sizeof changed, 3 * sizeof(double)));
  horner<<<8, 256>>>(x, y, n);
  show("changed", y, n);

  float* points = to_device(random_floats(3 * 256, 443));
  float* moved = device_array<float>(3 * 256);
  transform<<<2, 128>>>(points, moved);
  show("moved", moved, 3 * 256);
  Camera back;
  CHECK(cudaMemcpyFromSymbol(&back, camera, sizeof back));
  back.width = 7;
  void* address;
  size_t size;
  CHECK(cudaGetSymbolAddress(&address, camera));
  CHECK(cudaGetSymbolSize(&size, camera));
  CHECK(cudaMemcpy(address, &back, sizeof back, cudaMemcpyHostToDevice));
  std::printf("%zu bytes, height %d\n", size, back.height);
  transform<<<2, 128>>>(points, moved);
  show("moved again", moved, 3 * 256);

  std::vector<unsigned char> box(256);
  for (int i = 0; i < 256; ++i) box[i] = static_cast<unsigned char>((i * 167 + 13) & 255);
  CHECK(cudaMemcpyToSymbol(substitution, box.data(), box.size()));
  unsigned char* text = to_device(random_whole<unsigned char>(1024, 0, 255, 444));
  unsigned char* cipher = device_array<unsigned char>(1024);
  encrypt<<<4, 256>>>(text, cipher);
  show("cipher", cipher, 1024);
  int* out = device_array<int>(64);
  steps<<<1, 64>>>(out);
  show("steps", out, 64);
}
