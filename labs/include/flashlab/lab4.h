// Lab 4, FlashAttention-2, forward: the entry point that the grader calls.
#pragma once

#include "flashlab/attention.h"

/// O = softmax(scale * Q K^T + mask) V and L = ln sum_j exp(S_ij), for every batch and head; one
/// block per tile of Q, O in registers until the end.
/// Source: Dao 2023, "FlashAttention-2", Algorithm 1.
///   L  [batch, heads, seq_q], float32, natural logarithm, device memory, aligned to 256 bytes
/// With `shape.causal`, query i sees key j only if j <= i + (seq_k - seq_q): the mask ends in the
/// bottom right corner. A query that sees no key has O = 0 and L = -infinity.
/// head_dim is 32, 64 or 128. All work is enqueued on `stream`. Returns cudaSuccess, or the first
/// error of a launch; cudaErrorInvalidValue for another head_dim; cudaErrorNotYetImplemented while
/// the lab is not done.
FLASHLAB_ENTRY cudaError_t lab4_flash_attention2(const float* Q, const float* K, const float* V,
                                                 float* O, float* L, flashlab::AttentionShape shape,
                                                 flashlab::Workspace& workspace,
                                                 cudaStream_t stream);
