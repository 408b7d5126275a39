#include "fakes/fake_probe.hpp"

#include "crypto/x509.hpp"

namespace certherd::fakes {

using namespace std::chrono_literals;

Task<Result<probe::Observation>> FakeProbe::look(Endpoint endpoint, Time) {
  const auto* before = target_.served(endpoint.host);
  const auto chain = before == nullptr ? std::string() : before->fullchain;
  co_await clock_.sleep_for(50ms);
  if (chain.empty() || clock_.now() < blind_until_) {
    co_return fail(Error::Kind::transient, "probe", endpoint.text() + " refuses the connection");
  }
  auto read = crypto::read_chain(chain);
  if (!read) co_return fail(std::move(read.error()));
  probe::Observation observation;
  observation.address = endpoint.text();
  observation.leaf = read->front();
  observation.name_matches = true;
  co_return observation;
}

Task<Result<std::vector<std::string>>> FakeProbe::addresses(Endpoint endpoint, Time) {
  std::vector<std::string> one = {endpoint.address.empty() ? "192.0.2.1" : endpoint.address};
  co_return one;
}

}  // namespace certherd::fakes
