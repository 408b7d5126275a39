#pragma once

#include <cstdint>

#include "probe/probe.hpp"
#include "runtime/clock.hpp"
#include "sim/fake_target.hpp"

namespace certherd::sim {

/// Sees what a FakeTarget serves, a little later than it was installed.
class FakeProbe final : public probe::Probe {
 public:
  FakeProbe(runtime::Clock& clock, const FakeTarget& target) : clock_(clock), target_(target) {}

  Task<Result<probe::Observation>> look(Endpoint endpoint, Time deadline) override;

  Task<Result<std::vector<std::string>>> addresses(Endpoint endpoint, Time deadline) override;

  /// Until then it reaches nobody.
  void be_blind_until(Time when) { blind_until_ = when; }
  std::uint64_t looks() const { return looks_; }

 private:
  runtime::Clock& clock_;
  const FakeTarget& target_;
  Time blind_until_{};
  std::uint64_t looks_ = 0;
};

}  // namespace certherd::sim
