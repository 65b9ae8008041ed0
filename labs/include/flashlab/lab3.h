// Lab 3, tiled attention in the order of the first FlashAttention: the entry point that the grader
// calls.
#pragma once

#include "flashlab/attention.h"

/// O = softmax(scale * Q K^T) V for every batch and head, without a matrix of Nq x Nk: the outer
/// loop runs over tiles of K and V, and O, m and l go back to device memory after each. m and l are
/// float32 [batch, heads, seq_q] in the workspace, under the names "m" and "l".
/// Source: Dao et al. 2022, "FlashAttention", Algorithm 1.
/// head_dim is 32, 64 or 128; `shape.causal` is always false in this lab. All work is enqueued on
/// `stream`. Returns cudaSuccess, or the first error of a launch; cudaErrorInvalidValue for another
/// head_dim; cudaErrorNotYetImplemented while the lab is not done.
FLASHLAB_ENTRY cudaError_t lab3_tiled_attention(const float* Q, const float* K, const float* V,
                                                float* O, flashlab::AttentionShape shape,
                                                flashlab::Workspace& workspace,
                                                cudaStream_t stream);
