// Initial values of every kind: integers, floats, strings, addresses with offsets, addresses inside
// packed structs.
struct __attribute__((packed)) Packed {
  char tag;
  const int* address;
  short count;
};
struct Mixed {
  char tag;
  double value;
  int* address;
  short counts[3];
};

__device__ int numbers[8] = {1, -2, 3};
__device__ int* inside = &numbers[3];
__device__ const char* names[3] = {"abc", "quote \" and newline \n", nullptr};
__device__ Mixed mixed = {'x', 2.5, &numbers[1], {1, -2, 3}};
__device__ Packed packed[2] = {{1, &numbers[2], 5}, {2, numbers, 6}};
__device__ __noinline__ void touch(int i) {
  numbers[i] = 3;
}
__device__ void (*function)(int) = touch;
__device__ float floats[3] = {1.0f, 0.0f, -1e-40f};
__device__ double real = 3.5;
__device__ long long negative = -5;
__device__ unsigned char byte = 200;
__constant__ float4 vectors[2] = {{1, 2, 3, 4}, {5, 6, 7, 8}};
__shared__ int shared_cell;
__shared__ int* shared_pointer;

__global__ void use_all(int i, float* out) {
  shared_pointer = &shared_cell;
  shared_cell = i;
  function(i);
  out[0] = static_cast<float>(*inside + names[i][0] + mixed.counts[i] + packed[i].address[0] +
                              floats[i] + real + negative + byte + vectors[i].z + *shared_pointer);
}
