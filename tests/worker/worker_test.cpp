// The worker's parts in this process, on the virtual GPU.
#include <cuda_runtime_api.h>
#include <flashlab/lab1.h>
#include <gtest/gtest.h>

#include <cstring>
#include <stdexcept>
#include <vector>

#include "buffers.hpp"
#include "run_case.hpp"
#include "text.hpp"

namespace flashlab::worker {
namespace {

TEST(Text, IsCutAndTerminated) {
  char field[4];
  put_text(field, "abcdef");
  EXPECT_STREQ(field, "abc");
  put_text(field, "");
  EXPECT_STREQ(field, "");
}

TEST(Buffers, OutputsAndWorkspaceArePoisoned) {
  const Device device;
  Buffers buffers(device, 1 << 20);
  buffers.add_output("O", 400);
  void* scratch = Buffers::allocate_workspace(&buffers, "S", 100);
  ASSERT_NE(scratch, nullptr);
  ASSERT_EQ(buffers.count(), 2u);
  for (size_t index = 0; index < buffers.count(); ++index) {
    std::vector<std::byte> bytes(buffers.bytes(index));
    buffers.copy_back(index, bytes);
    EXPECT_EQ(bytes, std::vector<std::byte>(bytes.size(), std::byte{0xFF}));
  }
  EXPECT_EQ(buffers.name(1), "S");
  EXPECT_EQ(buffers.workspace_bytes(), 100u);
}

TEST(Buffers, InputsArriveAsTheyAre) {
  const Device device;
  Buffers buffers(device, 0);
  const std::vector<float> values = {1, 2, 3};
  buffers.add_input("Q", std::as_bytes(std::span(values)));
  std::vector<float> back(3);
  buffers.copy_back(0, std::as_writable_bytes(std::span(back)));
  EXPECT_EQ(back, values);
}

TEST(Buffers, WorkspaceEndsAtItsLimit) {
  const Device device;
  Buffers buffers(device, 1000);
  EXPECT_NE(Buffers::allocate_workspace(&buffers, "S", 600), nullptr);
  EXPECT_EQ(Buffers::allocate_workspace(&buffers, "P", 401), nullptr);
  EXPECT_NE(Buffers::allocate_workspace(&buffers, "P", 400), nullptr);
  EXPECT_EQ(Buffers::allocate_workspace(&buffers, "X", 0), nullptr);
  EXPECT_EQ(Buffers::allocate_workspace(&buffers, nullptr, ~size_t{0}), nullptr);
  EXPECT_EQ(buffers.workspace_bytes(), 1000u);
  EXPECT_EQ(buffers.refused(), 3u);
}

TEST(Buffers, ThereIsALimitedNumberOfThem) {
  const Device device;
  Buffers buffers(device, 1 << 20);
  for (uint32_t i = 0; i < protocol::kMaxBuffers; ++i) {
    EXPECT_NE(Buffers::allocate_workspace(&buffers, "x", 4), nullptr);
  }
  EXPECT_EQ(Buffers::allocate_workspace(&buffers, "x", 4), nullptr);
}

TEST(Buffers, MemoryIsGivenBack) {
  const auto free_bytes = [] {
    size_t free = 0, total = 0;
    EXPECT_EQ(cudaMemGetInfo(&free, &total), cudaSuccess);
    return free;
  };
  const Device device;
  const size_t before = free_bytes();
  {
    Buffers buffers(device, 1 << 20);
    buffers.add_output("O", 1 << 20);
    EXPECT_LT(free_bytes(), before);
  }
  EXPECT_EQ(free_bytes(), before);
}

/// A request for one head of 2 x 3 with d = 4, laid out back to back.
protocol::CaseRequest request() {
  protocol::CaseRequest result;
  result.kind = protocol::EntryKind::kAttentionForward;
  result.batch = result.heads = 1;
  result.seq_q = 2;
  result.seq_k = 3;
  result.head_dim = 4;
  uint64_t offset = 0;
  const auto take = [&](uint64_t bytes) {
    const protocol::Span span{offset, bytes};
    offset += bytes;
    return span;
  };
  for (protocol::Span* span : {&result.q, &result.o, &result.q_after}) *span = take(2 * 4 * 4);
  for (protocol::Span* span : {&result.k, &result.v, &result.k_after, &result.v_after})
    *span = take(3 * 4 * 4);
  result.guards = take(2 * protocol::kMaxBuffers * protocol::kGuardBytes);
  result.report = take(1 << 16);
  result.workspace_limit = 1 << 16;
  return result;
}

constexpr size_t kMemory = 1 << 18;

TEST(Request, MustFitTheMemoryAndTheShape) {
  EXPECT_TRUE(is_servable(request(), kMemory));
  EXPECT_FALSE(is_servable(request(), request().report.offset));
  protocol::CaseRequest bad = request();
  bad.q.bytes -= 4;
  EXPECT_FALSE(is_servable(bad, kMemory));
  bad = request();
  bad.captures[0].span = {kMemory, 1};
  EXPECT_FALSE(is_servable(bad, kMemory));
  bad = request();
  bad.kind = static_cast<protocol::EntryKind>(9);
  EXPECT_FALSE(is_servable(bad, kMemory));
}

/// A submission as a function of this program: O = the first rows of V, S = the index, Q spoiled on
/// request.
bool spoil_q = false;
cudaError_t copy_entry(const float* Q, const float*, const float* V, float* O, AttentionShape shape,
                       Workspace& workspace, cudaStream_t) {
  cudaMemcpy(O, V, sizeof(float) * shape.seq_q * shape.head_dim, cudaMemcpyDeviceToDevice);
  const std::vector<float> scores = {0, 1, 2, 3, 4, 5};
  cudaMemcpy(workspace.allocate<float>("S", 6), scores.data(), 24, cudaMemcpyHostToDevice);
  workspace.allocate<float>("P", 7);  // not the size that is asked for
  if (spoil_q) cudaMemset(const_cast<float*>(Q), 0, 4);
  return cudaErrorInvalidValue;
}

cudaError_t throwing_entry(const float*, const float*, const float*, float*, AttentionShape,
                           Workspace&, cudaStream_t) {
  throw std::runtime_error("no");
}

class RunCase : public testing::Test {
 protected:
  RunCase() : memory_(kMemory), request_(request()) {
    for (size_t i = 0; i < 12; ++i) {
      const float value = static_cast<float>(i + 1);
      for (const protocol::Span& span : {request_.k, request_.v}) {
        std::memcpy(memory_.data() + span.offset + 4 * i, &value, 4);
      }
      if (i < 8) std::memcpy(memory_.data() + request_.q.offset + 4 * i, &value, 4);
    }
    uint64_t end = request_.report.offset + request_.report.bytes;
    for (const char* name : {"S", "P"}) {
      protocol::Capture& capture = request_.captures[name[0] == 'P'];
      put_text(capture.name, name);
      capture.span = {end, 24};
      end += 24;
    }
  }

  template <class Function>
  protocol::CaseReply run(Function* entry) {
    return run_case(device_, reinterpret_cast<void*>(entry), request_, memory_);
  }
  std::vector<float> floats(const protocol::Span& span) const {
    std::vector<float> values(span.bytes / 4);
    std::memcpy(values.data(), memory_.data() + span.offset, span.bytes);
    return values;
  }

  const Device device_;
  std::vector<std::byte> memory_;
  protocol::CaseRequest request_;
};

TEST_F(RunCase, ReportsWhatTheSubmissionLeft) {
  spoil_q = false;
  const protocol::CaseReply reply = run(&copy_entry);
  EXPECT_EQ(reply.status, protocol::CallStatus::kReturned);
  EXPECT_EQ(reply.returned.code, cudaErrorInvalidValue);
  EXPECT_STREQ(reply.returned.name, "cudaErrorInvalidValue");
  EXPECT_EQ(reply.synchronise.code, cudaSuccess);
  EXPECT_EQ(reply.outputs_copied, 1u);
  EXPECT_EQ(floats(request_.o), (std::vector<float>{1, 2, 3, 4, 5, 6, 7, 8}));
  EXPECT_EQ(floats(request_.q_after), floats(request_.q));
  EXPECT_EQ(floats(request_.v_after), floats(request_.v));
  EXPECT_EQ(reply.captured[0], 1u);
  EXPECT_EQ(floats(request_.captures[0].span), (std::vector<float>{0, 1, 2, 3, 4, 5}));
  EXPECT_EQ(reply.captured[1], 0u) << "P has another size";
  EXPECT_EQ(reply.workspace_bytes, 24u + 28u);
  EXPECT_EQ(reply.buffer_count, 6u);
  EXPECT_STREQ(reply.buffers[4].name, "S");
  EXPECT_GT(reply.report_bytes, 0u);
  EXPECT_NE(std::strstr(reinterpret_cast<const char*>(memory_.data()) + request_.report.offset,
                        "\"launches\""),
            nullptr);
}

TEST_F(RunCase, AChangedInputIsVisible) {
  spoil_q = true;
  run(&copy_entry);
  EXPECT_NE(floats(request_.q_after), floats(request_.q));
}

TEST_F(RunCase, AnExceptionIsData) {
  const protocol::CaseReply reply = run(&throwing_entry);
  EXPECT_EQ(reply.status, protocol::CallStatus::kThrew);
  EXPECT_STREQ(reply.text, "no");
}

}  // namespace
}  // namespace flashlab::worker
