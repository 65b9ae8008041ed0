// How a fault is told to the user: headline, kernel, source line, block, thread, detail.
#include <cstdio>
#include <ctime>

#include "machine/access_fault.hpp"
#include "machine/block.hpp"
#include "machine/warp.hpp"

namespace vgpu {
namespace {

std::string triple(const std::array<uint32_t, 3>& v) {
  return "(" + std::to_string(v[0]) + "," + std::to_string(v[1]) + "," + std::to_string(v[2]) + ")";
}

std::string indented(const std::string& text) {
  std::string out = "  ";
  for (size_t i = 0; i < text.size(); ++i) {
    out += text[i];
    if (text[i] == '\n' && i + 1 < text.size()) out += "  ";
  }
  if (out.back() != '\n') out += '\n';
  return out;
}

}  // namespace

std::string source_place(const Kernel& kernel, const Site& site) {
  if (site.line == 0)
    return "PTX line " + std::to_string(site.ptx_line) +
           " (compile with -lineinfo for source lines)";
  return kernel.files[site.file] + ":" + std::to_string(site.line) + site.callers;
}

std::string Warp::report(const Op* op, int lane, const std::string& headline,
                         const std::string& detail) const {
  const LaunchContext& context = block->context;
  const Kernel& kernel = *context.kernel;
  const Site& site = kernel.sites[op->site];
  const auto& shape = context.launch->block;
  const uint32_t linear = static_cast<uint32_t>(index * kWarpSize + lane);
  const std::array<uint32_t, 3> thread = {linear % shape[0], linear / shape[0] % shape[1],
                                          linear / shape[0] / shape[1]};
  std::string text = headline + "\n";
  text += "  in kernel `" + kernel.demangled + "`, at " + source_place(kernel, site) + " (" +
          site.mnemonic + ")\n";
  text += "  by thread " + triple(thread) + " of block " + triple(block->index) + "\n";
  if (!detail.empty()) text += indented(detail);
  return text;
}

void Warp::fault(FaultCode code, const Op* op, int lane, const std::string& headline,
                 const std::string& detail) const {
  throw Fault(code, report(op, lane, headline, detail));
}

void Warp::fault(FaultCode code, const Op* op, int lane, const char* headline,
                 const char* detail) const {
  fault(code, op, lane, std::string(headline), std::string(detail));
}

void bad_access(const Warp& w, const Op* op, int lane, const BadAccess& access) {
  const bool misaligned = access.address % access.size != 0;
  const char* verb = access.intent == Intent::Load    ? "read"
                     : access.intent == Intent::Store ? "write"
                                                      : "atomic update";
  const char* memory = access.kind == MemoryKind::Global   ? "global"
                       : access.kind == MemoryKind::Shared ? "shared"
                                                           : "local";
  const std::string size = std::to_string(access.size);
  std::string where;
  if (access.kind == MemoryKind::Global) {
    where = w.block->context.memory->describe(access.address);
  } else {
    const bool shared = access.kind == MemoryKind::Shared;
    where =
        "byte " + std::to_string(static_cast<int64_t>(access.address)) +
        (shared ? " of the block's " + std::to_string(w.shared_bytes) + " bytes of shared memory"
                : " of the thread's " + std::to_string(w.local_bytes) + " bytes of local memory");
  }
  w.fault(misaligned ? FaultCode::MisalignedAddress : FaultCode::IllegalAddress, op, lane,
          std::string(misaligned ? "misaligned " : "illegal ") + verb + " of " + size +
              " bytes in " + memory + " memory",
          misaligned ? "the address is not a multiple of " + size + ": " + where : where);
}

std::string Warp::positions() const {
  const Kernel& kernel = *block->context.kernel;
  std::string text;
  for (const Split& split : others_) {
    if (split.waits_at == nullptr) continue;
    char line[96];
    std::snprintf(line, sizeof line, "lanes 0x%08x of warp %d wait for lanes 0x%08x, at ",
                  split.active, index, split.members);
    text += line + source_place(kernel, kernel.sites[split.waits_at->site]) + "\n";
  }
  char line[64];
  std::snprintf(line, sizeof line, "lanes 0x%08x of the warp have exited\n", ~live);
  return text + line;
}

double cpu_seconds_of_thread() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

void Block::check_clock(const Warp& warp, const Op* op) {
  if (linear > context.last_block.load(std::memory_order_relaxed)) {
    throw Fault(FaultCode::None, "a block with a lower number has failed already");
  }
  if (context.timeout_seconds <= 0) return;
  if (cpu_seconds_of_thread() - started_ < context.timeout_seconds) return;
  char headline[96];
  std::snprintf(headline, sizeof headline, "the kernel did not end within %.3g s",
                context.timeout_seconds);
  int lane = 0;
  while ((warp.active >> lane & 1) == 0) ++lane;
  warp.fault(FaultCode::LaunchTimeout, op, lane, headline,
             "it was in this loop when the time ran out: does its condition ever become false?");
}

}  // namespace vgpu
