#include "machine/observer.hpp"

#include <algorithm>

#include "machine/block.hpp"

namespace vgpu {

void notify_observers(const Access& access) {
  for (Observer* observer : access.warp.block->watching(access.kind)) observer->access(access);
}

void notify_copy_landed(const Access& access) {
  for (Observer* observer : access.warp.block->watching(access.kind)) observer->copy_landed(access);
}

void notify_absent_lane(const Warp& warp, const Op* op, int lane, int source) {
  for (const auto& observer : warp.block->observers)
    observer->reads_absent_lane(warp, op, lane, source);
}

void notify_warp_barrier(const Warp& warp) {
  for (const auto& observer : warp.block->observers) observer->warp_synchronised(warp);
}

void notify_fence(const Warp& warp) {
  for (const auto& observer : warp.block->observers) observer->fence(warp);
}

bool notify_broadcast(const Warp& warp, const Op* op, uint32_t address, uint32_t bytes) {
  bool clean = true;
  for (Observer* observer : warp.block->watching(MemoryKind::Shared))
    clean &= observer->broadcast(warp, op, address, bytes);
  return clean;
}

void Block::find(const Found& what, const std::string& headline, const std::string& detail) {
  Finding* known = nullptr;
  for (Finding& finding : counts.findings) {
    if (finding.site == what.op->site && finding.kind == what.kind) known = &finding;
  }
  const bool is_firm = what.suspect == Finding::kFirm;
  if (known != nullptr && (known->suspect == Finding::kFirm || !is_firm)) return;
  Finding found{what.kind, what.warp.report(what.op, what.lane, headline, detail), what.op->site,
                linear, what.suspect};
  if (known != nullptr)
    *known = std::move(found);
  else
    counts.findings.push_back(std::move(found));
}

void Block::clear(uint32_t site) {
  if (std::find(counts.cleared.begin(), counts.cleared.end(), site) == counts.cleared.end())
    counts.cleared.push_back(site);
}

}  // namespace vgpu
