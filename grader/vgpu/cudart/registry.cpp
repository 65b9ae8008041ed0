#include "cudart/registry.hpp"

#include <link.h>

#include "cudart/runtime.hpp"
#include "fatbin/fatbin.hpp"
#include "program/link.hpp"
#include "ptx/parser.hpp"

namespace vgpu::cudart {
namespace {

/// How many bytes follow `image` in the loaded file that it is part of; a damaged image must not
/// lead beyond them. An image that is in no file ends nowhere.
size_t readable_bytes(const void* image) {
  struct Search {
    uintptr_t wanted;
    size_t found = SIZE_MAX;
  } search{reinterpret_cast<uintptr_t>(image)};
  dl_iterate_phdr(
      [](dl_phdr_info* object, size_t, void* data) {
        auto& result = *static_cast<Search*>(data);
        for (int i = 0; i < object->dlpi_phnum; ++i) {
          const auto& segment = object->dlpi_phdr[i];
          const uintptr_t offset = result.wanted - object->dlpi_addr - segment.p_vaddr;
          if (segment.p_type != PT_LOAD || offset >= segment.p_memsz) continue;
          result.found = segment.p_memsz - offset;
          return 1;
        }
        return 0;
      },
      &search);
  return search.found;
}

// As an H200 answers (tests/vgpu/cudart/conformance/h200/images.txt).
cudaError_t error_code(fatbin::Refusal refusal) {
  switch (refusal) {
    case fatbin::Refusal::Malformed:
      return cudaErrorInvalidKernelImage;
    case fatbin::Refusal::Compressed:
      return cudaErrorUnknown;
    case fatbin::Refusal::Unusable:
      break;
  }
  return cudaErrorNoKernelImageForDevice;
}

/// The PTX of each object file. One that has none is left out when others have some: NVIDIA's own
/// (libcudadevrt) holds little but machine code, and link() names what is missed.
std::vector<std::string> select_ptx(const std::vector<const void*>& images, uint32_t arch) {
  std::vector<std::string> texts;
  std::optional<fatbin::FatbinError> unusable;
  for (const void* image : images) {
    try {
      texts.push_back(fatbin::select_ptx(fatbin::read(image, readable_bytes(image)), arch));
    } catch (const fatbin::FatbinError& error) {
      if (error.refusal != fatbin::Refusal::Unusable) throw;
      if (!unusable) unusable = error;
    }
  }
  if (texts.empty()) throw unusable.value();
  return texts;
}

/// What ptxas says about one text is true of the program. Of several, nvlink adds up what their
/// functions need, and ptxas cannot.
std::shared_ptr<ptxas::Assembly> assembly(std::vector<std::string> texts, uint32_t arch) {
  if (texts.size() == 1)
    return std::make_shared<ptxas::Assembly>(std::move(texts.front()),
                                             "sm_" + std::to_string(arch));
  return std::make_shared<ptxas::Assembly>(
      "ptxas cannot tell the registers of objects that are linked together (-rdc=true)");
}

}  // namespace

Module* Registry::add_module(std::vector<const void*> images) {
  auto module = std::make_unique<Module>();
  module->images = std::move(images);
  Module* handle = module.get();
  modules_.emplace(handle, std::move(module));
  return handle;
}

void Registry::remove_module(Runtime& runtime, Module* module) {
  if (!modules_.contains(module)) return;
  for (auto& [name, host_pointer] : module->managed) runtime.pointers.remove(*host_pointer);
  std::erase_if(by_host_, [&](const auto& entry) { return entry.second->module == module; });
  std::erase_if(functions_, [&](const auto& entry) { return entry.first->module == module; });
  std::erase_if(variables_, [&](const auto& entry) { return entry.second.module == module; });
  modules_.erase(module);
}

void Registry::add_function(Module* module, const void* host, std::string name) {
  auto function = std::make_unique<CUkern_st>();
  function->module = module;
  function->name = std::move(name);
  by_host_[host] = function.get();
  functions_.emplace(function.get(), std::move(function));
}

void Registry::add_variable(Module* module, const void* host, std::string name) {
  variables_[host] = {module, std::move(name)};
}

CUkern_st* Registry::function(const void* host_or_handle) const {
  if (auto found = by_host_.find(host_or_handle); found != by_host_.end()) return found->second;
  auto* handle = static_cast<CUkern_st*>(const_cast<void*>(host_or_handle));
  return functions_.contains(handle) ? handle : nullptr;
}

const Kernel& Registry::kernel(Runtime& runtime, const CUkern_st& function) {
  try {
    const Kernel* kernel = load(runtime, *function.module).kernel(function.name);
    if (kernel != nullptr) return *kernel;
  } catch (const ProgramError& error) {
    fail(cudaErrorInvalidPtx, error.what());
  }
  fail(cudaErrorSymbolNotFound, "the embedded PTX has no kernel `" + function.name + "`");
}

Program::Symbol Registry::symbol(Runtime& runtime, const void* host) {
  auto found = variables_.find(host);
  if (found == variables_.end())
    fail(cudaErrorInvalidSymbol,
         "the symbol is not a __device__, __constant__ or __managed__ variable of this program");
  const RegisteredVariable& variable = found->second;
  Program::Symbol symbol = load(runtime, *variable.module).symbol(variable.name);
  if (symbol.address == nullptr)
    fail(cudaErrorInvalidSymbol, "the embedded PTX has no variable `" + variable.name + "`");
  return symbol;
}

Program& Registry::load(Runtime& runtime, Module& module) {
  if (module.load_error != cudaSuccess) throw ApiError(module.load_error, "");
  if (module.program) return *module.program;
  const GpuProfile& profile = runtime.device().profile();
  auto refuse = [&](cudaError_t code, const std::string& why) {
    module.load_error = code;
    fail(code, why);
  };
  try {
    auto arch = static_cast<uint32_t>(profile.compute_major * 10 + profile.compute_minor);
    std::vector<std::string> texts = select_ptx(module.images, arch);
    std::vector<ptx::Module> parsed;
    for (const std::string& text : texts) parsed.push_back(ptx::parse(text));
    module.program = std::make_unique<Program>(runtime.device(), link(std::move(parsed)));
    if (module.assembly == nullptr) module.assembly = assembly(std::move(texts), arch);
  } catch (const fatbin::FatbinError& error) {
    refuse(error_code(error.refusal), error.what());
  } catch (const ProgramError& error) {
    refuse(cudaErrorInvalidPtx, error.what());
  } catch (const ptx::ParseError& error) {
    refuse(cudaErrorInvalidPtx,
           "line " + std::to_string(error.line) + " of the embedded PTX: " + error.what());
  }
  for (auto& [name, host_pointer] : module.managed) {
    Program::Symbol symbol = module.program->symbol(name);
    *host_pointer = symbol.address;
    if (symbol.address != nullptr)
      runtime.pointers.add(symbol.address, symbol.size, MemoryKind::Managed, 0);
  }
  return *module.program;
}

void Registry::unload_all() {
  for (auto& [handle, module] : modules_) module->program.reset();
}

}  // namespace vgpu::cudart
