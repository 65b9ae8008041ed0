#include "program/program.hpp"

#include <cxxabi.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <functional>
#include <mutex>
#include <new>

#include "machine/warp.hpp"
#include "program/decoder.hpp"
#include "program/names.hpp"

namespace vgpu {
namespace {

// Room for recursion: the frames of this many calls of the largest function. It takes memory only
// where it is used.
constexpr size_t kRecursionDepth = 1024;
constexpr size_t kDynamicSharedAlignment = 16;
constexpr size_t kMostParamBytes = 32764;  // as ptxas
// Between shared arrays, under observation. All 32 banks once, so that it changes no bank conflict.
constexpr size_t kSharedRedZone = 128;

size_t round_up(size_t value, size_t to) {
  return (value + to - 1) / to * to;
}

/// `__nv_static_25__8c8e5abc_4_a_cu_c4b21e72__Z4kernPf` -> `_Z4kernPf`: with -rdc=true names that
/// are static in the source have in front what tells the objects apart, with its length.
std::string_view without_object(std::string_view name) {
  constexpr std::string_view kPrefix = "__nv_static_";
  if (!name.starts_with(kPrefix)) return name;
  const char* const end = name.data() + name.size();
  size_t length = 0;
  const auto [object, error] = std::from_chars(name.data() + kPrefix.size(), end, length);
  constexpr size_t kSeparators = 2;  // one on either side of the object
  if (error != std::errc() || static_cast<size_t>(end - object) < kSeparators ||
      static_cast<size_t>(end - object) - kSeparators <= length)
    return name;
  return {object + kSeparators + length, end};
}

std::string demangle(const std::string& name) {
  int status = 0;
  const std::string plain(without_object(name));
  char* text = abi::__cxa_demangle(plain.c_str(), nullptr, nullptr, &status);
  std::string result = status == 0 ? text : plain;
  std::free(text);  // NOLINT: the demangler allocates with malloc
  return result;
}

/// The name of a variable inside a function: "tile" of "f(int)::tile".
std::string plain_name(const std::string& mangled) {
  const std::string name = demangle(mangled);
  const size_t scope = name.rfind("::");
  return scope == name.npos ? name : name.substr(scope + 2);
}

void for_each_name(const ptx::Operand& operand,
                   const std::function<void(const std::string&)>& visit) {
  if (!operand.name.empty()) visit(operand.name);
  for (const ptx::Operand& element : operand.elements) for_each_name(element, visit);
}

}  // namespace

struct Program::Impl {
  Impl(Device& target, ptx::Module source) : device(target), module(std::move(source)) {}

  void load_variables();
  std::unique_ptr<Kernel> decode(const ptx::Function& entry);
  std::vector<const ptx::Function*> reachable(const ptx::Function& entry) const;
  std::vector<const ptx::Function*> pointed_to() const;
  void place_shared(const std::vector<const ptx::Function*>& functions, Kernel& kernel,
                    SymbolTable& symbols) const;
  static void size_frames(const std::vector<const ptx::Function*>& functions, Kernel& kernel);

  Device& device;
  ptx::Module module;
  std::map<std::string, Symbol, std::less<>> symbols;
  std::map<std::string, uint64_t, std::less<>> function_addresses;  // what pointers to them hold
  std::unordered_map<std::string, std::unique_ptr<Kernel>> kernels;
  std::mutex mutex;
};

// --- variables ---
void Program::Impl::load_variables() {
  for (size_t f = 0; f < module.functions.size(); ++f) {
    if (!module.functions[f].is_declaration)
      function_addresses[module.functions[f].name] = kCodeWindow + 16 * f;
  }
  for (const ptx::Variable& v : module.variables) {
    if (v.space != ptx::Space::Global && v.space != ptx::Space::Const) continue;
    const size_t size = std::max<size_t>(v.size(), 1);
    void* address = device.memory().allocate(size, v.name, MemoryUse::Variable);
    if (address == nullptr) throw std::bad_alloc();
    std::memset(address, 0, size);
    std::copy_n(v.initial.begin(), std::min(v.initial.size(), size),
                static_cast<uint8_t*>(address));
    device.memory().note_written(address, size);
    symbols[v.name] = {address, v.size()};
  }
  for (const ptx::Variable& v : module.variables) {
    for (const auto& relocation : v.relocations) {
      const auto to = symbols.find(relocation.symbol);
      const auto function = function_addresses.find(relocation.symbol);
      const auto self = symbols.find(v.name);
      if ((to == symbols.end() && function == function_addresses.end()) || self == symbols.end() ||
          relocation.offset + 8 > self->second.size)
        continue;
      const uint64_t value = (to != symbols.end() ? reinterpret_cast<uint64_t>(to->second.address)
                                                  : function->second) +
                             static_cast<uint64_t>(relocation.addend);
      std::memcpy(static_cast<uint8_t*>(self->second.address) + relocation.offset, &value,
                  sizeof value);
    }
  }
}

// --- kernels ---
bool calls_pointer(const ptx::Instruction& i) {
  return i.opcode == "call" &&
         std::any_of(i.operands.begin(), i.operands.end(), [](const ptx::Operand& operand) {
           return operand.kind == ptx::Operand::Kind::Register;
         });
}

// The functions whose address the module takes, in code or in the initial values of variables.
std::vector<const ptx::Function*> Program::Impl::pointed_to() const {
  std::set<std::string, std::less<>> names;
  for (const ptx::Variable& v : module.variables) {
    for (const auto& relocation : v.relocations) names.insert(relocation.symbol);
  }
  for (const ptx::Function& f : module.functions) {
    for (const ptx::Instruction& i : f.body) {
      if (i.opcode == "call") continue;
      for (const ptx::Operand& operand : i.operands)
        for_each_name(operand, [&](const std::string& name) { names.insert(name); });
    }
  }
  std::vector<const ptx::Function*> found;
  for (const ptx::Function& f : module.functions) {
    if (!f.is_declaration && !f.is_entry && names.count(f.name) != 0) found.push_back(&f);
  }
  return found;
}

// The entry first, then every device function that it may call.
std::vector<const ptx::Function*> Program::Impl::reachable(const ptx::Function& entry) const {
  std::vector<const ptx::Function*> found{&entry};
  const auto add = [&](const ptx::Function* f) {
    if (std::find(found.begin(), found.end(), f) == found.end()) found.push_back(f);
  };
  bool through_pointers = false;
  for (size_t k = 0; k < found.size(); ++k) {
    for (const ptx::Instruction& i : found[k]->body) {
      if (i.opcode != "call") continue;
      if (!through_pointers && calls_pointer(i)) {
        through_pointers = true;
        for (const ptx::Function* f : pointed_to()) add(f);
      }
      for (const ptx::Operand& operand : i.operands) {
        const ptx::Function* callee =
            operand.kind == ptx::Operand::Kind::List ? nullptr : module.find_function(operand.name);
        if (callee == nullptr || callee->is_declaration) continue;
        add(callee);
      }
    }
  }
  return found;
}

// Shared variables that the kernel names get offsets; unsized `extern` arrays all start behind
// them.
void Program::Impl::place_shared(const std::vector<const ptx::Function*>& functions, Kernel& kernel,
                                 SymbolTable& table) const {
  std::vector<const ptx::Variable*> dynamic;
  size_t dynamic_alignment = 1;
  const auto place = [&](const ptx::Variable& v) {
    if (v.space != ptx::Space::Shared || table.shared.count(v.name) != 0) return;
    if (v.count == 0) {
      dynamic.push_back(&v);
      dynamic_alignment = std::max({dynamic_alignment, v.alignment, kDynamicSharedAlignment});
      return;
    }
    kernel.static_shared = round_up(kernel.static_shared, std::max<size_t>(v.alignment, 1));
    const auto offset = static_cast<uint32_t>(kernel.static_shared + kernel.shared_padding);
    table.shared[v.name] = offset;
    kernel.shared_arrays.push_back({plain_name(v.name), offset, static_cast<uint32_t>(v.size())});
    kernel.static_shared += v.size();
    const size_t most = device.profile().shared_per_block;
    if (kernel.static_shared > most)
      throw ProgramError("kernel `" + kernel.demangled + "` has " +
                         std::to_string(kernel.static_shared) +
                         " bytes of static __shared__ arrays: at most " + std::to_string(most));
    if (!device.options().observers.empty()) kernel.shared_padding += kSharedRedZone;
  };
  std::set<std::string, std::less<>> named;
  for (const ptx::Function* f : functions) {
    for (const ptx::Variable& v : f->variables) place(v);
    for (const ptx::Instruction& i : f->body) {
      for (const ptx::Operand& operand : i.operands) {
        for_each_name(operand, [&](const std::string& name) { named.insert(name); });
      }
    }
  }
  for (const ptx::Variable& v : module.variables) {
    if (named.count(v.name) != 0) place(v);
  }
  if (dynamic.empty()) return;
  kernel.static_shared = round_up(kernel.static_shared, dynamic_alignment);
  for (const ptx::Variable* v : dynamic)
    table.shared[v->name] = static_cast<uint32_t>(kernel.static_shared + kernel.shared_padding);
}

// The register file and the local memory of a warp hold the frames of the whole call chain.
void Program::Impl::size_frames(const std::vector<const ptx::Function*>& functions,
                                Kernel& kernel) {
  size_t largest_frame = 0, largest_local = 0, all_frames = 0, all_locals = 0;
  bool recursive = false;
  for (size_t k = 0; k < kernel.codes.size(); ++k) {
    const Frame& frame = kernel.codes[k].frame;
    largest_frame = std::max<size_t>(largest_frame, frame.bytes);
    largest_local = std::max<size_t>(largest_local, frame.local_bytes);
    all_frames += frame.bytes;
    all_locals += frame.local_bytes;
    // Without recursion each function is on the stack at most once. Any call to itself or to one
    // before it may recurse.
    for (const ptx::Instruction& i : functions[k]->body) {
      if (i.opcode != "call") continue;
      recursive |= calls_pointer(i);
      for (const ptx::Operand& operand : i.operands) {
        for (size_t earlier = 0; earlier <= k; ++earlier)
          recursive |= operand.name == functions[earlier]->name;
      }
    }
  }
  kernel.frame_bytes = recursive ? all_frames + kRecursionDepth * largest_frame : all_frames;
  kernel.local_bytes =
      (recursive ? all_locals + kRecursionDepth * largest_local : all_locals) + kernel.stack_bytes;
}

std::unique_ptr<Kernel> Program::Impl::decode(const ptx::Function& entry) {
  auto kernel = std::make_unique<Kernel>();
  kernel->name = entry.name;
  kernel->demangled = demangle(entry.name);
  std::copy_n(entry.max_threads, 3, kernel->max_threads);
  std::copy_n(entry.required_threads, 3, kernel->required_threads);
  for (const ptx::Variable& v : entry.params) {
    KernelParam param;
    param.size = v.size();
    param.alignment = std::max<size_t>(v.alignment, std::max<size_t>(ptx::size_of(v.type), 1));
    param.offset = round_up(kernel->param_bytes, param.alignment);
    kernel->param_bytes = param.offset + param.size;
    kernel->params.push_back(param);
  }
  if (kernel->param_bytes > kMostParamBytes)
    throw ProgramError("kernel `" + kernel->demangled + "` has more than " +
                       std::to_string(kMostParamBytes) + " bytes of parameters");
  const std::vector<const ptx::Function*> reached = reachable(entry);
  SymbolTable table;
  for (const auto& [name, symbol] : symbols)
    table.memory[name] = reinterpret_cast<uint64_t>(symbol.address);
  place_shared(reached, *kernel, table);
  for (size_t k = 0; k < reached.size(); ++k) table.code[reached[k]->name] = static_cast<int>(k);
  kernel->codes.resize(reached.size());
  kernel->code_of_function.assign(module.functions.size(), Kernel::kNoCode);
  for (size_t k = 0; k < reached.size(); ++k)
    kernel->code_of_function[static_cast<size_t>(reached[k] - module.functions.data())] =
        static_cast<uint32_t>(k);
  table.functions = function_addresses;
  const bool compiles = device.options().compile != nullptr && device.options().observers.empty();
  for (size_t k = 0; k < reached.size(); ++k) {
    Decoder decoder(module, *reached[k], *kernel, table, static_cast<int>(k));
    if (compiles) decoder.write_regions();
    decoder.decode();
  }
  size_frames(reached, *kernel);
  if (!kernel->regions.empty()) device.options().compile(*kernel);
  return kernel;
}

Program::Program(Device& device, ptx::Module source)
    : impl_(std::make_unique<Impl>(device, std::move(source))) {
  require_known_names(impl_->module);
  impl_->load_variables();
}

Program::~Program() {
  for (const auto& [name, symbol] : impl_->symbols) impl_->device.memory().free(symbol.address);
}

Program::Symbol Program::symbol(std::string_view name) const {
  const auto found = impl_->symbols.find(name);
  return found == impl_->symbols.end() ? Symbol{} : found->second;
}

const Kernel* Program::kernel(std::string_view mangled_name) {
  const std::lock_guard lock(impl_->mutex);
  auto& entry = impl_->kernels[std::string(mangled_name)];
  if (entry == nullptr) {
    const ptx::Function* function = impl_->module.find_function(mangled_name);
    if (function == nullptr || !function->is_entry) return nullptr;
    entry = impl_->decode(*function);
  }
  return entry.get();
}

const ptx::Module& Program::module() const {
  return impl_->module;
}

}  // namespace vgpu
