// Allocation, copies and fills, pointers.
#include <cstdlib>
#include <vector>

#include "show.cuh"

void show_memory() {
  char host[256] = {};
  char other[256] = {};
  void *a = nullptr, *b = nullptr, *pinned = nullptr, *managed = nullptr;
  SHOW("malloc", cudaMalloc(&a, 256));
  SHOW("malloc second", cudaMalloc(&b, 256));
  SHOW("malloc null target", cudaMalloc(static_cast<void**>(nullptr), 4));
  void* none = host;
  SHOW("malloc zero bytes", cudaMalloc(&none, 0));
  VALUE("malloc zero bytes gives null", none == nullptr);
  SHOW("malloc far too much", cudaMalloc(&none, size_t{1} << 50));
  SHOW("mallocHost", cudaMallocHost(&pinned, 256));
  SHOW("mallocManaged", cudaMallocManaged(&managed, 256));
  SHOW("mallocManaged bad flags", cudaMallocManaged(&none, 256, 99));
  SHOW("mallocManaged zero bytes", cudaMallocManaged(&none, 0));
  SHOW("hostAlloc bad flags", cudaHostAlloc(&none, 16, 1u << 20));

  SHOW("memset", cudaMemset(a, 5, 256));
  SHOW("memset null zero bytes", cudaMemset(nullptr, 0, 0));
  SHOW("memset null", cudaMemset(nullptr, 0, 4));
  SHOW("memset host pointer", cudaMemset(host, 0, 4));
  SHOW("memset pinned", cudaMemset(pinned, 1, 4));
  SHOW("memcpy H2D", cudaMemcpy(b, host, 256, cudaMemcpyHostToDevice));
  SHOW("memcpy D2H", cudaMemcpy(host, a, 256, cudaMemcpyDeviceToHost));
  VALUE("memcpy D2H value", host[255]);
  SHOW("memcpy D2D", cudaMemcpy(b, a, 256, cudaMemcpyDeviceToDevice));
  SHOW("memcpy default to host", cudaMemcpy(other, b, 256, cudaMemcpyDefault));
  VALUE("memcpy default value", other[10]);
  SHOW("memcpy default H2H", cudaMemcpy(other, host, 256, cudaMemcpyDefault));
  SHOW("memcpy H2H", cudaMemcpy(other, host, 256, cudaMemcpyHostToHost));
  SHOW("memcpy H2D with host destination", cudaMemcpy(other, host, 16, cudaMemcpyHostToDevice));
  SHOW("memcpy D2H with host source", cudaMemcpy(other, host, 16, cudaMemcpyDeviceToHost));
  SHOW("memcpy H2D with device source", cudaMemcpy(b, a, 16, cudaMemcpyHostToDevice));
  SHOW("memcpy D2H with device destination", cudaMemcpy(b, a, 16, cudaMemcpyDeviceToHost));
  SHOW("memcpy H2D of device to host", cudaMemcpy(other, a, 16, cudaMemcpyHostToDevice));
  SHOW("memcpy D2H of host to device", cudaMemcpy(a, other, 16, cudaMemcpyDeviceToHost));
  SHOW("memcpy D2D with host source", cudaMemcpy(b, host, 16, cudaMemcpyDeviceToDevice));
  SHOW("memcpy H2H with device source", cudaMemcpy(other, a, 16, cudaMemcpyHostToHost));
  SHOW("memcpy D2D pinned to device", cudaMemcpy(b, pinned, 16, cudaMemcpyDeviceToDevice));
  SHOW("memcpy H2D pinned to managed", cudaMemcpy(managed, pinned, 16, cudaMemcpyHostToDevice));
  SHOW("memcpy bad kind", cudaMemcpy(b, a, 16, static_cast<cudaMemcpyKind>(77)));
  SHOW("memcpy null destination", cudaMemcpy(nullptr, a, 16, cudaMemcpyDeviceToHost));
  SHOW("memcpy null source", cudaMemcpy(a, nullptr, 16, cudaMemcpyHostToDevice));
  SHOW("memcpy zero bytes", cudaMemcpy(nullptr, nullptr, 0, cudaMemcpyDeviceToHost));
  SHOW("memcpyAsync bad stream pointer kind",
       cudaMemcpyAsync(other, host, 16, cudaMemcpyHostToDevice));

  void* pitched = nullptr;
  size_t pitch = 0;
  SHOW("mallocPitch", cudaMallocPitch(&pitched, &pitch, 100, 8));
  VALUE("pitch", pitch);
  std::vector<unsigned char> rows(100 * 8, 3), back(100 * 8, 0);
  SHOW("memcpy2D up",
       cudaMemcpy2D(pitched, pitch, rows.data(), 100, 100, 8, cudaMemcpyHostToDevice));
  SHOW("memset2D", cudaMemset2D(pitched, pitch, 9, 50, 8));
  SHOW("memcpy2D down",
       cudaMemcpy2D(back.data(), 100, pitched, pitch, 100, 8, cudaMemcpyDeviceToHost));
  VALUE("memcpy2D value left", back[749]);
  VALUE("memcpy2D value right", back[750]);
  SHOW("memcpy2D pitch below width",
       cudaMemcpy2D(pitched, 50, rows.data(), 100, 100, 8, cudaMemcpyHostToDevice));
  SHOW("memset2D pitch below width", cudaMemset2D(pitched, 10, 9, 50, 8));

  cudaPointerAttributes at;
  SHOW("attributes device", cudaPointerGetAttributes(&at, a));
  VALUE("type", at.type);
  VALUE("device", at.device);
  VALUE("host pointer null", at.hostPointer == nullptr);
  SHOW("attributes device inside", cudaPointerGetAttributes(&at, static_cast<char*>(a) + 100));
  VALUE("type", at.type);
  SHOW("attributes host", cudaPointerGetAttributes(&at, host));
  VALUE("type", at.type);
  VALUE("device", at.device);
  VALUE("device pointer null", at.devicePointer == nullptr);
  VALUE("host pointer null", at.hostPointer == nullptr);
  SHOW("attributes pinned", cudaPointerGetAttributes(&at, pinned));
  VALUE("type", at.type);
  VALUE("device pointer same", at.devicePointer == pinned);
  SHOW("attributes managed", cudaPointerGetAttributes(&at, managed));
  VALUE("type", at.type);
  SHOW("attributes null", cudaPointerGetAttributes(&at, nullptr));
  void* mapped = nullptr;
  SHOW("hostGetDevicePointer", cudaHostGetDevicePointer(&mapped, pinned, 0));
  VALUE("same address", mapped == pinned);
  SHOW("hostGetDevicePointer of host", cudaHostGetDevicePointer(&mapped, host, 0));
  unsigned flags = 0;
  SHOW("hostGetFlags", cudaHostGetFlags(&flags, pinned));
  SHOW("hostGetFlags of host", cudaHostGetFlags(&flags, host));
  void* page = std::aligned_alloc(4096, 8192);
  SHOW("hostRegister", cudaHostRegister(page, 8192, cudaHostRegisterDefault));
  SHOW("hostRegister twice", cudaHostRegister(page, 8192, cudaHostRegisterDefault));
  SHOW("attributes registered", cudaPointerGetAttributes(&at, page));
  VALUE("type", at.type);
  SHOW("hostUnregister", cudaHostUnregister(page));
  SHOW("hostUnregister twice", cudaHostUnregister(page));
  std::free(page);

  SHOW("free inside", cudaFree(static_cast<char*>(a) + 16));
  SHOW("free host pointer", cudaFree(host));
  SHOW("free pinned with free", cudaFree(pinned));
  SHOW("freeHost of device", cudaFreeHost(b));
  SHOW("freeHost", cudaFreeHost(pinned));
  SHOW("freeHost null", cudaFreeHost(nullptr));
  SHOW("free", cudaFree(a));
  SHOW("free twice", cudaFree(a));
  SHOW("free null", cudaFree(nullptr));
  SHOW("free managed", cudaFree(managed));
  SHOW("free pitched", cudaFree(pitched));
  SHOW("memcpy from freed", cudaMemcpy(host, a, 16, cudaMemcpyDeviceToHost));

  SHOW("mallocAsync", cudaMallocAsync(&a, 1024, nullptr));
  SHOW("memsetAsync", cudaMemsetAsync(a, 1, 1024, nullptr));
  SHOW("freeAsync", cudaFreeAsync(a, nullptr));
  SHOW("freeAsync host pointer", cudaFreeAsync(host, nullptr));
  SHOW("memGetInfo null", cudaMemGetInfo(nullptr, nullptr));
  SHOW("free second", cudaFree(b));
}
