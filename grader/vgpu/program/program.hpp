// ptx::Module -> decoded kernels, ready to run on a Device.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "machine/device.hpp"
#include "machine/kernel.hpp"
#include "program/error.hpp"
#include "ptx/module.hpp"

namespace vgpu {

/// A module loaded on a device: its variables have addresses, its kernels are decoded on first use.
class Program {
 public:
  /// Allocates and initialises the module's variables in device memory (not counted as the
  /// program's own memory).
  /// Throws std::bad_alloc when they do not fit, ProgramError for names that no PTX has.
  Program(Device& device, ptx::Module module);
  ~Program();

  struct Symbol {
    void* address = nullptr;  ///< nullptr: no such variable
    size_t size = 0;          ///< bytes
  };
  Symbol symbol(std::string_view name) const;

  /// Decoded kernel by mangled name; nullptr when the module has none of that name. The pointer
  /// stays valid as long as the Program. An instruction that is not supported does not fail here
  /// but when it is reached. Throws ProgramError for a kernel that cannot be.
  const Kernel* kernel(std::string_view mangled_name);

  const ptx::Module& module() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace vgpu
