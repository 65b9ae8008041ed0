#include "cudart/runtime.hpp"

#include <cstdio>
#include <new>

#include "compile/compiler.hpp"
#include "cudart/api.hpp"
#include "report/json.hpp"
#include "report/table.hpp"

namespace vgpu::cudart {
namespace {

cudaError_t code_of(FaultCode code) {
  switch (code) {
    case FaultCode::IllegalAddress:
      return cudaErrorIllegalAddress;
    case FaultCode::MisalignedAddress:
      return cudaErrorMisalignedAddress;
    case FaultCode::LaunchTimeout:
      return cudaErrorLaunchTimeout;
    case FaultCode::Assert:
      return cudaErrorAssert;
    case FaultCode::Unsupported:
      return cudaErrorNotSupported;
    case FaultCode::None:
    case FaultCode::Trap:
    case FaultCode::Synchronisation:
    case FaultCode::StackOverflow:
      break;
  }
  return cudaErrorLaunchFailure;
}

// Runs when the process ends, after the program's own destructors: every launch is known.
__attribute__((destructor)) void write_counters() {
  using Counters = Environment::Counters;
  Runtime& runtime = Runtime::instance();
  const Environment& environment = runtime.environment;
  if (environment.checks.leaks) runtime.find_leaks();
  if (environment.counters == Counters::None) return;
  std::scoped_lock lock(runtime.mutex);
  std::string text = environment.counters == Counters::Json
                         ? report::text(report::to_json(runtime.records()), 2) + "\n"
                         : report::table(runtime.records());
  if (std::string why = runtime.resources_complaint(); !why.empty())
    runtime.say("registers and occupancy are not known: " + why +
                "; VGPU_PTXAS=path says where a ptxas is, VGPU_PTXAS=none does without");
  std::FILE* file = stderr;
  if (!environment.counters_file.empty()) {
    file = std::fopen(environment.counters_file.c_str(), "w");
    if (file == nullptr) {
      std::fprintf(stderr, "vgpu: cannot write the counters to %s: %m\n",
                   environment.counters_file.c_str());
      return;
    }
  }
  bool written = std::fwrite(text.data(), 1, text.size(), file) == text.size();
  if (file != stderr) written = std::fclose(file) == 0 && written;
  if (!written)
    std::fprintf(stderr, "vgpu: the counters in %s are incomplete: %m\n",
                 environment.counters_file.c_str());
}

}  // namespace

Runtime::Runtime() : environment(Environment::read()) {
  for (const std::string& complaint : environment.complaints) say(complaint);
}

Runtime& Runtime::instance() {
  static auto* runtime = new Runtime;
  return *runtime;
}

Device& Runtime::device() {
  if (device_) return *device_;
  try {
    DeviceOptions options;
    options.threads = environment.threads;
    options.timeout_seconds = environment.timeout_seconds;
    options.observers = environment.checks.observers;
    if (environment.compile)
      options.compile = compile::make_compiler([this](const std::string& line) { say(line); });
    device_ = std::make_unique<Device>(environment.profile(), options);
  } catch (const std::bad_alloc&) {
    fail(cudaErrorInitializationError,
         "the virtual GPU cannot start: " + std::to_string(environment.profile().global_memory) +
             " bytes of address space are not to be had (a limit of ulimit -v?)");
  } catch (const std::exception& error) {
    fail(cudaErrorInitializationError,
         std::string("the virtual GPU cannot start: ") + error.what());
  }
  return *device_;
}

void Runtime::add_finding(const Finding& finding) {
  say(finding.report);
  findings.push_back(finding);
}

void Runtime::find_leaks() {
  constexpr size_t kMostNamed = 8;
  if (!device_ || fault_) return;  // a program that a fault stops does not get to free
  size_t count = 0, bytes = 0;
  std::string list;
  const auto allocations = memory().snapshot();
  for (const Allocation& allocation : *allocations) {
    if (allocation.freed || allocation.use != MemoryUse::Device) continue;
    const size_t size = allocation.end - allocation.begin;
    ++count;
    bytes += size;
    if (count > kMostNamed) continue;
    list += (count > 1 ? ", " : "") +
            (allocation.name.empty() ? "" : "`" + allocation.name + "` ") + std::to_string(size);
  }
  if (count == 0) return;
  if (count > kMostNamed) list += ", ...";
  say("leak: " + std::to_string(bytes) +
      " bytes of device memory were never freed: " + std::to_string(count) +
      (count == 1 ? " allocation" : " allocations") + " (" + list + " bytes)");
}

void Runtime::raise_fault(const Fault& fault) {
  if (fault_) return;
  fault_ = fault;
  say(fault.what());
}

void Runtime::surface_fault() {
  if (fault_) sticky_ = code_of(fault_->code);
}

cudaError_t Runtime::explain_exception(const char* function) noexcept {
  try {
    throw;
  } catch (const ApiError& error) {
    if (error.what()[0] != '\0') say(std::string(function) + ": " + error.what());
    return error.code;
  } catch (const std::bad_alloc&) {
    say(std::string(function) + ": the host is out of memory");
    return cudaErrorMemoryAllocation;
  } catch (const std::exception& error) {
    say(std::string(function) + ": " + error.what());
    return cudaErrorUnknown;
  } catch (...) {
    say(std::string(function) + ": unknown exception");
    return cudaErrorUnknown;
  }
}

void Runtime::say(const std::string& line) const {
  if (!environment.quiet) std::fprintf(stderr, "vgpu: %s\n", line.c_str());
}

void Runtime::add_record(LaunchRecord record, std::shared_ptr<ptxas::Assembly> assembly) {
  records_.push_back(std::move(record));
  assemblies_.push_back(std::move(assembly));
}

void Runtime::clear_records() {
  records_.clear();
  assemblies_.clear();
}

const std::vector<LaunchRecord>& Runtime::records() {
  for (size_t i = 0; i < records_.size(); ++i) {
    LaunchRecord& record = records_[i];
    if (record.resources) continue;
    if (const KernelResources* found = assemblies_[i]->find(record.mangled))
      add_resources(record, *found, device().profile());
  }
  return records_;
}

std::string Runtime::resources_complaint() const {
  for (const auto& assembly : assemblies_)
    if (!assembly->complaint().empty()) return assembly->complaint();
  return "";
}

std::string Runtime::report() {
  report::Json document;
  document["launches"] = report::to_json(records());
  document["findings"] = report::Json::array();
  for (const Finding& finding : findings) {
    document["findings"].push_back({{"kind", finding.kind}, {"report", finding.report}});
  }
  document["fault"] = nullptr;
  if (fault_)
    document["fault"] = {{"code", cudaGetErrorName(code_of(fault_->code))},
                         {"report", fault_->what()}};
  const auto peak = [&](MemoryUse use) { return device_ ? memory().peak_bytes(use) : 0; };
  document["peak_device_bytes"] = peak(MemoryUse::Device);
  document["device_bytes"] = device_ ? memory().current_bytes() : 0;
  document["peak_host_mapped_bytes"] = peak(MemoryUse::PinnedHost);
  document["module_bytes"] = peak(MemoryUse::Variable);
  document["host_copy_bytes"] = host_copy_bytes;
  document["resets"] = resets;
  return report::text(document);
}

void Runtime::require_stream(cudaStream_t stream) const {
  if (stream == nullptr || stream == cudaStreamLegacy || stream == cudaStreamPerThread) return;
  if (!streams.contains(stream))
    fail(cudaErrorInvalidResourceHandle, "the stream does not exist (never created, or destroyed)");
}

void Runtime::reset_device() {
  if (fault_)
    sticky_ = cudaErrorDevicesUnavailable;  // an H200 answers so; a fault outlives a reset
  registry.unload_all();
  if (device_) {
    const auto allocations = memory().snapshot();
    for (const Allocation& allocation : *allocations)
      if (!allocation.freed) memory().free(reinterpret_cast<void*>(allocation.begin));
    device_->heap().forget();
  }
  pointers.clear();
  streams.clear();  // the handles stay allocated: none may come back as another one
  reset_events.merge(events);
  events.clear();
}

}  // namespace vgpu::cudart
