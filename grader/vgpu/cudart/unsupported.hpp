// What the stubs of unsupported.cpp share.
#pragma once

namespace vgpu::cudart {

/// Says once that the virtual GPU lacks `function` (`said` remembers it) and returns
/// cudaErrorNotSupported (801), which also becomes the thread's last error.
int answer_unsupported(const char* function, bool& said);

}  // namespace vgpu::cudart
