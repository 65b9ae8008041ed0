// Streams, events and host functions.
#include "show.cuh"

static void count_call(void* counter) {
  ++*static_cast<int*>(counter);
}
static void stream_call(cudaStream_t, cudaError_t status, void* counter) {
  if (status == cudaSuccess) ++*static_cast<int*>(counter);
}

void show_streams() {
  cudaStream_t stream = nullptr, second = nullptr;
  unsigned flags = 9;
  int priority = 9, least = 9, greatest = 9, called = 0;
  float milliseconds = -1;
  SHOW("stream create", cudaStreamCreate(&stream));
  SHOW("stream create null", cudaStreamCreate(nullptr));
  SHOW("stream create flags", cudaStreamCreateWithFlags(&second, cudaStreamNonBlocking));
  SHOW("stream get flags", cudaStreamGetFlags(second, &flags));
  VALUE("flags", flags);
  SHOW("stream create bad flags", cudaStreamCreateWithFlags(&second, 77));
  SHOW("priority range", cudaDeviceGetStreamPriorityRange(&least, &greatest));
  VALUE("least", least);
  VALUE("greatest", greatest);
  SHOW("stream destroy", cudaStreamDestroy(second));
  SHOW("stream create priority", cudaStreamCreateWithPriority(&second, 0, -100));
  SHOW("stream get priority", cudaStreamGetPriority(second, &priority));
  VALUE("priority", priority);
  SHOW("stream query", cudaStreamQuery(stream));
  SHOW("stream query default", cudaStreamQuery(nullptr));
  SHOW("stream synchronize legacy", cudaStreamSynchronize(cudaStreamLegacy));
  SHOW("stream synchronize per thread", cudaStreamSynchronize(cudaStreamPerThread));
  SHOW("stream destroy null", cudaStreamDestroy(nullptr));
  cudaStreamCaptureStatus capture;
  SHOW("is capturing", cudaStreamIsCapturing(stream, &capture));
  VALUE("capture", capture);

  cudaEvent_t start = nullptr, stop = nullptr, untimed = nullptr;
  SHOW("event create", cudaEventCreate(&start));
  SHOW("event create second", cudaEventCreateWithFlags(&stop, cudaEventBlockingSync));
  SHOW("event create untimed", cudaEventCreateWithFlags(&untimed, cudaEventDisableTiming));
  SHOW("event create bad flags", cudaEventCreateWithFlags(&untimed, 1u << 20));
  SHOW("elapsed unrecorded", cudaEventElapsedTime(&milliseconds, start, stop));
  SHOW("event query unrecorded", cudaEventQuery(start));
  SHOW("event record", cudaEventRecord(start, stream));
  SHOW("event wait", cudaStreamWaitEvent(second, start, 0));
  SHOW("event wait null", cudaStreamWaitEvent(second, nullptr, 0));
  SHOW("event record second", cudaEventRecord(stop, stream));
  SHOW("event synchronize", cudaEventSynchronize(stop));
  SHOW("elapsed", cudaEventElapsedTime(&milliseconds, start, stop));
  VALUE("elapsed is not negative", milliseconds >= 0);
  SHOW("event record untimed", cudaEventRecord(untimed, stream));
  SHOW("event sync untimed", cudaEventSynchronize(untimed));
  SHOW("elapsed untimed", cudaEventElapsedTime(&milliseconds, start, untimed));
  SHOW("elapsed null", cudaEventElapsedTime(nullptr, start, stop));
  SHOW("event record null", cudaEventRecord(nullptr, stream));
  SHOW("host function", cudaLaunchHostFunc(stream, count_call, &called));
  SHOW("host function null", cudaLaunchHostFunc(stream, nullptr, &called));
  SHOW("callback", cudaStreamAddCallback(stream, stream_call, &called, 0));
  SHOW("stream synchronize", cudaStreamSynchronize(stream));
  VALUE("called", called);
  SHOW("event destroy", cudaEventDestroy(start));
  SHOW("event destroy null", cudaEventDestroy(nullptr));
  SHOW("stream destroy", cudaStreamDestroy(stream));
  cudaEventDestroy(stop);
  cudaEventDestroy(untimed);
  cudaStreamDestroy(second);
}
