// Finds runs of instructions that isa/fused.cpp can execute as one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "ptx/module.hpp"

namespace vgpu {

/// A run of loads from shared memory at one base and the multiply-adds that use up what they load.
struct FusibleRun {
  struct Step {
    int64_t offset = 0;  ///< of the shared factor, relative to the base
    int x = -1, c = -1,
        d = -1;  ///< registers: d = x * shared + c, or with y: d = y * c + (x * shared)
    int y = -1;
  };
  size_t length = 0;  ///< instructions; 0: no run here
  const ptx::Operand* base = nullptr;
  std::vector<Step> steps;
};

/// Bytes of an address's offset that a run takes: what lies around it stays within 32 bits.
inline constexpr int64_t kFarthestOffset = int64_t{1} << 30;

/// How often each register is written and read in a function.
struct RegisterTraffic {
  explicit RegisterTraffic(const ptx::Function& function);
  std::vector<uint32_t> writes, reads;

  /// One instruction writes register `r` and one reads it.
  bool is_read_once(int r) const {
    return writes[static_cast<size_t>(r)] == 1 && reads[static_cast<size_t>(r)] == 1;
  }
  /// A single register of 32 bits.
  bool is_word(const ptx::Operand& operand) const;

 private:
  std::vector<bool> is_word_;
};

/// The longest run that starts at instruction `first` and ends before `last`. Values that the run
/// loads are used nowhere else, so nothing is lost when they are never written to registers.
FusibleRun find_run(const ptx::Function& function, size_t first, size_t last,
                    const RegisterTraffic& traffic);

/// The bytes that a run reads, as spans without gaps: their number, then offset and length of each.
std::vector<uint32_t> spans_of(const FusibleRun& run);

}  // namespace vgpu
