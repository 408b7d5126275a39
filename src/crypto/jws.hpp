#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "crypto/private_key.hpp"

namespace certherd::crypto {

/// The public half as a JWK, members in the order of RFC 7638, without spaces.
std::string jwk(const PrivateKey& key);

/// RFC 7638, SHA-256, base64url.
std::string jwk_thumbprint(const PrivateKey& key);

/// RFC 7638 over a JWK in canonical form.
std::string jwk_thumbprint(std::string_view canonical_jwk);

/// ES256, ES384, RS256 or EdDSA, as the key wants.
std::string_view jws_algorithm(const PrivateKey& key);

/// A flattened JWS (RFC 7515 section 7.2.2). `protected_header` is the JSON text, alg included;
/// an empty payload makes a POST-as-GET. RSA takes milliseconds. Errors: rejected.
Result<std::string> sign_jws(const PrivateKey& key, std::string_view protected_header,
                             std::string_view payload);

/// The same under a shared secret: HS256, for external account bindings (RFC 8555 section 7.3.4).
std::string sign_jws_hs256(const Secret<std::string>& key, std::string_view protected_header,
                           std::string_view payload);

/// For tests and for checking what we sign. Errors: rejected.
Status verify_jws(const PrivateKey& key, std::string_view flattened_jws);

}  // namespace certherd::crypto
