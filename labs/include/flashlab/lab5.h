// Lab 5, backward by recomputation: the entry point that the grader calls.
#pragma once

#include "flashlab/attention.h"

/// The gradients of a loss with respect to Q, K and V, from dO = dLoss/dO and what the forward pass
/// left behind: O and L. P is recomputed tile by tile from Q, K and L; no [seq_q, seq_k] buffer.
/// Source: Dao 2023, "FlashAttention-2", Algorithm 2, with dQ in a kernel of its own.
///   dO, dQ  [batch, heads, seq_q, head_dim]    dK, dV  [batch, heads, seq_k, head_dim]
///   L       [batch, heads, seq_q], ln sum_j exp(S_ij), natural logarithm
/// All float32, row-major, in device memory, aligned to 256 bytes; dQ, dK and dV are written, never
/// read. D = rowsum(dO o O) goes to the workspace as float32 [batch, heads, seq_q], named "D".
/// With `shape.causal`, query i sees key j only if j <= i + (seq_k - seq_q). A query that sees no
/// key has O = 0 and L = -infinity; its row of dQ is 0, and it adds nothing to dK and dV. A key
/// that no query sees has dK = dV = 0. head_dim is
/// 32, 64 or 128. All work is enqueued on `stream`. Returns cudaSuccess, or the first error of a
/// launch; cudaErrorInvalidValue for another head_dim; cudaErrorMemoryAllocation when the workspace
/// is too small; cudaErrorNotYetImplemented while the lab is not done.
FLASHLAB_ENTRY cudaError_t lab5_flash_attention_backward(
    const float* Q, const float* K, const float* V, const float* O, const float* L, const float* dO,
    float* dQ, float* dK, float* dV, flashlab::AttentionShape shape, flashlab::Workspace& workspace,
    cudaStream_t stream);
