// Lab 2, online softmax: the three entry points that the grader calls, and the shapes they take.
#pragma once

#include "flashlab/attention.h"

namespace flashlab {

/// Rows to be taken the softmax of: [rows, columns], contiguous, row-major, float32, device memory.
struct RowShape {
  int rows;     ///< >= 1
  int columns;  ///< >= 1
};

/// Partial states of the online softmax, in device memory, float32, contiguous, row-major:
///   m, l  [rows, parts]
///   o     [rows, parts, head_dim]
/// Each part is a state of its own after some of the row's keys: m the largest score, l the sum of
/// exp(score - m), o the sum of exp(score - m) times the value. A part without keys is the
/// identity: m = -infinity, l = 0, o = 0.
struct MergeShape {
  int rows;      ///< >= 1
  int parts;     ///< >= 1, states per row
  int head_dim;  ///< 1 to 128, elements of o
};

}  // namespace flashlab

// Each returns cudaSuccess, or the first error of a launch; cudaErrorNotYetImplemented while it is
// not done. All work is enqueued on `stream`.

/// Merges the parts of every row: m_out, l_out [rows] and o_out [rows, head_dim] get the state
/// after all their keys. o is not divided by l.
FLASHLAB_ENTRY cudaError_t lab2_merge_states(const float* m, const float* l, const float* o,
                                             float* m_out, float* l_out, float* o_out,
                                             flashlab::MergeShape shape,
                                             flashlab::Workspace& workspace, cudaStream_t stream);

/// m[row] = max_j S[row, j] and l[row] = sum_j exp(S[row, j] - m[row]), reading S once. A row whose
/// scores are all -infinity has m = -infinity and l = 0.
FLASHLAB_ENTRY cudaError_t lab2_row_statistics(const float* S, float* m, float* l,
                                               flashlab::RowShape shape,
                                               flashlab::Workspace& workspace, cudaStream_t stream);

/// P[row, j] = exp(S[row, j] - m[row]) / l[row], reading S at most twice. A row whose scores are
/// all -infinity becomes zeros.
FLASHLAB_ENTRY cudaError_t lab2_row_softmax(const float* S, float* P, flashlab::RowShape shape,
                                            flashlab::Workspace& workspace, cudaStream_t stream);
