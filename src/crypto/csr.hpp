#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "crypto/private_key.hpp"
#include "model/fqdn.hpp"

namespace certherd::crypto {

/// A PKCS #10 request in DER with all names as SANs and, as commonName, the first one of at most
/// 64 characters (RFC 5280's ub-common-name; without any, the subject is empty).
/// Errors: rejected.
Result<std::string> make_csr(const PrivateKey& key, const std::vector<Fqdn>& names);

/// The same bytes as PEM, as the vault keeps them.
std::string csr_to_pem(std::string_view der);

/// What a request asks for. Errors: rejected when it does not parse or its signature is wrong.
struct CsrInfo {
  std::vector<std::string> names;  ///< SANs, sorted
  std::string common_name;         ///< empty when there is none
  std::string public_key;          ///< DER SubjectPublicKeyInfo
};
Result<CsrInfo> read_csr(std::string_view der);

}  // namespace certherd::crypto
