// Applies every operation of operations.py to the operands of operands.hpp, on whatever device the
// loaded runtime offers, and prints one line of JSON for each:
//
//   exact operations        {"name", "operands", "hash"} of all results
//   approximate operations  {"name", "operands", "special", "errors"}: a hash of the results that
//                           have one right value, and the largest error of the others for each
//                           measure in approximations.hpp
//
//   differential              all operations
//   differential --show NAME  each operand and result of one of them
#include <cstdio>
#include <cstring>
#include <map>
#include <memory>
#include <string_view>
#include <vector>

#include "../programs/program.cuh"
#include "approximations.hpp"
#include "operands.hpp"

namespace {

constexpr int kMaxOperands = 4;

/// Operands in device memory: bits[k][i] belongs to thread i.
struct Columns {
  const uint64_t* bits[kMaxOperands];
  template <class T>
  __device__ T get(int k, uint32_t i) const {
    return static_cast<T>(bits[k][i]);
  }
};

struct Operation {
  const char* name;
  void (*run)(Columns, uint64_t*, uint32_t);
  size_t arity;
  Kind operand[kMaxOperands];
  bool approximate;

  std::vector<Kind> kinds() const { return {operand, operand + arity}; }
};

#define OPERATION(id, constraint, type, ptx, ...)                                      \
  __global__ void operation_##id(Columns columns, uint64_t* results, uint32_t count) { \
    const uint32_t i = blockIdx.x * blockDim.x + threadIdx.x;                          \
    if (i >= count) return;                                                            \
    type result;                                                                       \
    asm volatile(ptx : constraint(result) : __VA_ARGS__);                              \
    results[i] = result;                                                               \
  }
#include "operations.inc"

/// The operands of all operations with the same kinds, on both sides.
class Operands {
 public:
  explicit Operands(const std::vector<Kind>& kinds) : host_(columns_for(kinds)) {
    for (size_t k = 0; k < kinds.size(); ++k) {
      if (kinds[k] == Kind::kCell) {
        cells_ = std::make_unique<DeviceArray<uint64_t>>(size());
        for (size_t i = 0; i < size(); ++i)
          host_[k][i] = reinterpret_cast<uint64_t>(cells_->data() + i);
      }
      arrays_.push_back(std::make_unique<DeviceArray<uint64_t>>(host_[k]));
      device_.bits[k] = arrays_.back()->data();
    }
  }
  size_t size() const { return host_[0].size(); }
  const std::vector<std::vector<uint64_t>>& host() const { return host_; }
  const Columns& device() const { return device_; }

 private:
  std::vector<std::vector<uint64_t>> host_;
  std::unique_ptr<DeviceArray<uint64_t>> cells_;
  std::vector<std::unique_ptr<DeviceArray<uint64_t>>> arrays_;
  Columns device_{};
};

uint64_t mix(uint64_t hash, uint64_t value) {
  hash = (hash ^ value) * 0x9E3779B97F4A7C15u;
  return hash ^ hash >> 32;
}

std::vector<uint64_t> results_of(const Operation& operation, const Operands& operands) {
  constexpr uint32_t kThreads = 128;
  const auto count = static_cast<uint32_t>(operands.size());
  DeviceArray<uint64_t> results(count);
  operation.run<<<(count + kThreads - 1) / kThreads, kThreads>>>(operands.device(), results.data(),
                                                                 count);
  finish_kernels();
  return results.host();
}

void print_exact(const Operation& operation, const std::vector<uint64_t>& results) {
  uint64_t hash = 0;
  for (const uint64_t result : results) hash = mix(hash, result);
  std::printf("{\"name\": \"%s\", \"operands\": %zu, \"hash\": \"%016llx\"}\n", operation.name,
              results.size(), static_cast<unsigned long long>(hash));
}

void print_approximate(const Operation& operation, const Operands& operands,
                       const std::vector<uint64_t>& results) {
  const Approximate numbers(operation.name);
  std::vector<double> worst(numbers.measures().size());
  uint64_t special = 0;
  for (size_t i = 0; i < results.size(); ++i) {
    const double a = numbers.number(operands.host()[0][i]);
    const double b = operation.arity > 1 ? numbers.number(operands.host()[1][i]) : 1;
    if (numbers.is_special(a, b)) special = mix(special, results[i]);
    for (size_t m = 0; m < worst.size() && !numbers.is_special(a, b); ++m) {
      const Approximation& measure = numbers.measures()[m];
      if (measure.in_range(a, b))
        worst[m] = std::max(worst[m], numbers.error(measure, a, b, numbers.number(results[i])));
    }
  }
  std::printf("{\"name\": \"%s\", \"operands\": %zu, \"special\": \"%016llx\", \"errors\": [",
              operation.name, results.size(), static_cast<unsigned long long>(special));
  for (size_t m = 0; m < worst.size(); ++m) std::printf("%s%.4g", m == 0 ? "" : ", ", worst[m]);
  std::printf("]}\n");
}

void show(const Operation& operation, const Operands& operands,
          const std::vector<uint64_t>& results) {
  for (size_t i = 0; i < results.size(); ++i) {
    for (size_t k = 0; k < operation.arity; ++k) {
      if (operation.operand[k] != Kind::kCell)
        std::printf("%llx ", static_cast<unsigned long long>(operands.host()[k][i]));
    }
    std::printf("-> %llx\n", static_cast<unsigned long long>(results[i]));
  }
}

}  // namespace

int main(int argc, char** argv) {
  const char* shown = argc == 3 && std::strcmp(argv[1], "--show") == 0 ? argv[2] : nullptr;
  if (argc != 1 && shown == nullptr) {
    std::fprintf(stderr, "usage: differential [--show OPERATION]\n");
    return 2;
  }
  std::map<std::vector<Kind>, std::unique_ptr<Operands>> operands;
  bool found = shown == nullptr;
  for (const Operation& operation : kOperations) {
    if (shown != nullptr && std::string_view(shown) != operation.name) continue;
    found = true;
    std::unique_ptr<Operands>& own = operands[operation.kinds()];
    if (own == nullptr) own = std::make_unique<Operands>(operation.kinds());
    const std::vector<uint64_t> results = results_of(operation, *own);
    if (shown != nullptr) {
      show(operation, *own, results);
    } else if (operation.approximate) {
      print_approximate(operation, *own, results);
    } else {
      print_exact(operation, results);
    }
  }
  if (!found) std::fprintf(stderr, "differential: no operation is called %s\n", shown);
  return found ? 0 : 1;
}
