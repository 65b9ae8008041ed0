// The worker's parts in this process, on the virtual GPU.
#include <cuda_runtime_api.h>
#include <flashlab/lab1.h>
#include <flashlab/lab2.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <functional>
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
  const struct {
    const char* name;
    uint64_t bytes;
    bool is_input;
  } tensors[] = {{"Q", 2 * 4 * 4, true},
                 {"K", 3 * 4 * 4, true},
                 {"V", 3 * 4 * 4, true},
                 {"O", 2 * 4 * 4, false}};
  for (const auto& [name, bytes, is_input] : tensors) {
    protocol::Tensor& tensor = result.tensors[result.tensor_count++];
    put_text(tensor.name, name);
    if (is_input) tensor.before = take(bytes);
    tensor.after = take(bytes);
  }
  result.guards = take(2 * protocol::kMaxBuffers * protocol::kGuardBytes);
  result.report = take(1 << 16);
  result.workspace_limit = 1 << 16;
  return result;
}

constexpr size_t kMemory = 1 << 18;
constexpr size_t kQ = 0, kK = 1, kV = 2, kO = 3;  // parameters in their order

TEST(Request, MustFitTheMemoryAndTheSignature) {
  EXPECT_TRUE(is_servable(request(), kMemory));
  EXPECT_FALSE(is_servable(request(), request().report.offset));
  protocol::CaseRequest bad = request();
  bad.tensors[0].before.bytes -= 4;
  EXPECT_FALSE(is_servable(bad, kMemory)) << "an input is as large as its copy";
  bad = request();
  bad.tensors[3].after.bytes = 0;
  EXPECT_FALSE(is_servable(bad, kMemory)) << "an output has a size";
  bad = request();
  bad.tensors[1].after.offset = kMemory;
  EXPECT_FALSE(is_servable(bad, kMemory));
  bad = request();
  std::ranges::fill(bad.tensors[2].name, 'x');
  EXPECT_FALSE(is_servable(bad, kMemory)) << "a name ends";
  bad = request();
  bad.tensor_count = 5;
  EXPECT_FALSE(is_servable(bad, kMemory)) << "the signature has four";
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

/// Stands in for the judge's clock.
class TestGate : public Gate {
 public:
  void wait_for_go() override {
    calls.emplace_back("go");
    at_go();
  }
  void done() override {
    calls.emplace_back("done");
    at_done();
  }
  std::vector<std::string> calls;
  std::function<void()> at_go = [] {}, at_done = [] {};
};

class RunCase : public testing::Test {
 protected:
  RunCase() : memory_(kMemory), request_(request()) {
    for (size_t i = 0; i < 12; ++i) {
      const float value = static_cast<float>(i + 1);
      for (const size_t tensor : {kK, kV}) {
        std::memcpy(memory_.data() + request_.tensors[tensor].before.offset + 4 * i, &value, 4);
      }
      if (i < 8)
        std::memcpy(memory_.data() + request_.tensors[kQ].before.offset + 4 * i, &value, 4);
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
    return run_case(kept_, reinterpret_cast<void*>(entry), request_, memory_);
  }
  std::vector<float> before(size_t tensor) const { return floats(request_.tensors[tensor].before); }
  std::vector<float> after(size_t tensor) const { return floats(request_.tensors[tensor].after); }
  std::vector<float> floats(const protocol::Span& span) const {
    std::vector<float> values(span.bytes / 4);
    std::memcpy(values.data(), memory_.data() + span.offset, span.bytes);
    return values;
  }

  const Device device_;
  TestGate gate_;
  Kept kept_{device_, gate_, {}};
  std::vector<std::byte> memory_;
  protocol::CaseRequest request_;
};

TEST_F(RunCase, ATimedCallStartsAtGoAndItsOutputsAreThoseAtItsEnd) {
  float* output = nullptr;
  static float** seen = nullptr;
  seen = &output;
  const auto entry = [](const float*, const float*, const float*, float* O, AttentionShape shape,
                        Workspace&, cudaStream_t) {
    *seen = O;
    return cudaMemset(O, 0, sizeof(float) * shape.seq_q * shape.head_dim);
  };
  gate_.at_go = [&] { EXPECT_EQ(output, nullptr) << "called before the clock was started"; };
  gate_.at_done = [&] { cudaMemset(output, 0x3F, 4); };  // as a thread would that is late
  request_.timing = protocol::Timing::kCall;
  const protocol::CaseReply reply = run(+entry);
  EXPECT_EQ(gate_.calls, (std::vector<std::string>{"go", "done"}));
  EXPECT_EQ(after(kO), std::vector<float>(8));
  EXPECT_EQ(reply.guards_present, 0u);

  request_.timing = protocol::Timing::kEmpty;
  output = nullptr;
  gate_.at_done = [] {};
  run(+entry);
  EXPECT_EQ(gate_.calls.size(), 4u);
  EXPECT_EQ(output, nullptr) << "an empty call does not enter the submission";
}

TEST(Arena, HoldsWhatTheLargestCallAskedForAndIsPoisonedAnew) {
  Arena arena;
  arena.prepare();
  EXPECT_EQ(arena.take(100), nullptr) << "nothing is known of the first call";
  EXPECT_EQ(arena.take(300), nullptr);
  arena.prepare();
  void* first = arena.take(100);
  ASSERT_NE(first, nullptr);
  EXPECT_EQ(static_cast<std::byte*>(arena.take(300)), static_cast<std::byte*>(first) + 256);
  EXPECT_EQ(arena.take(513), nullptr) << "it was made for 256 + 512 bytes";
  cudaMemset(first, 0, 100);
  arena.prepare();
  first = arena.take(100);
  std::vector<std::byte> bytes(100);
  cudaMemcpy(bytes.data(), first, 100, cudaMemcpyDeviceToHost);
  EXPECT_EQ(bytes, std::vector<std::byte>(100, std::byte{0xFF}));
}

TEST(Arena, GivesTheWorkspaceOfATimedCall) {
  const Device device;
  Arena arena;
  for (int call = 0; call < 2; ++call) {
    arena.prepare();
    Buffers buffers(device, 1000, &arena);
    ASSERT_NE(Buffers::allocate_workspace(&buffers, "S", 600), nullptr) << "call " << call;
    EXPECT_EQ(Buffers::allocate_workspace(&buffers, "P", 401), nullptr) << "the limit holds";
    EXPECT_EQ(buffers.workspace_bytes(), 600u);
  }
}

TEST_F(RunCase, ReportsWhatTheSubmissionLeft) {
  spoil_q = false;
  const protocol::CaseReply reply = run(&copy_entry);
  EXPECT_EQ(reply.status, protocol::CallStatus::kReturned);
  EXPECT_EQ(reply.returned.code, cudaErrorInvalidValue);
  EXPECT_STREQ(reply.returned.name, "cudaErrorInvalidValue");
  EXPECT_EQ(reply.synchronise.code, cudaSuccess);
  EXPECT_EQ(reply.outputs_copied, 1u);
  EXPECT_EQ(after(kO), (std::vector<float>{1, 2, 3, 4, 5, 6, 7, 8}));
  EXPECT_EQ(after(kQ), before(kQ));
  EXPECT_EQ(after(kV), before(kV));
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
  EXPECT_NE(after(kQ), before(kQ));
}

void write(float* target, const std::vector<float>& values) {
  cudaMemcpy(target, values.data(), values.size() * sizeof(float), cudaMemcpyHostToDevice);
}
cudaError_t row_entry(const float*, float* m, float* l, RowShape shape, Workspace&, cudaStream_t) {
  write(m, {static_cast<float>(shape.rows), static_cast<float>(shape.columns)});
  write(l, {7});
  return cudaSuccess;
}
cudaError_t lse_entry(const float*, const float*, const float*, float*, float* L,
                      AttentionShape shape, Workspace&, cudaStream_t) {
  write(L, {shape.causal ? 1.0f : 0.0f, shape.scale});
  return cudaSuccess;
}

TEST_F(RunCase, EverySignatureGetsItsTensorsAndItsShape) {
  request_.kind = protocol::EntryKind::kAttentionForwardLse;
  request_.causal = 1;
  request_.scale = 0.25f;
  request_.tensors[request_.tensor_count++] = request_.tensors[kO];
  run(&lse_entry);
  EXPECT_EQ(after(4).at(0), 1.0f);
  EXPECT_EQ(after(4).at(1), 0.25f);

  request_.kind = protocol::EntryKind::kRowStatistics;
  request_.tensor_count = 3;
  request_.tensors[1] = request_.tensors[kO];
  request_.tensors[2].before = {};
  run(&row_entry);
  EXPECT_EQ(after(1).at(0), 2.0f);
  EXPECT_EQ(after(1).at(1), 3.0f);
  EXPECT_EQ(after(2).at(0), 7.0f);
}

TEST_F(RunCase, AnExceptionIsData) {
  const protocol::CaseReply reply = run(&throwing_entry);
  EXPECT_EQ(reply.status, protocol::CallStatus::kThrew);
  EXPECT_STREQ(reply.text, "no");
}

}  // namespace
}  // namespace flashlab::worker
