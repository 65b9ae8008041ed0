// The device code that the program's objects register at start-up, loaded when it is first used.
#pragma once

#include <driver_types.h>

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "program/program.hpp"
#include "ptxas/assembly.hpp"

namespace vgpu::cudart {

class Runtime;

/// One registered fatbin: what nvcc embedded in one object file, or in those that -rdc=true links
/// together. Its address is the handle that the program keeps.
struct Module {
  std::vector<const void*> images;   ///< the fatbin containers, one for each object file
  std::unique_ptr<Program> program;  ///< after the first use
  std::shared_ptr<ptxas::Assembly>
      assembly;                          ///< after the first use; launch records outlive the module
  cudaError_t load_error = cudaSuccess;  ///< why it could not be loaded, said once
  std::map<std::string, void**>
      managed;  ///< `__managed__` variables: name -> the pointer that host code reads
};

/// A `__device__`, `__constant__` or `__managed__` variable.
struct RegisteredVariable {
  Module* module = nullptr;
  std::string name;
};

}  // namespace vgpu::cudart

/// A kernel as the host names it. cudaKernel_t and cudaFunction_t handles point to it.
struct CUkern_st {
  vgpu::cudart::Module* module = nullptr;
  std::string name;                         ///< mangled
  std::optional<int> max_dynamic_shared{};  ///< bytes, when the program has set the attribute
};

namespace vgpu::cudart {

class Registry {
 public:
  Module* add_module(std::vector<const void*> images);
  void remove_module(Runtime& runtime, Module* module);
  void add_function(Module* module, const void* host, std::string name);
  void add_variable(Module* module, const void* host, std::string name);

  /// The kernel of a host stub's address or of a handle. nullptr when it is neither.
  CUkern_st* function(const void* host_or_handle) const;

  /// The decoded kernel. Throws ApiError: no PTX in the object, PTX that does not parse, no such
  /// kernel.
  const Kernel& kernel(Runtime& runtime, const CUkern_st& function);

  /// Address and size of a variable from the address of its host shadow. Throws ApiError.
  Program::Symbol symbol(Runtime& runtime, const void* host);

  /// Loads the module's program, and gives `__managed__` variables their addresses. Throws
  /// ApiError.
  Program& load(Runtime& runtime, Module& module);

  /// Drops the loaded programs; the registrations stay, and the next use loads them again.
  void unload_all();

 private:
  std::unordered_map<Module*, std::unique_ptr<Module>> modules_;
  std::unordered_map<CUkern_st*, std::unique_ptr<CUkern_st>> functions_;
  std::unordered_map<const void*, CUkern_st*> by_host_;
  std::unordered_map<const void*, RegisteredVariable> variables_;
};

}  // namespace vgpu::cudart
