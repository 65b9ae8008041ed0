// Reads the golden tensors that tools/make_golden.py wrote; the format is described there.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "reference/attention.hpp"

namespace flashlab::reference {

struct GoldenCase {
  std::string name;
  AttentionShape shape;
  std::map<std::string, std::vector<double>>
      tensors;  ///< float32 tensors are widened, which is exact

  bool has(const std::string& tensor) const { return tensors.count(tensor) > 0; }
  /// The named tensor; throws std::runtime_error when the case has none of that name.
  const std::vector<double>& at(const std::string& tensor) const;
};

struct GoldenFile {
  std::map<std::string, std::string> provenance;
  std::vector<GoldenCase> cases;
};

/// Reads attention.json and attention.bin in `folder`. Throws std::runtime_error, saying what to
/// run, when one is missing, cut short or not of this format.
GoldenFile read_golden(const std::filesystem::path& folder);

}  // namespace flashlab::reference
