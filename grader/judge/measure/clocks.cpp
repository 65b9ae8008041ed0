#include "measure/clocks.hpp"

#include <dlfcn.h>

#include <charconv>
#include <cstdlib>
#include <string_view>
#include <utility>

namespace flashlab::judge {
namespace {

// The part of NVML's interface (nvml.h) that is used; its library is there on machines with a
// driver only.
constexpr int kSuccess = 0;
constexpr unsigned kClockSm = 1;

constexpr std::pair<unsigned long long, const char*> kReasons[] = {
    {0x002, "application clocks"}, {0x004, "power cap"},        {0x008, "hardware slowdown"},
    {0x010, "sync boost"},         {0x020, "software thermal"}, {0x040, "hardware thermal"},
    {0x080, "power brake"},        {0x100, "display clocks"}};

template <class Function>
Function find(void* library, const char* name) {
  return reinterpret_cast<Function>(dlsym(library, name));
}

/// The GPU that CUDA calls device 0, by index or by its UUID.
void* find_device(void* library) {
  void* device = nullptr;
  const char* visible = std::getenv("CUDA_VISIBLE_DEVICES");
  std::string_view first = visible != nullptr ? visible : "0";
  first = first.substr(0, first.find(','));
  if (first.starts_with("GPU-")) {
    const auto by_uuid = find<int (*)(const char*, void**)>(library, "nvmlDeviceGetHandleByUUID");
    const std::string uuid(first);
    return by_uuid != nullptr && by_uuid(uuid.c_str(), &device) == kSuccess ? device : nullptr;
  }
  unsigned index = 0;
  std::from_chars(first.data(), first.data() + first.size(), index);
  const auto by_index = find<int (*)(unsigned, void**)>(library, "nvmlDeviceGetHandleByIndex_v2");
  return by_index != nullptr && by_index(index, &device) == kSuccess ? device : nullptr;
}

}  // namespace

Clocks::Clocks() : library_(dlopen("libnvidia-ml.so.1", RTLD_NOW | RTLD_LOCAL)) {
  if (library_ == nullptr) return;
  const auto init = find<int (*)()>(library_, "nvmlInit_v2");
  if (init != nullptr && init() == kSuccess) device_ = find_device(library_);
}

Clocks::~Clocks() {
  if (library_ == nullptr) return;
  if (const auto shutdown = find<int (*)()>(library_, "nvmlShutdown")) shutdown();
  dlclose(library_);
}

void Clocks::sample() {
  if (device_ == nullptr) return;
  const auto clock = find<int (*)(void*, unsigned, unsigned*)>(library_, "nvmlDeviceGetClockInfo");
  const auto why = find<int (*)(void*, unsigned long long*)>(
      library_, "nvmlDeviceGetCurrentClocksThrottleReasons");
  unsigned mhz = 0;
  if (clock != nullptr && clock(device_, kClockSm, &mhz) == kSuccess) sm_mhz_.push_back(mhz);
  unsigned long long bits = 0;
  if (why == nullptr || why(device_, &bits) != kSuccess) return;
  for (const auto& [bit, reason] : kReasons) {
    if ((bits & bit) != 0) reasons_.insert(reason);
  }
}

}  // namespace flashlab::judge
