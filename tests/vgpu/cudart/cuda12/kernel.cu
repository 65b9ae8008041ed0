// The device code of calls.cpp, a separate file: host code that declares CUDA 12's functions cannot
// include CUDA 13's.
__global__ void fill_kernel(int* numbers) {
  numbers[threadIdx.x] = static_cast<int>(threadIdx.x);
}

extern "C" void fill(int* numbers, int count) {
  fill_kernel<<<1, count>>>(numbers);
}
