// Scratch memory for a lab. All device memory that a kernel needs beyond its inputs and outputs
// comes from here, so that it can be counted; cudaMalloc in a submission is refused.
#pragma once

#include <cstddef>

namespace flashlab {

class Workspace {
 public:
  /// Provided by the grader.
  using Allocate = void* (*)(void* context, const char* name, size_t bytes);
  Workspace(Allocate provider, void* context) : allocate_(provider), context_(context) {}

  /// Device memory for `count` elements of T, aligned to 256 bytes, valid until the entry point's
  /// work on the stream is done. Not initialised (the grader fills it with NaN patterns). `name`
  /// appears in reports, as in "S". Returns nullptr when the memory does not fit.
  template <class T>
  T* allocate(const char* name, size_t count) {
    return static_cast<T*>(allocate_(context_, name, count * sizeof(T)));
  }

 private:
  Allocate allocate_;
  void* context_;
};

}  // namespace flashlab
