// Shapes and symbols that every lab shares.
#pragma once

#include <cuda_runtime.h>

#include "flashlab/workspace.h"

/// Puts a lab's entry point into the shared library under its plain name. Everything else stays
/// hidden.
#define FLASHLAB_ENTRY extern "C" __attribute__((visibility("default")))

namespace flashlab {

/// The shape of one attention problem. Every tensor is contiguous, row-major, float32, in device
/// memory:
///   Q, O  [batch, heads, seq_q, head_dim]
///   K, V  [batch, heads, seq_k, head_dim]
/// so element (b, h, i, c) of Q is Q[((size_t(b) * heads + h) * seq_q + i) * head_dim + c].
/// Base pointers are aligned to 256 bytes.
struct AttentionShape {
  int batch;     ///< B >= 1
  int heads;     ///< H >= 1
  int seq_q;     ///< Nq >= 1, rows of Q and O
  int seq_k;     ///< Nk >= 1, rows of K and V
  int head_dim;  ///< d, 1 to 128
  float scale;   ///< multiplies Q K^T, usually 1/sqrt(d)
  bool causal;   ///< when true, query i sees key j only if j <= i + (seq_k - seq_q)
};

}  // namespace flashlab
