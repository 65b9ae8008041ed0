// Calls entry points of submissions, so that a profiler or the virtual GPU sees their launches.
//
//   calls LIST REPEATS
//
// Each line of LIST is one call: LIBRARY ENTRY B H Nq Nk d causal. Lab 2's entry points take
// Nq rows of Nk columns or parts. Before each call a launch of `next_call` tells where it begins.
// Results are not compared: that is the judge's work. Inputs are drawn from a fixed seed.
#include <dlfcn.h>
#include <flashlab/attention.h>
#include <flashlab/lab2.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <random>
#include <sstream>
#include <string>
#include <vector>

__global__ void next_call() {}

namespace {

void check(cudaError_t status, const std::string& what) {
  if (status == cudaSuccess) return;
  std::fprintf(stderr, "calls: %s: %s\n", what.c_str(), cudaGetErrorString(status));
  std::exit(1);
}

/// Device memory of one call, freed together.
class Memory {
 public:
  Memory() = default;
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;
  ~Memory() {
    for (void* memory : given_) check(cudaFree(memory), "cudaFree");
  }

  float* output(size_t count) { return static_cast<float*>(bytes(count * sizeof(float))); }
  float* input(size_t count, float mean = 0) {
    std::vector<float> values(count);
    std::mt19937 generator(static_cast<unsigned>(given_.size()));
    for (float& value : values) value = mean + (generator() * 0x1p-31f - 1);
    float* memory = output(count);
    check(cudaMemcpy(memory, values.data(), count * sizeof(float), cudaMemcpyDefault), "copy");
    return memory;
  }
  flashlab::Workspace workspace() { return {allocate, this}; }

 private:
  void* bytes(size_t count) {
    void* memory = nullptr;
    check(cudaMalloc(&memory, count), "cudaMalloc");
    given_.push_back(memory);
    return memory;
  }
  static void* allocate(void* self, const char*, size_t count) {
    return static_cast<Memory*>(self)->bytes(count);
  }

  std::vector<void*> given_;
};

struct Line {
  std::string library, entry;
  flashlab::AttentionShape shape;

  size_t rows() const { return static_cast<size_t>(shape.batch) * shape.heads * shape.seq_q; }
  size_t q() const { return rows() * shape.head_dim; }
  size_t k() const {
    return static_cast<size_t>(shape.batch) * shape.heads * shape.seq_k * shape.head_dim;
  }
};

void* symbol(const Line& line) {
  void* handle = dlopen(line.library.c_str(), RTLD_NOW | RTLD_LOCAL);
  void* function = handle != nullptr ? dlsym(handle, line.entry.c_str()) : nullptr;
  if (function != nullptr) return function;
  std::fprintf(stderr, "calls: %s\n", dlerror());
  std::exit(1);
}

using flashlab::AttentionShape;
using flashlab::MergeShape;
using flashlab::RowShape;
using flashlab::Workspace;
using Const = const float*;
using Forward = cudaError_t(Const, Const, Const, float*, AttentionShape, Workspace&, cudaStream_t);
using ForwardLse = cudaError_t(Const, Const, Const, float*, float*, AttentionShape, Workspace&,
                               cudaStream_t);
using Backward = cudaError_t(Const, Const, Const, Const, Const, Const, float*, float*, float*,
                             AttentionShape, Workspace&, cudaStream_t);
using Statistics = cudaError_t(Const, float*, float*, RowShape, Workspace&, cudaStream_t);
using Softmax = cudaError_t(Const, float*, RowShape, Workspace&, cudaStream_t);
using Merge = cudaError_t(Const, Const, Const, float*, float*, float*, MergeShape, Workspace&,
                          cudaStream_t);

template <class Signature>
Signature* as(void* function) {
  return reinterpret_cast<Signature*>(function);
}

void call(const Line& line, int repeats) {
  void* const function = symbol(line);
  const AttentionShape& s = line.shape;
  Memory memory;
  const auto q = [&] { return memory.input(line.q()); };
  const auto k = [&] { return memory.input(line.k()); };
  const auto repeat = [&](auto&& once) {
    for (int i = 0; i < repeats; ++i) {
      next_call<<<1, 1>>>();
      Memory scratch;
      Workspace workspace = scratch.workspace();
      check(once(workspace), line.library);
      check(cudaDeviceSynchronize(), line.library);
    }
  };
  const int rows = s.seq_q, columns = s.seq_k;
  const size_t cells = static_cast<size_t>(rows) * columns;
  if (line.entry == "lab2_row_statistics") {
    float *S = memory.input(cells), *m = memory.output(rows), *l = memory.output(rows);
    repeat([&](Workspace& w) {
      return as<Statistics>(function)(S, m, l, RowShape{rows, columns}, w, nullptr);
    });
  } else if (line.entry == "lab2_row_softmax") {
    float *S = memory.input(cells), *P = memory.output(cells);
    repeat([&](Workspace& w) {
      return as<Softmax>(function)(S, P, RowShape{rows, columns}, w, nullptr);
    });
  } else if (line.entry == "lab2_merge_states") {
    float *m = memory.input(cells), *l = memory.input(cells, 2);
    float* o = memory.input(cells * s.head_dim);
    float *m1 = memory.output(rows), *l1 = memory.output(rows), *o1 = memory.output(line.q());
    repeat([&](Workspace& w) {
      return as<Merge>(function)(m, l, o, m1, l1, o1, MergeShape{rows, columns, s.head_dim}, w,
                                 nullptr);
    });
  } else if (line.entry == "lab5_flash_attention_backward") {
    float *Q = q(), *K = k(), *V = k(), *O = q(), *dO = q();
    float* L = memory.input(line.rows(), std::log(static_cast<float>(s.seq_k)));
    float *dQ = memory.output(line.q()), *dK = memory.output(line.k());
    float* dV = memory.output(line.k());
    repeat([&](Workspace& w) {
      return as<Backward>(function)(Q, K, V, O, L, dO, dQ, dK, dV, s, w, nullptr);
    });
  } else if (line.entry == "lab4_flash_attention2") {
    float *Q = q(), *K = k(), *V = k(), *O = memory.output(line.q());
    float* L = memory.output(line.rows());
    repeat([&](Workspace& w) { return as<ForwardLse>(function)(Q, K, V, O, L, s, w, nullptr); });
  } else {
    float *Q = q(), *K = k(), *V = k(), *O = memory.output(line.q());
    repeat([&](Workspace& w) { return as<Forward>(function)(Q, K, V, O, s, w, nullptr); });
  }
}

}  // namespace

int main(int argc, char** argv) {
  std::ifstream list(argc == 3 ? argv[1] : "");
  const int repeats = argc == 3 ? std::atoi(argv[2]) : 0;
  if (!list || repeats < 1) {
    std::fprintf(stderr, "usage: %s LIST REPEATS\n", argv[0]);
    return 2;
  }
  std::string text;
  while (std::getline(list, text)) {
    std::istringstream words(text);
    Line line;
    AttentionShape& s = line.shape;
    words >> line.library >> line.entry >> s.batch >> s.heads >> s.seq_q >> s.seq_k >> s.head_dim >>
        s.causal;
    if (!words) {
      std::fprintf(stderr, "calls: cannot understand '%s'\n", text.c_str());
      return 2;
    }
    s.scale = 1 / std::sqrt(static_cast<float>(s.head_dim));
    call(line, repeats);
  }
  next_call<<<1, 1>>>();
  check(cudaDeviceSynchronize(), "the last launch");
  return 0;
}
