// What nvcc's generated constructors call to register the device code of an object file, and its
// destructors to take it back. (The calls: `crt/host_runtime.h` of the toolkit, and the
// .cudafe1.stub.c of any object kept with -keep.)
#include "cudart/api.hpp"

using namespace vgpu::cudart;

namespace {

/// What `.nvFatBinSegment` holds for each object, or for all that -rdc=true links
/// (`crt/link.stub`).
struct FatbinWrapper {
  int magic, version;
  const void* image;          ///< the container; of linked objects what nvlink made: machine code
  const void* const* linked;  ///< version 2: the containers of the objects, ended by null
};
constexpr int kWrapperMagic = 0x466243B1;
constexpr int kLinkedVersion = 2;

Module* module_of(void** handle) {
  return reinterpret_cast<Module*>(handle);
}

}  // namespace

VGPU_EXPORT void** __cudaRegisterFatBinary(void* wrapper) {
  Runtime& runtime = Runtime::instance();
  std::scoped_lock lock(runtime.mutex);
  const auto* fatbin = static_cast<const FatbinWrapper*>(wrapper);
  std::vector<const void*> images;
  if (fatbin->magic != kWrapperMagic)
    images = {wrapper};
  else if (fatbin->version != kLinkedVersion)
    images = {fatbin->image};
  else
    for (const void* const* image = fatbin->linked; *image != nullptr; ++image)
      images.push_back(*image);
  return reinterpret_cast<void**>(runtime.registry.add_module(std::move(images)));
}

VGPU_EXPORT void __cudaRegisterFatBinaryEnd(void**) {}

VGPU_EXPORT void __cudaUnregisterFatBinary(void** handle) {
  Runtime& runtime = Runtime::instance();
  std::scoped_lock lock(runtime.mutex);
  runtime.registry.remove_module(runtime, module_of(handle));
}

VGPU_EXPORT void __cudaRegisterFunction(void** handle, const char* host_function, char*,
                                        const char* mangled_name, int, uint3*, uint3*, dim3*, dim3*,
                                        int*) {
  Runtime& runtime = Runtime::instance();
  std::scoped_lock lock(runtime.mutex);
  runtime.registry.add_function(module_of(handle), host_function, mangled_name);
}

VGPU_EXPORT void __cudaRegisterVar(void** handle, char* host_variable, char*, const char* name, int,
                                   size_t, int, int) {
  Runtime& runtime = Runtime::instance();
  std::scoped_lock lock(runtime.mutex);
  runtime.registry.add_variable(module_of(handle), host_variable, name);
}

VGPU_EXPORT void __cudaRegisterManagedVar(void** handle, void** host_pointer, char*,
                                          const char* name, int, size_t, int, int) {
  Runtime& runtime = Runtime::instance();
  std::scoped_lock lock(runtime.mutex);
  module_of(handle)->managed[name] = host_pointer;
  runtime.registry.add_variable(module_of(handle), host_pointer, name);
}

/// Called before host code first touches a `__managed__` variable.
VGPU_EXPORT char __cudaInitModule(void** handle) {
  return api_call("__cudaInitModule", Errors::None, [&](Runtime& runtime) {
           runtime.registry.load(runtime, *module_of(handle));
         }) == cudaSuccess;
}
