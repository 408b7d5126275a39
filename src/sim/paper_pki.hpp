#pragma once

#include <cstdint>

#include "crypto/pki.hpp"

namespace certherd::sim {

/// Keys, requests and certificates of paper: they say what real ones say, and nothing is signed.
/// They are made and read in microseconds. The same for the same calls.
class PaperPki final : public crypto::Pki, public crypto::KeySource {
 public:
  /// A key that there was not before.
  Result<crypto::PrivateKey> generate(KeyType type) override;

  /// What a CA makes of a request: a chain of one. It is issued by "paper root".
  std::string issue(std::string_view public_key, const std::vector<std::string>& names,
                    std::uint64_t serial, Time not_before, Time not_after) const;

  Result<crypto::PrivateKey> read_key(const Secret<std::string>& pem) const override;
  Result<std::string> make_csr(const crypto::PrivateKey& key,
                               const std::vector<Fqdn>& names) const override;
  Result<crypto::CsrInfo> read_csr(std::string_view der) const override;
  Result<std::vector<crypto::CertificateInfo>> read_chain(std::string_view pem) const override;
  Result<crypto::CertificateInfo> check_issued(std::string_view chain_pem,
                                               std::string_view public_key,
                                               const std::vector<Fqdn>& names,
                                               Time now) const override;

 private:
  std::uint64_t keys_ = 0;
};

}  // namespace certherd::sim
