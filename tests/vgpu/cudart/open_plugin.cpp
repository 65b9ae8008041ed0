// A program without CUDA that opens plugin.so, calls it from two threads, closes it and opens it
// again.
#include <dlfcn.h>

#include <cstdio>
#include <thread>
#include <vector>

#include "vgpu/vgpu.h"

static int fail(const char* what) {
  const char* why = dlerror();
  std::fprintf(stderr, "%s: %s\n", what, why ? why : "");
  return 1;
}

int main(int, char** argv) {
  for (int round = 0; round < 3; ++round) {
    void* plugin = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
    if (plugin == nullptr) return fail("dlopen");
    auto count_calls = reinterpret_cast<int (*)()>(dlsym(plugin, "count_calls"));
    if (count_calls == nullptr) return fail("dlsym");
    std::vector<std::thread> threads;
    for (int i = 0; i < 2; ++i) threads.emplace_back([&] { count_calls(); });
    for (std::thread& thread : threads) thread.join();
    std::printf("round %d: %d\n", round, count_calls());

    auto reset = reinterpret_cast<decltype(&vgpuReset)>(dlsym(plugin, "vgpuReset"));
    if (reset == nullptr) return fail("vgpuReset");
    if (round == 1) reset();
    auto report = reinterpret_cast<decltype(&vgpuReport)>(dlsym(plugin, "vgpuReport"));
    if (report == nullptr) return fail("vgpuReport");
    std::vector<char> text(report(nullptr, 0) + 1);
    report(text.data(), text.size());
    if (round == 2) std::printf("report %s\n", text.data());
    if (dlclose(plugin) != 0) return fail("dlclose");
  }
}
