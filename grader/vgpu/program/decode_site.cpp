// Where an instruction comes from in the source.
#include <algorithm>

#include "program/decoder.hpp"

namespace vgpu {
namespace {

bool is_toolkit_header(const ptx::Module& module, int file) {
  const auto found = module.files.find(file);
  if (found == module.files.end()) return false;
  const std::string& path = found->second;
  // .../cuda/targets/x86_64-linux/include, .../cuda-13.0/include,
  // .../site-packages/nvidia/cu13/include
  return path.find("/include/") != std::string::npos &&
         (path.find("/targets/") != std::string::npos || path.find("/cuda") != std::string::npos ||
          path.find("/nvidia/cu") != std::string::npos);
}

}  // namespace

uint32_t Decoder::add_site(const Instruction& i) {
  Site site;
  // A line of CUDA's own headers means the line that called them.
  const ptx::SourceLocation* location = &i.location;
  while (location->inlined_at >= 0 && is_toolkit_header(module_, location->file)) {
    location = &module_.locations[static_cast<size_t>(location->inlined_at)];
  }
  const auto file = module_.files.find(location->file);
  if (file != module_.files.end()) {
    auto known = std::find(kernel_.files.begin(), kernel_.files.end(), file->second);
    site.file = static_cast<uint32_t>(known - kernel_.files.begin());
    if (known == kernel_.files.end()) kernel_.files.push_back(file->second);
    site.line = location->line;
  }
  while (location->inlined_at >= 0) {
    location = &module_.locations[static_cast<size_t>(location->inlined_at)];
    const auto caller = module_.files.find(location->file);
    if (caller != module_.files.end())
      site.callers += ", called from " + caller->second + ":" + std::to_string(location->line);
  }
  site.ptx_line = i.ptx_line;
  site.mnemonic = i.mnemonic();
  kernel_.sites.push_back(std::move(site));
  return static_cast<uint32_t>(kernel_.sites.size()) - 1;
}

}  // namespace vgpu
