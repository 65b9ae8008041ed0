// What `vgpu run` says about a program before it starts it. (Real programs:
// tests/vgpu/cudart/command_check.py.)
#include "tool/elf_file.hpp"

#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace vgpu::tool {
namespace {

using testing::HasSubstr;

std::string refusal(const ElfFacts& facts) {
  try {
    require_runnable("prog", facts);
  } catch (const ProgramError& error) {
    return error.what();
  }
  return "runs";
}

std::string reading(const std::string& bytes) {
  // Tests run side by side, each in a process of its own.
  auto path = std::filesystem::temp_directory_path() / ("vgpu_elf_" + std::to_string(getpid()));
  std::ofstream(path, std::ios::binary) << bytes;
  std::string answer = "read";
  try {
    read_elf(path);
  } catch (const ProgramError& error) {
    answer = error.what();
  }
  std::filesystem::remove(path);
  return answer;
}

std::string own_bytes() {
  std::ifstream self("/proc/self/exe", std::ios::binary);
  return {std::istreambuf_iterator<char>(self), {}};
}

TEST(Runnable, AcceptsTheSharedRuntimeAndProgramsWithoutCuda) {
  EXPECT_EQ(refusal({{"libc.so.6", "libcudart.so.13"}, "", true}), "runs");
  EXPECT_EQ(refusal({{"libcudart.so.12"}, "", true}), "runs");
  EXPECT_EQ(refusal({{"libc.so.6"}, "", false}), "runs");
}

TEST(Runnable, NamesTheFlagThatIsMissing) {
  EXPECT_THAT(refusal({{"libc.so.6"}, "", true}), HasSubstr("-cudart shared"));
  EXPECT_THAT(refusal({{"libcudart.so.11.0"}, "", true}), HasSubstr("nvcc 12 or 13"));
  EXPECT_THAT(refusal({{"libcudart.so.13"}, "/opt/cuda", true}), HasSubstr("/opt/cuda"));
}

TEST(ReadElf, ReadsThisTest) {
  ElfFacts facts = read_elf("/proc/self/exe");
  EXPECT_THAT(facts.needed, testing::Contains("libc.so.6"));
  EXPECT_FALSE(facts.has_device_code);
}

TEST(ReadElf, RefusesWhatIsNoElfFile) {
  EXPECT_THAT(reading(""), HasSubstr("not an ELF"));
  EXPECT_THAT(reading("#!/bin/sh\n"), HasSubstr("not an ELF"));
  EXPECT_THAT(reading(std::string("\x7f") + "ELF\x01\x01" + std::string(20, '\0')),
              HasSubstr("64-bit"));
}

TEST(ReadElf, SaysSoWhenTheFileIsCut) {
  std::string bytes = own_bytes();
  for (size_t length : {size_t{16}, size_t{63}, size_t{64}, bytes.size() / 2, bytes.size() - 1})
    EXPECT_THAT(reading(bytes.substr(0, length)), HasSubstr("damaged")) << length;
}

TEST(ReadElf, SurvivesAnyDamagedByteOfTheHeader) {
  std::string bytes = own_bytes();
  for (size_t i = 0; i < 64; ++i)
    for (char value : {'\xff', '\x7f'}) {
      std::string damaged = bytes;
      damaged[i] = value;
      reading(damaged);  // an answer or an error, never a crash
    }
}

}  // namespace
}  // namespace vgpu::tool
