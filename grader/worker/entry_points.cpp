#include "entry_points.hpp"

#include <flashlab/lab1.h>
#include <flashlab/lab2.h>
#include <flashlab/lab4.h>
#include <flashlab/lab5.h>

#include <tuple>
#include <utility>

namespace flashlab::worker {
namespace {

using protocol::CaseRequest;
using protocol::EntryKind;

/// The shape of a request as the entry points of a lab want it.
template <class Shape>
Shape shape_of(const CaseRequest& request);

template <>
AttentionShape shape_of(const CaseRequest& request) {
  return {request.batch,    request.heads, request.seq_q,      request.seq_k,
          request.head_dim, request.scale, request.causal != 0};
}

template <>
RowShape shape_of(const CaseRequest& request) {
  return {request.seq_q, request.seq_k};
}

template <>
MergeShape shape_of(const CaseRequest& request) {
  return {request.seq_q, request.seq_k, request.head_dim};
}

/// Any signature of the form (tensors..., shape, workspace, stream).
template <class... Parameters>
constexpr EntryPoint entry_point(cudaError_t (*)(Parameters...)) {
  constexpr size_t kTensors = sizeof...(Parameters) - 3;
  using Shape = std::tuple_element_t<kTensors, std::tuple<Parameters...>>;
  return {kTensors, [](const Call& call) {
            const auto function = reinterpret_cast<cudaError_t (*)(Parameters...)>(call.function);
            return [&]<size_t... I>(std::index_sequence<I...>) {
              return function(static_cast<float*>(call.tensors[I])...,
                              shape_of<Shape>(call.request), call.workspace, call.stream);
            }
            (std::make_index_sequence<kTensors>());
          }};
}

}  // namespace

const EntryPoint* find_entry_point(EntryKind kind) {
  // The declarations are used for their types only: the functions are the submission's.
  static constexpr std::pair<EntryKind, EntryPoint> kEntryPoints[] = {
      {EntryKind::kAttentionForward, entry_point(decltype(&lab1_naive_attention){})},
      {EntryKind::kAttentionForwardLse, entry_point(decltype(&lab4_flash_attention2){})},
      {EntryKind::kMergeStates, entry_point(decltype(&lab2_merge_states){})},
      {EntryKind::kRowStatistics, entry_point(decltype(&lab2_row_statistics){})},
      {EntryKind::kRowSoftmax, entry_point(decltype(&lab2_row_softmax){})},
      {EntryKind::kAttentionBackward, entry_point(decltype(&lab5_flash_attention_backward){})},
  };
  for (const auto& [known, point] : kEntryPoints) {
    if (known == kind) return &point;
  }
  return nullptr;
}

}  // namespace flashlab::worker
