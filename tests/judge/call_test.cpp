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
  CheckCall() : lab_(load_lab(TEST_LAB_TOML)), inputs_{{1, 2}, {3, 4}, {5, 6}} {
    call_.reply.status = protocol::CallStatus::kReturned;
    call_.reply.outputs_copied = 1;
    call_.reply.guards_present = 1;
    call_.reply.buffer_count = 5;
    std::strcpy(call_.reply.buffers[4].name, "S");
    call_.O = {1, 1};
    call_.q_after = inputs_.Q;
    call_.k_after = inputs_.K;
    call_.v_after = inputs_.V;
    call_.guards.assign(2 * protocol::kMaxBuffers * protocol::kGuardBytes,
                        std::byte{protocol::kGuardByte});
    call_.meters.values["launches"] = 1;
  }

  /// The verdict, or "ok".
  std::string verdict() {
    result_ = CaseResult();
    return check_call(lab_, inputs_, call_, result_) ? "ok" : result_.message;
  }

  Lab lab_;
  Inputs inputs_;
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
  EXPECT_EQ(verdict(), "ok") << "a real GPU does not count launches";
}

TEST_F(CheckCall, AChangedInputFails) {
  call_.v_after[1] = 7;
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
