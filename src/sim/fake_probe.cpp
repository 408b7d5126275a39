#include "sim/fake_probe.hpp"

#include <optional>
#include <utility>

#include "crypto/x509.hpp"

namespace certherd::sim {

using namespace std::chrono_literals;

Task<Result<probe::Observation>> FakeProbe::look(Endpoint endpoint, Time) {
  ++looks_;
  const auto* before = target_.leaf(endpoint.host);
  std::optional<crypto::CertificateInfo> leaf;
  if (before != nullptr) leaf = *before;
  co_await clock_.sleep_for(50ms);
  if (!leaf || clock_.now() < blind_until_) {
    co_return fail(Error::Kind::transient, "probe", endpoint.text() + " refuses the connection");
  }
  probe::Observation observation;
  observation.address = endpoint.text();
  observation.leaf = std::move(*leaf);
  observation.name_matches = true;
  co_return observation;
}

Task<Result<std::vector<std::string>>> FakeProbe::addresses(Endpoint endpoint, Time) {
  std::vector<std::string> one = {endpoint.address.empty() ? "192.0.2.1" : endpoint.address};
  co_return one;
}

}  // namespace certherd::sim
