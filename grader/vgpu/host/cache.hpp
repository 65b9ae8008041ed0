// The user's cache folder: what costs time to make and can be made again.
#pragma once

#include <filesystem>
#include <string>

namespace vgpu::host {

/// $XDG_CACHE_HOME/flashlab/NAME, or that in ~/.cache; empty when the user has no cache folder.
std::filesystem::path cache_folder(const std::string& name);

/// FNV-1a, 64 bits, as 16 hexadecimal digits.
std::string hash(const std::string& text);

/// The content of a file; empty when it cannot be read.
std::string read_file(const std::filesystem::path& file);

/// In one step, so that no other process reads half of it; the folder is made. False when that
/// fails.
bool write_file(const std::filesystem::path& file, const std::string& content);

}  // namespace vgpu::host
