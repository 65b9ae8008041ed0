// What is read from ptxas, and what happens when it is not there, refuses or writes something else.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "ptxas/assembly.hpp"
#include "ptxas/program.hpp"

namespace vgpu::ptxas {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr char kOutput[] = R"(ptxas info    : 0 bytes gmem
ptxas info    : Compiling entry function '_Z1aPf' for 'sm_90'
ptxas info    : Function properties for _Z1aPf
    1440 bytes stack frame, 2068 bytes spill stores, 2760 bytes spill loads
ptxas info    : Used 32 registers, used 1 barriers, 1440 bytes cumulative stack size, 1200 bytes smem
ptxas info    : Compile time = 34.789 ms
ptxas warning : something else
ptxas info    : Compiling entry function '_Z1bv' for 'sm_90a'
ptxas info    : Function properties for _Z1bv
    0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
ptxas info    : Used 8 registers, used 0 barriers
ptxas info    : Function properties for _Z6helperv
    16 bytes stack frame, 12 bytes spill stores, 12 bytes spill loads
)";

TEST(PtxasOutput, SaysRegistersStackAndSpills) {
  const Resources kernels = parse_output(kOutput);
  ASSERT_EQ(kernels.size(), 2u);
  const KernelResources& a = kernels.at("_Z1aPf");
  EXPECT_EQ(a.registers, 32);
  EXPECT_EQ(a.stack_bytes, 1440u);
  EXPECT_EQ(a.spill_store_bytes, 2068u);
  EXPECT_EQ(a.spill_load_bytes, 2760u);
  const KernelResources& b = kernels.at("_Z1bv");
  EXPECT_EQ(b.registers, 8);
  EXPECT_EQ(b.stack_bytes, 0u);  // those of the helper are not the kernel's
}

TEST(PtxasOutput, IsRefusedWhenALineIsMissing) {
  const std::string all = kOutput;
  for (const char* part : {"Used 32 registers", "1440 bytes stack frame", "Function properties"}) {
    std::string cut = all;
    cut.replace(cut.find(part), 4, "????");
    EXPECT_THROW(parse_output(cut), PtxasError) << part;
  }
  EXPECT_THAT(parse_output("ptxas info    : 0 bytes gmem\n"), IsEmpty());
}

/// A folder with scripts in place of ptxas, and a cache of its own.
class PtxasAssembly : public testing::Test {
 protected:
  PtxasAssembly() {
    fs::create_directories(folder_);
    setenv("XDG_CACHE_HOME", (folder_ / "cache").c_str(), 1);
  }
  ~PtxasAssembly() override {
    fs::remove_all(folder_);
    unsetenv("VGPU_PTXAS");
    unsetenv("XDG_CACHE_HOME");
  }

  /// The script counts its runs, keeps its input and writes `output` to standard error.
  void use(const std::string& output, int exit_code = 0, const std::string& version = "1") {
    const fs::path script = folder_ / "ptxas";
    fs::remove(script);
    std::ofstream(folder_ / "output") << output;
    std::ofstream(script) << "#!/bin/sh\ncd '" << folder_.string() << "'\n"
                          << "if [ $1 = --version ]; then echo " << version << "; exit; fi\n"
                          << "echo \"$@\" >>runs; cat >input; cat output >&2; exit " << exit_code;
    chmod(script.c_str(), 0755);
    setenv("VGPU_PTXAS", script.c_str(), 1);
  }
  std::string file(const char* name) const {
    std::ifstream stream(folder_ / name);
    return {std::istreambuf_iterator<char>(stream), {}};
  }
  long runs() const {
    const std::string lines = file("runs");
    return std::count(lines.begin(), lines.end(), '\n');
  }

  const fs::path folder_ = fs::temp_directory_path() / ("ptxas_test." + std::to_string(getpid()));
};

TEST_F(PtxasAssembly, RunsPtxasOnceForAllKernels) {
  use(kOutput);
  const std::string ptx(1 << 20, 'x');  // more than a pipe holds
  Assembly assembly(ptx, "sm_90");
  EXPECT_EQ(runs(), 0);  // not before the first question
  ASSERT_NE(assembly.find("_Z1aPf"), nullptr);
  EXPECT_EQ(assembly.find("_Z1aPf")->registers, 32);
  EXPECT_EQ(assembly.find("_Z1bv")->registers, 8);
  EXPECT_EQ(assembly.complaint(), "");
  EXPECT_EQ(file("runs"), "-v --gpu-name sm_90 -o /dev/null /proc/self/fd/0\n");
  EXPECT_EQ(file("input"), ptx);
}

TEST_F(PtxasAssembly, RemembersInTheCacheFolder) {
  use(kOutput);
  const auto ask = [](const char* ptx, const char* gpu) {
    const KernelResources* found = Assembly(ptx, gpu).find("_Z1bv");
    return found != nullptr ? found->registers : -1;
  };
  EXPECT_EQ(ask("ptx", "sm_90"), 8);
  EXPECT_EQ(ask("ptx", "sm_90"), 8);
  EXPECT_EQ(runs(), 1);
  ask("other ptx", "sm_90");
  ask("ptx", "sm_80");
  EXPECT_EQ(runs(), 3);
  use(kOutput, 0, "2");
  ask("ptx", "sm_90");
  EXPECT_EQ(runs(), 4);
  for (const auto& entry : fs::recursive_directory_iterator(folder_ / "cache"))
    if (entry.is_regular_file()) std::ofstream(entry.path()) << std::string(kOutput).substr(0, 200);
  EXPECT_EQ(ask("ptx", "sm_90"), 8);  // a damaged entry is made again
  EXPECT_EQ(runs(), 5);
}

TEST_F(PtxasAssembly, NeedsNoCacheFolder) {
  use(kOutput);
  setenv("XDG_CACHE_HOME", "/dev/null/nowhere", 1);
  for (int i = 0; i < 2; ++i) EXPECT_NE(Assembly("ptx", "sm_90").find("_Z1bv"), nullptr);
  EXPECT_EQ(runs(), 2);
}

TEST_F(PtxasAssembly, SaysWhyNothingIsKnown) {
  const auto complaint = [] {
    Assembly assembly("ptx", "sm_90");
    EXPECT_EQ(assembly.find("_Z1bv"), nullptr);
    return assembly.complaint();
  };
  use("ptxas -, line 1; fatal   : Missing .version directive\nmore\n", 255);
  EXPECT_THAT(complaint(), HasSubstr("Missing .version directive"));
  EXPECT_THAT(complaint(), testing::Not(HasSubstr("\n")));
  EXPECT_EQ(runs(), 2);  // failures are not remembered
  use("ptxas info    : Compiling entry function '_Z1bv' for 'sm_90'\n");
  EXPECT_THAT(complaint(), HasSubstr("_Z1bv"));
  use("ptxas info    : Compiling entry function '_Z1cv' for 'sm_90'\n"
      "ptxas info    : Function properties for _Z1cv\n"
      "    0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads\n"
      "ptxas info    : Used 8 registers\n");
  EXPECT_THAT(complaint(), HasSubstr("does not know the kernel `_Z1bv`"));
  setenv("VGPU_PTXAS", "/no/such/ptxas", 1);
  EXPECT_EQ(complaint(), "VGPU_PTXAS=/no/such/ptxas is not a program");
  setenv("VGPU_PTXAS", "none", 1);
  EXPECT_EQ(complaint(), "");
}

}  // namespace
}  // namespace vgpu::ptxas
