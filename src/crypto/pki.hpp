#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "base/secret.hpp"
#include "crypto/csr.hpp"
#include "crypto/private_key.hpp"
#include "crypto/x509.hpp"

namespace certherd::crypto {

/// How keys, requests and chains are made and read on the way of an issuance. The real ones are
/// OpenSSL's; a simulation, whose years would be spent on hardly anything else (a certificate costs
/// milliseconds), has papers of its own. Nothing that reaches a CA, a vault or a target outside of
/// a simulation is made by another one than openssl_pki(). Errors as the functions of these names.
class Pki {
 public:
  virtual ~Pki() = default;

  virtual Result<PrivateKey> read_key(const Secret<std::string>& pem) const = 0;
  virtual Result<std::string> make_csr(const PrivateKey& key,
                                       const std::vector<Fqdn>& names) const = 0;
  virtual Result<CsrInfo> read_csr(std::string_view der) const = 0;
  virtual Result<std::vector<CertificateInfo>> read_chain(std::string_view pem) const = 0;
  virtual Result<CertificateInfo> check_issued(std::string_view chain_pem,
                                               std::string_view public_key,
                                               const std::vector<Fqdn>& names, Time now) const = 0;
};

const Pki& openssl_pki();

}  // namespace certherd::crypto
