#include "deploy/acceptance.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "crypto/private_key.hpp"
#include "crypto/x509.hpp"

namespace certherd::deploy {

bool Acceptance::takes(KeyType type) const { return std::ranges::count(keys, type) > 0; }

std::vector<KeyType> every_key_type() {
  return {certificate_key_types.begin(), certificate_key_types.end()};
}

Status check_accepted(const Acceptance& acceptance, const Material& material) {
  const std::string op = "check the certificate for the target";
  auto key = crypto::PrivateKey::from_pem(material.private_key);
  if (!key) return fail(std::move(key.error()).during(op));
  if (!acceptance.takes(key->type())) {
    std::string taken;
    for (const auto type : acceptance.keys) {
      taken += fmt::format("{}{}", taken.empty() ? "" : ", ", to_string(type));
    }
    return fail(Error::Kind::misconfigured, op,
                fmt::format("its key is {}, and the target takes {}: set `key` to one of these, or "
                            "to auto, and issue again",
                            to_string(key->type()), taken));
  }
  auto chain = crypto::split_chain(material.fullchain);
  if (!chain) return fail(std::move(chain.error()).during(op));
  if (acceptance.chain == Acceptance::Chain::with_intermediates && chain->others.empty()) {
    return fail(Error::Kind::misconfigured, op,
                "its chain has no intermediate certificate, and the target wants one: choose "
                "another `preferred_chain` or `profile` of the CA");
  }
  return {};
}

}  // namespace certherd::deploy
