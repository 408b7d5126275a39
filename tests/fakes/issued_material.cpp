#include "fakes/issued_material.hpp"

#include <utility>

#include "crypto/csr.hpp"

namespace certherd::fakes {

Material Issuer::issue(const std::vector<std::string>& names, std::uint64_t serial) const {
  return issue(crypto::PrivateKey::generate(KeyType::ecdsa_p256).value(), names, serial);
}

Material Issuer::issue(const crypto::PrivateKey& key, const std::vector<std::string>& names,
                       std::uint64_t serial) const {
  std::vector<Fqdn> hosts;
  for (const auto& name : names) hosts.push_back(Fqdn::literal(name));
  constexpr auto validity = std::chrono::days(90);
  return {.csr = crypto::csr_to_pem(crypto::make_csr(key, hosts).value()),
          .private_key = key.to_pem(),
          .fullchain = ca_.issue(key.public_key(), names, serial, now_, now_ + validity)};
}

}  // namespace certherd::fakes
