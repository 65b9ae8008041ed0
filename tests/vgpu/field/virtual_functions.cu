// Objects with virtual functions, made on the device with new and in place, and the device's heap
// under malloc.
#include <new>

#include "field.cuh"

class Shape {
 public:
  __device__ virtual ~Shape() {}
  __device__ virtual int area() const = 0;
  __device__ virtual int scaled(int by) const { return area() * by; }
};
class Square : public Shape {
 public:
  __device__ explicit Square(int side) : side_(side) {}
  __device__ int area() const override { return side_ * side_; }

 private:
  int side_;
};
class Box : public Shape {
 public:
  __device__ Box(int w, int h) : w_(w), h_(h) {}
  __device__ int area() const override { return w_ * h_; }
  __device__ int scaled(int by) const override { return Shape::scaled(by) + 1; }

 private:
  int w_, h_;
};

__global__ void make(Shape** shapes, const int* sizes, int n) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n) return;
  if (sizes[i] % 3 == 0)
    shapes[i] = new Box(sizes[i], 7);
  else
    shapes[i] = new Square(sizes[i]);
}
__global__ void use(Shape* const* shapes, int* out, int n) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) out[i] = shapes[i]->scaled(3) + shapes[(i + 1) % n]->area();
}
__global__ void destroy(Shape** shapes, int n) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) delete shapes[i];
}

__global__ void in_place(int* out) {
  alignas(16) char storage[32];
  const Shape* s = threadIdx.x % 2 == 0 ? static_cast<Shape*>(new (storage) Square(threadIdx.x))
                                        : static_cast<Shape*>(new (storage) Box(threadIdx.x, 2));
  out[threadIdx.x] = s->scaled(2);
}

__global__ void lists(int* out) {
  struct Node {
    int value;
    Node* next;
  };
  Node* head = nullptr;
  for (int k = 0; k <= threadIdx.x % 5; ++k) {
    Node* node = static_cast<Node*>(malloc(sizeof(Node)));
    *node = {k * k + static_cast<int>(threadIdx.x), head};
    head = node;
  }
  int sum = 0;
  while (head != nullptr) {
    Node* const next = head->next;
    sum = sum * 7 + head->value;
    free(head);
    head = next;
  }
  out[threadIdx.x] = sum;
}

int main() {
  const int n = 300;
  CHECK(cudaDeviceSetLimit(cudaLimitMallocHeapSize, 4 << 20));
  Shape** shapes = device_array<Shape*>(n);
  int* out = device_array<int>(n);
  make<<<3, 128>>>(shapes, to_device(random_ints(n, 1, 50, 381)), n);
  use<<<3, 128>>>(shapes, out, n);
  show("shapes", out, n);
  destroy<<<3, 128>>>(shapes, n);
  in_place<<<1, 64>>>(out);
  show("in place", out, 64);
  lists<<<1, 96>>>(out);
  show("lists", out, 96);
}
