// A program of CUDA 12: it calls what differs from CUDA 13, as the headers of CUDA 12.9 declare it.
// Those are not at hand where tests run, so what it needs of them is written down here.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <vector>

struct Stream;
struct Graph;
struct Node;
struct Event;
struct PointerAttributes {  // cudaPointerAttributes: 24 bytes, 88 in CUDA 13
  int type, device;
  void *device_pointer, *host_pointer;
};

extern "C" {
int cudaRuntimeGetVersion(int* version);
int cudaGetDeviceProperties_v2(void* properties, int device);
int cudaPointerGetAttributes(PointerAttributes* attributes, const void* pointer);
int cudaMallocManaged(void** pointer, size_t bytes, unsigned flags);
int cudaFree(void* pointer);
int cudaMemAdvise(const void* pointer, size_t bytes, int advice, int device);
int cudaMemPrefetchAsync(const void* pointer, size_t bytes, int device, Stream* stream);
int cudaMemPrefetchAsync_ptsz(const void* pointer, size_t bytes, int device, Stream* stream);
int cudaStreamCreate(Stream** stream);
int cudaStreamDestroy(Stream* stream);
int cudaStreamBeginCapture(Stream* stream, int mode);
int cudaStreamEndCapture(Stream* stream, Graph** graph);
int cudaStreamGetCaptureInfo_v2(Stream* stream, int* status, unsigned long long* id, Graph** graph,
                                Node* const** dependencies, size_t* count);
int cudaStreamGetCaptureInfo(Stream* stream, int* status, unsigned long long* id);
int cudaGraphCreate(Graph** graph, unsigned flags);
int cudaGraphDestroy(Graph* graph);
int cudaGraphAddEmptyNode(Node** node, Graph* graph, Node* const* dependencies, size_t count);
int cudaGraphAddDependencies(Graph* graph, Node* const* from, Node* const* to, size_t count);
int cudaGraphRemoveDependencies(Graph* graph, Node* const* from, Node* const* to, size_t count);
int cudaGraphGetEdges(Graph* graph, Node** from, Node** to, size_t* count);
int cudaGraphNodeGetDependencies(Node* node, Node** dependencies, size_t* count);
int cudaEventCreate(Event** event);
int cudaEventRecord(Event* event, Stream* stream);
int cudaEventElapsedTime_v2(float* milliseconds, Event* start, Event* end);
int cudaEventDestroy(Event* event);
int cudaThreadSynchronize();
int cudaLaunchCooperativeKernelMultiDevice(void* launches, unsigned devices, unsigned flags);

/// In kernel.cu: fills the numbers from 0.
void fill(int* numbers, int count);
}

namespace {

constexpr size_t kPropertiesBytes =
    1032;  // of cudaDeviceProp; members at the offsets of driver_types.h
constexpr unsigned char kGuard = 0x5A;

void properties() {
  std::vector<unsigned char> bytes(kPropertiesBytes + 64, kGuard);
  const int error = cudaGetDeviceProperties_v2(bytes.data(), 0);
  const auto number = [&](size_t offset) {
    int value = 0;
    std::memcpy(&value, &bytes[offset], sizeof value);
    return value;
  };
  size_t optin = 0;
  std::memcpy(&optin, &bytes[696], sizeof optin);
  std::printf("properties %d: %s, clock %d, %d multiprocessors, memory clock %d, cooperative %d\n",
              error, reinterpret_cast<const char*>(bytes.data()), number(348), number(388),
              number(608), number(688));
  std::printf("shared memory on request %zu, pools %d\n", optin, number(744));
  std::printf("bytes behind are left alone: %d\n",
              bytes[kPropertiesBytes - 1] == 0 && bytes[kPropertiesBytes] == kGuard);
}

void memory() {
  void* managed = nullptr;
  std::printf("managed %d\n", cudaMallocManaged(&managed, 128, 1));
  struct {
    PointerAttributes attributes;
    uint64_t guard[8];
  } answer;
  std::memset(&answer, kGuard, sizeof answer);
  std::printf("attributes %d:", cudaPointerGetAttributes(&answer.attributes, managed));
  std::printf(" type %d, device %d, the same pointer %d, bytes behind are left alone: %d\n",
              answer.attributes.type, answer.attributes.device,
              answer.attributes.device_pointer == managed, answer.guard[0] == 0x5A5A5A5A5A5A5A5A);
  constexpr int kReadMostly = 1;
  std::printf("advise %d, prefetch %d %d\n", cudaMemAdvise(managed, 128, kReadMostly, 0),
              cudaMemPrefetchAsync(managed, 128, 0, nullptr),
              cudaMemPrefetchAsync_ptsz(managed, 128, -1, nullptr));
  fill(static_cast<int*>(managed), 32);
  std::printf("synchronize %d, last number %d\n", cudaThreadSynchronize(),
              static_cast<int*>(managed)[31]);
  std::printf("free %d\n", cudaFree(managed));
}

void capture() {
  Stream* stream = nullptr;
  Graph *graph = nullptr, *same = nullptr;
  Node* const* dependencies = nullptr;
  int status = -1, again = -1;
  unsigned long long id = 0, again_id = 0;
  size_t count = 99;
  cudaStreamCreate(&stream);
  cudaStreamBeginCapture(stream, 0);
  const int error = cudaStreamGetCaptureInfo_v2(stream, &status, &id, &same, &dependencies, &count);
  const int plain = cudaStreamGetCaptureInfo(stream, &again, &again_id);
  cudaStreamEndCapture(stream, &graph);
  std::printf("capture %d %d: status %d %d, the same id %d and graph %d, %zu dependencies\n", error,
              plain, status, again, id == again_id, graph == same, count);
  cudaGraphDestroy(graph);
  cudaStreamDestroy(stream);
}

void edges() {
  Graph* graph = nullptr;
  Node *first = nullptr, *second = nullptr, *from = nullptr, *to = nullptr;
  size_t count = 1;
  cudaGraphCreate(&graph, 0);
  cudaGraphAddEmptyNode(&first, graph, nullptr, 0);
  cudaGraphAddEmptyNode(&second, graph, nullptr, 0);
  std::printf("add edge %d\n", cudaGraphAddDependencies(graph, &first, &second, 1));
  std::printf("edges %d:", cudaGraphGetEdges(graph, &from, &to, &count));
  std::printf(" %zu, the one that was added %d\n", count, from == first && to == second);
  std::printf("dependencies %d:", cudaGraphNodeGetDependencies(second, &from, &count));
  std::printf(" %zu, the first %d\n", count, from == first);
  std::printf("remove edge %d\n", cudaGraphRemoveDependencies(graph, &first, &second, 1));
  cudaGraphGetEdges(graph, nullptr, nullptr, &count);
  std::printf("edges left %zu\n", count);
  cudaGraphDestroy(graph);
}

void events() {
  Event *start = nullptr, *end = nullptr;
  float milliseconds = -1;
  cudaEventCreate(&start);
  cudaEventCreate(&end);
  cudaEventRecord(start, nullptr);
  cudaEventRecord(end, nullptr);
  std::printf("elapsed %d:", cudaEventElapsedTime_v2(&milliseconds, start, end));
  std::printf(" a time %d\n", milliseconds >= 0);
  cudaEventDestroy(start);
  cudaEventDestroy(end);
}

}  // namespace

int main() {
  int version = 0;
  const int error = cudaRuntimeGetVersion(&version);
  std::printf("runtime %d: %d\n", error, version);
  properties();
  memory();
  capture();
  edges();
  events();
  std::printf("several devices %d\n", cudaLaunchCooperativeKernelMultiDevice(nullptr, 0, 0));
  return 0;
}
