// c = a + b, one thread per element, with a length that is no multiple of the block.
#include "program.cuh"

__global__ void vector_add(const float* a, const float* b, float* c, int n) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) c[i] = a[i] + b[i];
}

int main() {
  for (const int n : {1, 31, 32, 1000, 65537}) {
    const std::vector<float> a = random_floats(n, 1), b = random_floats(n, 2);
    DeviceArray<float> da(a), db(b), dc(n);
    vector_add<<<(n + 255) / 256, 256>>>(da.data(), db.data(), dc.data(), n);
    finish_kernels();
    std::vector<float> want(n);
    for (int i = 0; i < n; ++i) want[i] = a[i] + b[i];
    expect("c", dc.host(), want);
  }
  return verdict();
}
