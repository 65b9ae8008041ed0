// Occupancy as an H200 and Nsight Compute gave it, number by number.
#include "machine/occupancy.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

namespace vgpu {
namespace {

using nlohmann::json;

const json& kernels() {
  static const json kDocument = json::parse(std::ifstream(RECORD));
  return kDocument.at("kernels");
}

TEST(Occupancy, HoldsAsManyBlocksAsAnH200) {
  ASSERT_GE(kernels().size(), 40u);
  for (const json& kernel : kernels()) {
    SCOPED_TRACE(kernel["kernel"].get<std::string>());
    const std::vector<int> blocks = kernel["by_threads"];
    ASSERT_EQ(blocks.size(), 32u);
    for (int i = 0; i < 32; ++i)
      EXPECT_EQ(
          occupancy({}, 32 * (i + 1), kernel["registers"], kernel["shared_static_bytes"]).blocks,
          blocks[static_cast<size_t>(i)])
          << 32 * (i + 1) << " threads";
  }
}

TEST(Occupancy, IsLimitedBySharedMemoryAtTheSameByte) {
  const GpuProfile profile;
  for (const json& kernel : kernels()) {
    SCOPED_TRACE(kernel["kernel"].get<std::string>());
    const int registers = kernel["registers"];
    const size_t fixed = kernel["shared_static_bytes"];
    const auto fits = [&](size_t dynamic) {
      return occupancy(profile, 33, registers, fixed + dynamic).blocks;
    };
    int blocks = 0;
    for (const size_t dynamic : kernel["dynamic_for_blocks"].get<std::vector<size_t>>()) {
      ++blocks;
      EXPECT_GE(fits(dynamic), blocks) << dynamic << " bytes";
      if (fixed + dynamic < profile.shared_per_block_optin) {
        EXPECT_LT(fits(dynamic + 1), blocks) << dynamic + 1 << " bytes";
      }
    }
    EXPECT_EQ(blocks, fits(0));
  }
}

// The program launches blocks of 96 threads with 100 bytes of dynamic shared memory. How much of a
// multiprocessor's memory is shared memory is chosen for each launch, so the record says it.
TEST(Occupancy, IsLimitedByWhatNsightComputeNames) {
  for (const json& kernel : kernels()) {
    SCOPED_TRACE(kernel["kernel"].get<std::string>());
    const json& launch = kernel["launch"];
    GpuProfile profile;
    profile.shared_per_multiprocessor = launch["shared_of_multiprocessor_bytes"];
    const size_t shared = kernel["shared_static_bytes"].get<size_t>() + 100;
    const Occupancy found = occupancy(profile, 96, launch["registers"], shared);
    EXPECT_EQ(found.by_registers, launch["blocks_by_registers"]);
    EXPECT_EQ(found.by_shared_memory, launch["blocks_by_shared_memory"]);
    EXPECT_EQ(found.by_warps, launch["blocks_by_warps"]);
    EXPECT_EQ(found.by_blocks, launch["blocks_by_blocks"]);
  }
}

TEST(Occupancy, IsNotLimitedBySharedMemoryThatNobodyUses) {
  GpuProfile profile;
  profile.reserved_shared_per_block = 0;
  EXPECT_EQ(occupancy(profile, 1024, 32, 0).blocks, 2);
}

TEST(Occupancy, IsTheFractionOfResidentWarps) {
  EXPECT_EQ(occupancy({}, 1024, 32, 0).fraction, 1.0);
  EXPECT_EQ(occupancy({}, 1, 32, 0).fraction, 0.5);     // 32 blocks of one warp, of 64
  EXPECT_EQ(occupancy({}, 1024, 68, 0).fraction, 0.0);  // a real GPU refuses the launch
}

}  // namespace
}  // namespace vgpu
