// PTX -> decoded kernels, which then run: one block of a warp, all arguments the address of a small
// buffer. Each `.version` begins another object, and the objects are linked.
#include "program/program.hpp"

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

#include "machine/counts.hpp"
#include "machine/device.hpp"
#include "program/link.hpp"
#include "ptx/parser.hpp"
#include "target.hpp"

namespace {

using vgpu::Kernel;

constexpr size_t kBufferBytes = 4096;

vgpu::Device& device() {
  static vgpu::Device gpu = [] {
    vgpu::GpuProfile profile;
    profile.global_memory = size_t{1} << 20;
    vgpu::DeviceOptions options;
    options.threads = 1;
    options.timeout_seconds = 0.01;
    return vgpu::Device(profile, options);
  }();
  return gpu;
}

vgpu::ptx::Module linked(std::string_view text) {
  std::vector<vgpu::ptx::Module> objects;
  while (!text.empty() || objects.empty()) {
    const size_t end = std::min(text.find(".version", text.find(".version") + 1), text.size());
    objects.push_back(vgpu::ptx::parse(text.substr(0, end)));
    text.remove_prefix(end);
  }
  return vgpu::link(std::move(objects));
}

void run(const Kernel& kernel, void* buffer) {
  vgpu::Launch launch;
  launch.kernel = &kernel;
  launch.block = {32, 1, 1};
  std::vector<std::vector<void*>> values;
  std::vector<const void*> arguments;
  for (const vgpu::KernelParam& param : kernel.params) {
    values.emplace_back(param.size / sizeof(void*) + 1, buffer);
    arguments.push_back(values.back().data());
  }
  launch.arguments = arguments.data();
  device().run(launch);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    vgpu::Program program(device(), linked({reinterpret_cast<const char*>(data), size}));
    for (const vgpu::ptx::Function& function : program.module().functions) {
      const Kernel* kernel = program.kernel(function.name);
      if (kernel == nullptr) continue;
      void* buffer = device().memory().allocate(kBufferBytes);
      try {
        run(*kernel, buffer);
      } catch (const vgpu::Fault&) {  // so is a fault of the program's own
      }
      device().memory().free(buffer);
    }
  } catch (const vgpu::ptx::ParseError&) {  // a refusal is an answer
  } catch (const vgpu::ProgramError&) {
  }
  return 0;
}
