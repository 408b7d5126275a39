#include "crypto/jws.hpp"

#include <fmt/format.h>
#include <openssl/core_names.h>

#include <boost/json.hpp>

#include "crypto/encoding.hpp"
#include "crypto/openssl.hpp"

namespace certherd::crypto {
namespace {

/// Octets of one coordinate and of each half of a signature (RFC 7518 sections 3.4 and 6.2.1.2).
std::size_t coordinate_size(KeyType type) { return type == KeyType::ecdsa_p384 ? 48 : 32; }

bool is_elliptic(KeyType type) {
  return type == KeyType::ecdsa_p256 || type == KeyType::ecdsa_p384;
}

/// Big-endian, with zeros in front up to `size`; 0: as short as it goes.
std::string number_octets(const BIGNUM* number, std::size_t size) {
  const auto needed = static_cast<std::size_t>(BN_num_bytes(number));
  std::string bytes(size == 0 ? needed : size, '\0');
  ensure(BN_bn2binpad(number, octets(bytes), static_cast<int>(bytes.size())) >= 0,
         "write a number");
  return bytes;
}

std::string key_number(const PrivateKey& key, const char* parameter, std::size_t size) {
  BIGNUM* number = nullptr;
  ensure(EVP_PKEY_get_bn_param(key.handle(), parameter, &number) == 1, "read a public key");
  const BigNumber owner(number);
  return base64url(number_octets(number, size));
}

std::string edwards_point(const PrivateKey& key) {
  std::string point(32, '\0');
  std::size_t size = point.size();
  ensure(
      EVP_PKEY_get_raw_public_key(key.handle(), octets(point), &size) == 1 && size == point.size(),
      "read a public key");
  return base64url(point);
}

/// JWS wants r and s side by side, OpenSSL gives a DER sequence (RFC 7518 section 3.4).
std::string signature_to_jws(std::string_view der, std::size_t size) {
  const auto signature = from_der<EcdsaSignature>(&d2i_ECDSA_SIG, der);
  ensure(signature != nullptr, "read a signature");
  return number_octets(ECDSA_SIG_get0_r(signature.get()), size) +
         number_octets(ECDSA_SIG_get0_s(signature.get()), size);
}

std::string signature_from_jws(std::string_view raw, std::size_t size) {
  BigNumber r(BN_bin2bn(octets(raw), static_cast<int>(size), nullptr));
  BigNumber s(BN_bin2bn(octets(raw.substr(size)), static_cast<int>(size), nullptr));
  const EcdsaSignature signature(ECDSA_SIG_new());
  ensure(signature != nullptr && r != nullptr && s != nullptr, "write a signature");
  // It takes both over, and fails only when one is null.
  ensure(ECDSA_SIG_set0(signature.get(), r.release(), s.release()) == 1, "write a signature");
  return to_der(&i2d_ECDSA_SIG, signature.get());
}

tl::unexpected<Error> bad_jws(std::string detail) {
  return fail(Error::Kind::rejected, "verify JWS", std::move(detail));
}

std::string flattened(std::string_view header, std::string_view payload,
                      std::string_view signature) {
  return fmt::format(R"({{"protected":"{}","payload":"{}","signature":"{}"}})", header, payload,
                     base64url(signature));
}

/// A member that is a string; nothing otherwise.
std::optional<std::string> text_member(const boost::json::value& value, std::string_view name) {
  const auto* const object = value.if_object();
  const auto* const member = object != nullptr ? object->if_contains(name) : nullptr;
  const auto* const text = member != nullptr ? member->if_string() : nullptr;
  if (text == nullptr) return std::nullopt;
  return std::string(*text);
}

}  // namespace

std::string jwk(const PrivateKey& key) {
  const KeyType type = key.type();
  if (type == KeyType::ed25519) {  // RFC 8037 section 2
    return fmt::format(R"({{"crv":"Ed25519","kty":"OKP","x":"{}"}})", edwards_point(key));
  }
  if (is_elliptic(type)) {
    const std::size_t size = coordinate_size(type);
    return fmt::format(R"({{"crv":"{}","kty":"EC","x":"{}","y":"{}"}})",
                       type == KeyType::ecdsa_p384 ? "P-384" : "P-256",
                       key_number(key, OSSL_PKEY_PARAM_EC_PUB_X, size),
                       key_number(key, OSSL_PKEY_PARAM_EC_PUB_Y, size));
  }
  return fmt::format(R"({{"e":"{}","kty":"RSA","n":"{}"}})",
                     key_number(key, OSSL_PKEY_PARAM_RSA_E, 0),
                     key_number(key, OSSL_PKEY_PARAM_RSA_N, 0));
}

std::string jwk_thumbprint(const PrivateKey& key) { return jwk_thumbprint(jwk(key)); }

std::string jwk_thumbprint(std::string_view canonical_jwk) {
  return base64url(sha256(canonical_jwk));
}

std::string_view jws_algorithm(const PrivateKey& key) {
  switch (key.type()) {
    case KeyType::ecdsa_p256:
      return "ES256";
    case KeyType::ecdsa_p384:
      return "ES384";
    case KeyType::ed25519:
      return "EdDSA";
    case KeyType::rsa_2048:
    case KeyType::rsa_3072:
    case KeyType::rsa_4096:
      return "RS256";
  }
  return {};
}

Result<std::string> sign_jws(const PrivateKey& key, std::string_view protected_header,
                             std::string_view payload) {
  const std::string header = base64url(protected_header);
  const std::string body = base64url(payload);
  const std::string input = header + "." + body;

  const DigestContext context(EVP_MD_CTX_new());
  ensure(context != nullptr, "sign JWS");
  std::string signature(static_cast<std::size_t>(EVP_PKEY_get_size(key.handle())), '\0');
  std::size_t size = signature.size();
  if (EVP_DigestSignInit(context.get(), nullptr, digest_for(key.handle()), nullptr, key.handle()) !=
          1 ||
      EVP_DigestSign(context.get(), octets(signature), &size, octets(input), input.size()) != 1) {
    return fail(Error::Kind::rejected, "sign JWS", take_reason());
  }
  signature.resize(size);
  if (is_elliptic(key.type())) signature = signature_to_jws(signature, coordinate_size(key.type()));

  return flattened(header, body, signature);
}

std::string sign_jws_hs256(const Secret<std::string>& key, std::string_view protected_header,
                           std::string_view payload) {
  const std::string header = base64url(protected_header);
  const std::string body = base64url(payload);
  return flattened(header, body, hmac("SHA256", key.reveal(), header + "." + body));
}

Status verify_jws(const PrivateKey& key, std::string_view flattened_jws) {
  boost::system::error_code error;
  const auto jws = boost::json::parse(flattened_jws, error);
  if (error) return bad_jws("it is not JSON");
  const auto header = text_member(jws, "protected");
  const auto payload = text_member(jws, "payload");
  const auto encoded = text_member(jws, "signature");
  if (!header || !payload || !encoded) return bad_jws("a member is missing");

  auto header_text = from_base64url(*header);
  auto signature = from_base64url(*encoded);
  if (!header_text || !signature) return bad_jws("a member is not in base64url");
  const auto header_json = boost::json::parse(*header_text, error);
  if (error || text_member(header_json, "alg") != jws_algorithm(key)) {
    return bad_jws("its algorithm is not the key's");
  }
  if (is_elliptic(key.type())) {
    const std::size_t size = coordinate_size(key.type());
    if (signature->size() != 2 * size) return bad_jws("the signature has the wrong length");
    *signature = signature_from_jws(*signature, size);
  }

  const std::string input = *header + "." + *payload;
  const DigestContext context(EVP_MD_CTX_new());
  ensure(context != nullptr, "verify JWS");
  if (EVP_DigestVerifyInit(context.get(), nullptr, digest_for(key.handle()), nullptr,
                           key.handle()) != 1 ||
      EVP_DigestVerify(context.get(), octets(*signature), signature->size(), octets(input),
                       input.size()) != 1) {
    take_reason();
    return bad_jws("the signature is wrong");
  }
  return {};
}

}  // namespace certherd::crypto
