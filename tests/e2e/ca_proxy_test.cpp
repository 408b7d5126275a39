#include <gmock/gmock.h>

#include <atomic>
#include <boost/json.hpp>
#include <csignal>

#include "end_to_end.hpp"
#include "pebble_log.hpp"

namespace certherd::e2e {
namespace {

using namespace std::chrono_literals;
using Kind = CaRequest::Kind;

class ThroughTheProxy : public OnStage {
 protected:
  void SetUp() override {
    set_stage({.domains = 1});
    set_proxy();
    add_inventory();
  }
};

TEST_F(ThroughTheProxy, AnHonestOneIsNotNoticed) {
  const auto issued = run({"--json", "run", "--once"});
  EXPECT_EQ(issued.status, 0) << issued.err;
  EXPECT_EQ(issued.json().at("summary").at("issued"), 1);
  for (const auto kind :
       {Kind::directory, Kind::nonce, Kind::new_account, Kind::new_order, Kind::authorization,
        Kind::challenge, Kind::finalize, Kind::certificate}) {
    EXPECT_GE(proxy_->count(kind), 1) << static_cast<int>(kind);
  }
  EXPECT_EQ(proxy_->count(Kind::other), 0);
}

TEST_F(ThroughTheProxy, WhatTheCaDidBeforeAKillIsTakenUp) {
  std::atomic<Program*> program = nullptr;
  std::atomic<bool> killed = false;
  proxy_->set_hook([&](const CaRequest& request, const CaProxy::Forward& forward) {
    auto answer = forward();
    if (request.kind == Kind::new_order && !killed.exchange(true)) {
      EXPECT_TRUE(request.payload().contains("identifiers"));
      program.wait(nullptr);  // until the test has it
      program.load()->send(SIGKILL);
      return hang_up();
    }
    return answer;
  });
  auto first = start({"run", "--once"});
  program = first.get();
  program.notify_all();
  EXPECT_EQ(first->wait().status, 128 + SIGKILL);
  const auto second = run({"run", "--once"});
  EXPECT_EQ(second.status, 0) << second.err;
  EXPECT_EQ(proxy_->count(Kind::new_order), 1);
  EXPECT_EQ(read_pebble_log(pebble_log()).issued.size(), 1U);
}

}  // namespace
}  // namespace certherd::e2e
