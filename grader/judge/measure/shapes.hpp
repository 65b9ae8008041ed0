// The list of shapes that flashlab-measure is asked for.
#pragma once

#include <filesystem>
#include <optional>
#include <vector>

#include "lab.hpp"

namespace flashlab::judge {

/// One shape to measure.
struct Wanted {
  CaseSpec spec;                     ///< `speed` is set, so that registers are known
  std::optional<size_t> check_rows;  ///< rows to compare; nothing: as many as are cheap
};

/// Reads [{"entry", "batch", "heads", "seq_q", "seq_k", "head_dim", "causal", "scale",
/// "check_rows"}]: seq_q and head_dim are needed; seq_k is seq_q, scale 1/sqrt(head_dim), entry the
/// lab's first, the rest 1 or false where absent or null. Throws EnvironmentError, one line.
std::vector<Wanted> read_shapes(const std::filesystem::path& file, const Lab& lab);

/// `lab` with limits of time and workspace that suit this shape: those of lab.toml are made for
/// graded cases and grow with the work, batch heads seq_q seq_k head_dim.
Lab scaled_limits(const Lab& lab, const Shape& shape);

/// Rows of this shape that are compared with the reference when nobody says how many: all of a
/// small problem.
std::optional<size_t> default_rows(const Shape& shape);

}  // namespace flashlab::judge
