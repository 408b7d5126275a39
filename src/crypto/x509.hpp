#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "model/fqdn.hpp"
#include "model/identifiers.hpp"

namespace certherd::crypto {

/// What one certificate says. Names come from the SANs alone.
struct CertificateInfo {
  Serial serial;
  std::vector<std::string> names;  ///< DNS SANs, lower case, sorted
  std::string subject;             ///< one-line distinguished name
  std::string issuer;              ///< the issuer's commonName, else its distinguished name
  Time not_before;
  Time not_after;
  Fingerprint fingerprint;
  std::string public_key;  ///< DER SubjectPublicKeyInfo
  std::string ari_id;      ///< RFC 9773 section 4.1; empty without an authority key identifier
  bool is_ca = false;
};

/// Reads a PEM chain, leaf first. Nothing but CERTIFICATE blocks may be in it (RFC 8555 section
/// 9.1); at most 16. Errors: rejected.
Result<std::vector<CertificateInfo>> read_chain(std::string_view pem);

/// Reads one DER certificate. Errors: rejected.
Result<CertificateInfo> read_certificate(std::string_view der);

/// Holds what a CA handed out against what was asked: the leaf has `public_key`, exactly `names`,
/// is valid at `now` (up to an hour early is forgiven: clocks differ) and is no CA, and each
/// certificate is signed by the next. Errors: rejected, saying what differs.
Result<CertificateInfo> check_issued(std::string_view chain_pem, std::string_view public_key,
                                     const std::vector<Fqdn>& names, Time now);

/// Judges a chain (DER, leaf first) against the system's roots and those in `roots_pem`, at
/// `now`, for use as a TLS server. Dates of the leaf are left to the caller.
/// Errors: rejected with OpenSSL's reason.
Status check_trusted(const std::vector<std::string>& chain_der, std::string_view roots_pem,
                     Time now);

}  // namespace certherd::crypto
