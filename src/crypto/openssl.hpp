#pragma once
// OpenSSL's handles and conventions, for the files of this room only.

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.hpp"

namespace certherd::crypto {

template <auto Free>
struct Freed {
  template <typename T>
  void operator()(T* handle) const {
    Free(handle);
  }
};

inline void free_extensions(STACK_OF(X509_EXTENSION) * stack) {
  sk_X509_EXTENSION_pop_free(stack, X509_EXTENSION_free);
}
/// For stacks that do not own what is in them.
inline void free_stack(STACK_OF(X509) * stack) { sk_X509_free(stack); }
inline void free_bytes(unsigned char* bytes) { OPENSSL_free(bytes); }

using Bio = std::unique_ptr<BIO, Freed<BIO_free_all>>;
using BigNumber = std::unique_ptr<BIGNUM, Freed<BN_free>>;
using Bytes = std::unique_ptr<unsigned char, Freed<free_bytes>>;
using CertificateHandle = std::unique_ptr<X509, Freed<X509_free>>;
using CertificateStack = std::unique_ptr<STACK_OF(X509), Freed<free_stack>>;
using CipherContext = std::unique_ptr<EVP_CIPHER_CTX, Freed<EVP_CIPHER_CTX_free>>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, Freed<EVP_MD_CTX_free>>;
using EcdsaSignature = std::unique_ptr<ECDSA_SIG, Freed<ECDSA_SIG_free>>;
using Extension = std::unique_ptr<X509_EXTENSION, Freed<X509_EXTENSION_free>>;
using Extensions = std::unique_ptr<STACK_OF(X509_EXTENSION), Freed<free_extensions>>;
using Integer = std::unique_ptr<ASN1_INTEGER, Freed<ASN1_INTEGER_free>>;
using KeyHandle = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;
using Names = std::unique_ptr<GENERAL_NAMES, Freed<GENERAL_NAMES_free>>;
using RequestHandle = std::unique_ptr<X509_REQ, Freed<X509_REQ_free>>;
using Store = std::unique_ptr<X509_STORE, Freed<X509_STORE_free>>;
using StoreContext = std::unique_ptr<X509_STORE_CTX, Freed<X509_STORE_CTX_free>>;

/// OpenSSL's reason for the failure just seen; empties its queue, which the next user of this
/// thread would take for its own.
std::string take_reason();

/// For calls that fail only for want of memory or by a defect: throws std::runtime_error.
void ensure(bool success, const char* what);

inline const unsigned char* octets(std::string_view bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}
inline unsigned char* octets(std::string& bytes) {
  return reinterpret_cast<unsigned char*>(bytes.data());
}

/// The DER of an object by its i2d function.
template <typename Encode, typename Object>
std::string to_der(Encode encode, Object* object) {
  unsigned char* bytes = nullptr;
  const int size = encode(object, &bytes);
  ensure(size >= 0 && bytes != nullptr, "encode DER");
  const Bytes owner(bytes);
  return {reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size)};
}

/// An object from DER by its d2i function; null when there is more or less than one.
template <typename Handle, typename Decode>
Handle from_der(Decode decode, std::string_view der) {
  const unsigned char* position = octets(der);
  Handle object(decode(nullptr, &position, static_cast<long>(der.size())));
  if (position != octets(der) + der.size()) object.reset();
  return object;
}

/// The digest that goes with a key: null for Ed25519, which has its own.
const EVP_MD* digest_for(EVP_PKEY* key);

/// A memory buffer's content.
std::string content(BIO* bio);

/// One PEM block.
std::string to_pem(const char* label, std::string_view der);

/// DNS names and IPv4 addresses as a subjectAltName.
Extension make_san(const std::vector<std::string>& names, bool critical);

/// DNS names in a SAN, lower case, sorted.
std::vector<std::string> dns_names(const GENERAL_NAMES* names);

/// Adds a commonName in UTF-8.
void set_common_name(X509_NAME* name, std::string_view text);
/// The first commonName; empty without one.
std::string common_name(const X509_NAME* name);

/// RFC 5280 appendix A: ub-common-name.
constexpr std::size_t longest_common_name = 64;

Time to_time(const ASN1_TIME* time);

}  // namespace certherd::crypto
