#pragma once

#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "crypto/openssl.hpp"
#include "crypto/x509.hpp"

namespace certherd::crypto {

/// The certificates of a PEM text with nothing else in it. Errors: rejected.
Result<std::vector<CertificateHandle>> parse_chain(std::string_view pem);

/// One certificate from DER. Errors: rejected.
Result<CertificateHandle> parse_certificate(std::string_view der);

CertificateInfo describe(X509* certificate);

/// The subjectAltName; null when there is none that can be read.
Names alternative_names(const X509* certificate);

}  // namespace certherd::crypto
