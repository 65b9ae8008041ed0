// Wrong calls, each in a process of its own, for some may end it: `conformance errors NUMBER`. What
// a GPU's runtime answers is in h200/errors.txt; "crashed" there stands for a call that does not
// return.
#include <cstdint>
#include <cstdlib>

#include "show.cuh"

namespace {

__global__ void touch(int* out) {
  *out = 1;
}

constexpr size_t kFarTooMuch = size_t{1} << 50;
int* const kNoMemory = nullptr;

int* device_memory(size_t bytes = 256) {
  void* memory = nullptr;
  cudaMalloc(&memory, bytes);
  return static_cast<int*>(memory);
}
cudaEvent_t recorded_event() {
  cudaEvent_t event = nullptr;
  cudaEventCreate(&event);
  cudaEventRecord(event);
  return event;
}

struct Case {
  const char* name;
  cudaError_t (*call)();
};

// The order is that of h200/errors.txt: new cases go to the end.
const Case kCases[] = {
    // more memory than there is
    {"mallocManaged far too much",
     [] {
       void* p = nullptr;
       return cudaMallocManaged(&p, kFarTooMuch);
     }},
    {"mallocAsync far too much",
     [] {
       void* p = nullptr;
       return cudaMallocAsync(&p, kFarTooMuch, nullptr);
     }},
    {"mallocPitch far too much",
     [] {
       void* p = nullptr;
       size_t pitch = 0;
       return cudaMallocPitch(&p, &pitch, kFarTooMuch, 4096);
     }},
    {"malloc3D far too much",
     [] {
       cudaPitchedPtr p;
       return cudaMalloc3D(&p, cudaExtent{1 << 20, 1 << 20, 1 << 20});
     }},
    {"malloc all addresses",
     [] {
       void* p = nullptr;
       return cudaMalloc(&p, SIZE_MAX);
     }},
    {"an error of malloc leaves the pointer alone",
     [] {
       int here = 0;
       void* p = &here;
       cudaMalloc(&p, kFarTooMuch);
       return p == &here ? cudaSuccess : cudaErrorUnknown;
     }},
    // more bytes than the memory has
    {"memcpy D2H past the end",
     [] {
       static char host[4096];
       return cudaMemcpy(host, device_memory(), sizeof host, cudaMemcpyDeviceToHost);
     }},
    {"memcpy H2D past the end",
     [] {
       static char host[4096];
       return cudaMemcpy(device_memory(), host, sizeof host, cudaMemcpyHostToDevice);
     }},
    {"memcpy all addresses",
     [] {
       char host = 0;
       return cudaMemcpy(device_memory(), &host, SIZE_MAX, cudaMemcpyHostToDevice);
     }},
    {"memset past the end", [] { return cudaMemset(device_memory(), 0, size_t{1} << 40); }},
    {"memset2D past the end",
     [] { return cudaMemset2D(device_memory(), 1 << 20, 0, 16, 1 << 20); }},
    {"memcpy negative kind",
     [] {
       char host = 0;
       return cudaMemcpy(device_memory(), &host, 1, static_cast<cudaMemcpyKind>(-1));
     }},
    {"memcpyAsync bad kind",
     [] {
       char host = 0;
       return cudaMemcpyAsync(device_memory(), &host, 1, static_cast<cudaMemcpyKind>(9));
     }},
    {"memcpy2D bad kind",
     [] {
       char host[4];
       return cudaMemcpy2D(device_memory(), 2, host, 2, 2, 2, static_cast<cudaMemcpyKind>(9));
     }},
    {"memcpy2D zero width",
     [] { return cudaMemcpy2D(nullptr, 0, nullptr, 0, 0, 2, cudaMemcpyHostToDevice); }},
    {"memcpyPeer of device 7",
     [] { return cudaMemcpyPeer(device_memory(), 7, device_memory(), 0, 4); }},
    // null pointers
    {"malloc null", [] { return cudaMalloc(static_cast<void**>(nullptr), 4); }},
    {"mallocHost null", [] { return cudaMallocHost(static_cast<void**>(nullptr), 4); }},
    {"hostAlloc null", [] { return cudaHostAlloc(static_cast<void**>(nullptr), 4, 0); }},
    {"mallocManaged null", [] { return cudaMallocManaged(static_cast<void**>(nullptr), 4); }},
    {"mallocAsync null", [] { return cudaMallocAsync(static_cast<void**>(nullptr), 4, nullptr); }},
    {"mallocPitch null pitch",
     [] {
       void* p = nullptr;
       return cudaMallocPitch(&p, nullptr, 4, 4);
     }},
    {"malloc3D null",
     [] {
       return cudaMalloc3D(nullptr, cudaExtent{4, 4, 4});
     }},
    {"memcpy3D null", [] { return cudaMemcpy3D(nullptr); }},
    {"device count null", [] { return cudaGetDeviceCount(nullptr); }},
    {"runtime version null", [] { return cudaRuntimeGetVersion(nullptr); }},
    {"driver version null", [] { return cudaDriverGetVersion(nullptr); }},
    {"properties null", [] { return cudaGetDeviceProperties(nullptr, 0); }},
    {"attribute null", [] { return cudaDeviceGetAttribute(nullptr, cudaDevAttrWarpSize, 0); }},
    {"limit null", [] { return cudaDeviceGetLimit(nullptr, cudaLimitStackSize); }},
    {"device flags null", [] { return cudaGetDeviceFlags(nullptr); }},
    {"event create null", [] { return cudaEventCreate(nullptr); }},
    {"event query null", [] { return cudaEventQuery(nullptr); }},
    {"event synchronize null", [] { return cudaEventSynchronize(nullptr); }},
    {"elapsed null events",
     [] {
       float ms = 0;
       return cudaEventElapsedTime(&ms, nullptr, nullptr);
     }},
    {"elapsed null start",
     [] {
       float ms = 0;
       return cudaEventElapsedTime(&ms, nullptr, recorded_event());
     }},
    {"stream flags null", [] { return cudaStreamGetFlags(nullptr, nullptr); }},
    {"stream priority null", [] { return cudaStreamGetPriority(nullptr, nullptr); }},
    {"pointer attributes null result",
     [] { return cudaPointerGetAttributes(nullptr, device_memory()); }},
    {"function attributes null result", [] { return cudaFuncGetAttributes(nullptr, touch); }},
    {"function attributes null function",
     [] {
       cudaFuncAttributes at;
       return cudaFuncGetAttributes(&at, static_cast<const void*>(nullptr));
     }},
    {"occupancy null result",
     [] { return cudaOccupancyMaxActiveBlocksPerMultiprocessor(nullptr, touch, 32, 0); }},
    {"symbol address null symbol",
     [] {
       void* p = nullptr;
       return cudaGetSymbolAddress(&p, static_cast<const void*>(nullptr));
     }},
    {"symbol size null symbol",
     [] {
       size_t size = 0;
       return cudaGetSymbolSize(&size, static_cast<const void*>(nullptr));
     }},
    {"hostRegister null", [] { return cudaHostRegister(nullptr, 4096, 0); }},
    {"hostUnregister null", [] { return cudaHostUnregister(nullptr); }},
    {"hostGetDevicePointer null result",
     [] {
       void* pinned = nullptr;
       cudaMallocHost(&pinned, 16);
       return cudaHostGetDevicePointer(static_cast<void**>(nullptr), pinned, 0);
     }},
    {"launch null arguments",
     [] {
       return cudaLaunchKernel(reinterpret_cast<const void*>(&touch), 1, 1, nullptr, 0, nullptr);
     }},
    {"launchKernelExC null configuration",
     [] { return cudaLaunchKernelExC(nullptr, reinterpret_cast<const void*>(&touch), nullptr); }},
    // device, stream and event that are not there
    {"set device 1000", [] { return cudaSetDevice(1000); }},
    {"peer access of device 9",
     [] {
       int can = 0;
       return cudaDeviceCanAccessPeer(&can, 0, 9);
     }},
    {"set device flags unknown", [] { return cudaSetDeviceFlags(0x1000); }},
    {"set limit unknown", [] { return cudaDeviceSetLimit(static_cast<cudaLimit>(77), 1); }},
    {"stream wait for null event", [] { return cudaStreamWaitEvent(nullptr, nullptr, 0); }},
    {"event record with unknown flags",
     [] { return cudaEventRecordWithFlags(recorded_event(), nullptr, 0x80); }},
    {"host function null", [] { return cudaLaunchHostFunc(nullptr, nullptr, nullptr); }},
    {"free constant memory of the host", [] { return cudaFree(const_cast<char*>("a string")); }},
    {"free one past the start", [] { return cudaFree(device_memory() + 1); }},
    {"freeHost twice",
     [] {
       void* pinned = nullptr;
       cudaMallocHost(&pinned, 16);
       cudaFreeHost(pinned);
       return cudaFreeHost(pinned);
     }},
    {"freeAsync twice",
     [] {
       void* p = nullptr;
       cudaMallocAsync(&p, 16, nullptr);
       cudaFreeAsync(p, nullptr);
       return cudaFreeAsync(p, nullptr);
     }},
    {"freeAsync null", [] { return cudaFreeAsync(nullptr, nullptr); }},
    // what stays behind
    {"peek leaves the error",
     [] {
       cudaSetDevice(99);
       cudaPeekAtLastError();
       return cudaPeekAtLastError();
     }},
    {"get clears the error",
     [] {
       cudaSetDevice(99);
       cudaGetLastError();
       return cudaGetLastError();
     }},
    {"a later error replaces the first",
     [] {
       cudaSetDevice(99);
       cudaMemset(nullptr, 0, 4);
       return cudaGetLastError();
     }},
    {"not ready leaves nothing behind",
     [] {
       cudaStreamQuery(nullptr);
       return cudaGetLastError();
     }},
    {"a launch that is refused runs nothing",
     [] {
       int* out = device_memory();
       int host = 0;
       cudaMemset(out, 0, 4);
       touch<<<1, 2000>>>(out);
       cudaMemcpy(&host, out, 4, cudaMemcpyDeviceToHost);
       return host == 0 ? cudaGetLastError() : cudaErrorUnknown;
     }},
    {"a reset leaves the last error",
     [] {
       cudaSetDevice(99);
       cudaDeviceReset();
       return cudaGetLastError();
     }},
    {"a reset invalidates events",
     [] {
       cudaEvent_t event = recorded_event();
       cudaDeviceReset();
       return cudaEventQuery(event);
     }},
    {"reset twice",
     [] {
       cudaDeviceReset();
       return cudaDeviceReset();
     }},
    {"a fault is not cleared by getting it",
     [] {
       touch<<<1, 1>>>(kNoMemory);
       cudaDeviceSynchronize();
       cudaGetLastError();
       return cudaDeviceSynchronize();
     }},
    {"a fault refuses launches",
     [] {
       touch<<<1, 1>>>(kNoMemory);
       cudaDeviceSynchronize();
       touch<<<1, 1>>>(kNoMemory);
       return cudaPeekAtLastError();
     }},
    {"a fault and a wrong call",
     [] {
       touch<<<1, 1>>>(kNoMemory);
       cudaDeviceSynchronize();
       return cudaMemcpy(nullptr, nullptr, 4, static_cast<cudaMemcpyKind>(9));
     }},
    {"a fault and an invalid device",
     [] {
       touch<<<1, 1>>>(kNoMemory);
       cudaDeviceSynchronize();
       return cudaSetDevice(99);
     }},
};

}  // namespace

int show_error(const char* number) {
  const size_t index = std::strtoul(number, nullptr, 10);
  if (index >= sizeof kCases / sizeof *kCases) return 2;
  cudaFree(nullptr);
  std::printf("%s = ", kCases[index].name);
  std::fflush(stdout);
  std::printf("%s\n", cudaGetErrorName(kCases[index].call()));
  return 0;
}
