// The checks of a reply: by the client before anything is read, and by the cases before numbers are
// compared.
#include <gtest/gtest.h>

#include <cstring>
#include <functional>

#include "cases/case.hpp"
#include "client/validate.hpp"

namespace flashlab::judge {
namespace {

using protocol::CaseReply;
using protocol::CaseRequest;

TEST(Protocol, OnlyWholeMessagesOfTheRightTypeCount) {
  CaseReply reply;
  protocol::seal(reply, 3);
  EXPECT_TRUE(protocol::is_whole(reply, sizeof reply));
  EXPECT_FALSE(protocol::is_whole(reply, sizeof reply - 1));
  EXPECT_FALSE(protocol::is_whole(reply, sizeof reply + 1));
  for (const auto& spoil : std::vector<std::function<void(protocol::Header&)>>{
           [](auto& h) { h.magic ^= 1; }, [](auto& h) { ++h.version; },
           [](auto& h) { h.type = protocol::MessageType::kHello; }, [](auto& h) { --h.size; }}) {
    CaseReply bad = reply;
    spoil(bad.header);
    EXPECT_FALSE(protocol::is_whole(bad, sizeof bad));
  }
}

TEST(Protocol, SpansMustLieInside) {
  EXPECT_TRUE(protocol::fits({0, 10}, 10));
  EXPECT_TRUE(protocol::fits({10, 0}, 10));
  EXPECT_FALSE(protocol::fits({1, 10}, 10));
  EXPECT_FALSE(protocol::fits({~uint64_t{0}, 2}, 10)) << "the sum would wrap around";
}

TEST(Validate, FindsViolations) {
  CaseRequest request;
  request.header.id = 7;
  request.workspace_limit = 100;
  CaseReply good;
  good.header.id = 7;
  good.status = protocol::CallStatus::kReturned;
  EXPECT_EQ(find_violation(good, request), std::nullopt);
  for (const auto& spoil : std::vector<std::function<void(CaseReply&)>>{
           [](auto& r) { r.header.id = 6; },
           [](auto& r) { r.status = static_cast<protocol::CallStatus>(99); },
           [](auto& r) { r.buffer_count = protocol::kMaxBuffers + 1; },
           [](auto& r) { r.workspace_bytes = 101; }}) {
    CaseReply bad = good;
    spoil(bad);
    EXPECT_TRUE(find_violation(bad, request));
  }
}

TEST(Validate, TerminatesTexts) {
  CaseReply reply;
  std::memset(reply.text, 'x', sizeof reply.text);
  std::memset(reply.returned.name, 'x', sizeof reply.returned.name);
  std::memset(reply.buffers[protocol::kMaxBuffers - 1].name, 'x', protocol::kNameBytes);
  find_violation(reply, CaseRequest());
  EXPECT_EQ(std::strlen(reply.text), sizeof reply.text - 1);
  EXPECT_EQ(std::strlen(reply.returned.name), sizeof reply.returned.name - 1);
  EXPECT_EQ(std::strlen(reply.buffers[protocol::kMaxBuffers - 1].name), protocol::kNameBytes - 1);
}

class CheckCall : public testing::Test {
 protected:
  CheckCall()
      : lab_(load_lab(TEST_LAB_TOML)),
        inputs_{{"Q", {1, 2}}, {"K", {3, 4}}, {"V", {5, 6}}},
        spec_(lab_.cases.front()) {
    call_.reply.status = protocol::CallStatus::kReturned;
    call_.reply.outputs_copied = 1;
    call_.reply.guards_present = 1;
    call_.reply.buffer_count = 5;
    std::strcpy(call_.reply.buffers[4].name, "S");
    call_.tensors = inputs_;
    call_.tensors.push_back({"O", {1, 1}});
    call_.guards.assign(2 * protocol::kMaxBuffers * protocol::kGuardBytes,
                        std::byte{protocol::kGuardByte});
    call_.meters.values["launches"] = 1;
    call_.meters.values["launched_threads"] = 1;
  }

  /// The verdict, or "ok".
  std::string verdict() {
    result_ = CaseResult();
    return check_call(lab_, spec_, inputs_, call_, result_) ? "ok" : result_.message;
  }

  Lab lab_;
  std::vector<Input> inputs_;
  CaseSpec spec_;
  CallResult call_;
  CaseResult result_;
};

TEST_F(CheckCall, AcceptsAnHonestCall) {
  EXPECT_EQ(verdict(), "ok");
}

TEST_F(CheckCall, NoLaunchFails) {
  call_.meters.values["launches"] = 0;
  EXPECT_NE(verdict().find("No kernel was launched"), std::string::npos);
  call_.meters.values.erase("launches");
  EXPECT_NE(verdict().find("No kernel was launched"), std::string::npos);
}

TEST_F(CheckCall, TooFewThreadsForTheResultsFail) {
  lab_.results_per_thread = 2;
  EXPECT_EQ(verdict(), "ok") << "two results, one thread";
  lab_.results_per_thread = 1.9;
  EXPECT_NE(verdict().find("1 threads in all for 2 results"), std::string::npos) << verdict();
}

TEST_F(CheckCall, CopyingEverythingToTheHostAndBackFails) {
  const double all = 8 * sizeof(float);  // of Q, K, V and O
  lab_.host_copy_bytes = 16;
  call_.meters.values["host_copy_bytes"] = all - 1;
  EXPECT_EQ(verdict(), "ok");
  call_.meters.values["host_copy_bytes"] = all;
  EXPECT_NE(verdict().find("copied between the host and the device"), std::string::npos);
  lab_.host_copy_bytes = 32;
  EXPECT_EQ(verdict(), "ok") << "so little may be a table";
}

TEST_F(CheckCall, AChangedInputFails) {
  call_.tensors[2].values[1] = 7;
  EXPECT_NE(verdict().find("input V was changed"), std::string::npos);
  EXPECT_EQ(result_.status, Status::kFailed);
}

TEST_F(CheckCall, ABrokenGuardFails) {
  call_.guards[(2 * 4 + 1) * protocol::kGuardBytes] = std::byte{0};
  EXPECT_NE(verdict().find("behind buffer S"), std::string::npos) << verdict();
  call_.reply.guards_present = 0;
  EXPECT_EQ(verdict(), "ok") << "the virtual GPU has none";
}

TEST_F(CheckCall, ErrorsAreToldWithTheReportOfTheDevice) {
  call_.reply.synchronise.code = 700;
  std::strcpy(call_.reply.synchronise.name, "cudaErrorIllegalAddress");
  call_.meters.fault = Fault{"IllegalAddress", "out of bounds at kernel.cu:7"};
  EXPECT_NE(verdict().find("kernel.cu:7"), std::string::npos);
  EXPECT_NE(verdict().find("cudaErrorIllegalAddress (700)"), std::string::npos);
  EXPECT_FALSE(result_.timed_out);
}

TEST_F(CheckCall, ATimeOutOfALaunchIsAHang) {
  call_.reply.synchronise.code = 702;
  EXPECT_NE(verdict(), "ok");
  EXPECT_TRUE(result_.timed_out);
}

TEST_F(CheckCall, WhatTheVirtualGpuCannotDoIsNotTheStudentsFault) {
  call_.reply.synchronise.code = 801;
  EXPECT_NE(verdict(), "ok");
  EXPECT_EQ(result_.status, Status::kError);
}

TEST_F(CheckCall, AFindingFails) {
  lab_.sections["correctness"] = "handout 1, section 9";
  call_.meters.findings = {"race at kernel.cu:12", "race at kernel.cu:14"};
  EXPECT_EQ(verdict(), "race at kernel.cu:12\n... and 1 more findings");
  EXPECT_EQ(result_.handout, "handout 1, section 9");
}

class Conclude : public CheckCall {
 protected:
  CaseResult concluded(bool is_right) {
    CaseResult result;
    result.max_points = spec_.points;
    if (!is_right) fail(result, "O is wrong", "");
    conclude(lab_, spec_, is_right, result);
    return result;
  }
};

TEST_F(Conclude, ARightResultGetsItsPoints) {
  EXPECT_EQ(concluded(true).status, Status::kPassed);
  EXPECT_EQ(concluded(true).points, spec_.points);
  EXPECT_EQ(concluded(false).status, Status::kFailed);
}

TEST_F(Conclude, WhatIsNotTheResultIsNotGradedWhileTheResultIsWrong) {
  spec_.checks = true;
  EXPECT_EQ(concluded(false).status, Status::kSkipped);
  EXPECT_EQ(concluded(false).points, 0);
  EXPECT_EQ(concluded(true).status, Status::kPassed);
}

TEST_F(Conclude, AnUnexplainedFailureSaysWhatIsSpecialAboutTheCase) {
  spec_.hint = "one row more than a warp";
  EXPECT_EQ(concluded(false).message, "O is wrong\nThis case: one row more than a warp.");
  CaseResult result;
  result.message = "O is wrong";
  result.diagnosis = Diagnosis{"wrong_scale", "", ""};
  conclude(lab_, spec_, false, result);
  EXPECT_EQ(result.message, "O is wrong") << "the diagnosis says it better";
}

TEST_F(CheckCall, AFailedPreparationIsTheGradersFault) {
  call_.reply.status = protocol::CallStatus::kSetupFailed;
  EXPECT_NE(verdict(), "ok");
  EXPECT_EQ(result_.status, Status::kError);
}

TEST_F(CheckCall, ARefusedWorkspaceIsExplained) {
  call_.reply.returned.code = 2;
  call_.reply.refused_allocations = 1;
  EXPECT_NE(verdict().find("refused 1 of your requests: it has 1,048,576 bytes"), std::string::npos)
      << verdict();
}

}  // namespace
}  // namespace flashlab::judge
