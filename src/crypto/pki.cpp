#include "crypto/pki.hpp"

namespace certherd::crypto {
namespace {

class OpensslPki final : public Pki {
 public:
  Result<PrivateKey> read_key(const Secret<std::string>& pem) const override {
    return PrivateKey::from_pem(pem);
  }
  Result<std::string> make_csr(const PrivateKey& key,
                               const std::vector<Fqdn>& names) const override {
    return crypto::make_csr(key, names);
  }
  Result<CsrInfo> read_csr(std::string_view der) const override { return crypto::read_csr(der); }
  Result<std::vector<CertificateInfo>> read_chain(std::string_view pem) const override {
    return crypto::read_chain(pem);
  }
  Result<CertificateInfo> check_issued(std::string_view chain_pem, std::string_view public_key,
                                       const std::vector<Fqdn>& names, Time now) const override {
    return crypto::check_issued(chain_pem, public_key, names, now);
  }
};

}  // namespace

const Pki& openssl_pki() {
  static const OpensslPki pki;
  return pki;
}

}  // namespace certherd::crypto
