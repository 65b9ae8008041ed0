// Finds runs of instructions that isa/fused_global.cpp can execute as one.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "program/fuse.hpp"
#include "ptx/module.hpp"

namespace vgpu {

/// A run of loads from global memory at one or two bases and the multiply-adds that use up what
/// they load.
struct GlobalRun {
  struct Load {
    size_t instruction = 0;
    uint32_t base = 0;
    int32_t offset = 0;  ///< bytes from the base
    int32_t size = 4;    ///< bytes of a lane
  };
  /// What is multiplied: a register, or 4 bytes that were loaded.
  struct Factor {
    int reg = -1;  ///< -1: loaded
    uint32_t base = 0;
    int32_t offset = 0;
  };
  struct Step {
    Factor a, b;
    int c = -1, d = -1;  ///< registers: d = a * b + c
  };
  static constexpr uint32_t kBases = 2;

  size_t length = 0;  ///< instructions; 0: no run here
  std::array<const ptx::Operand*, kBases> bases{};
  std::vector<Load> loads;
  std::vector<Step> steps;
};

/// The longest run that starts at instruction `first` and ends before `last`. Values that the run
/// loads are used nowhere else, so nothing is lost when they are never written to registers.
GlobalRun find_global_run(const ptx::Function& function, size_t first, size_t last,
                          const RegisterTraffic& traffic);

}  // namespace vgpu
