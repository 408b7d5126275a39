#include "crypto/csr.hpp"

#include <algorithm>

#include "crypto/openssl.hpp"

namespace certherd::crypto {
namespace {

constexpr std::size_t largest_request = 65536;

tl::unexpected<Error> bad_csr(std::string detail) {
  return fail(Error::Kind::rejected, "read CSR", std::move(detail));
}

}  // namespace

Result<std::string> make_csr(const PrivateKey& key, const std::vector<Fqdn>& names) {
  if (names.empty() || std::ranges::any_of(names, &Fqdn::empty)) {
    return fail(Error::Kind::rejected, "make CSR", "it needs at least one name, and no empty one");
  }
  std::vector<std::string> texts;
  texts.reserve(names.size());
  for (const Fqdn& name : names) texts.push_back(name.text());

  const RequestHandle request(X509_REQ_new());
  const Extensions extensions(sk_X509_EXTENSION_new_null());
  ensure(request != nullptr && extensions != nullptr &&
             X509_REQ_set_version(request.get(), X509_REQ_VERSION_1) == 1 &&
             X509_REQ_set_pubkey(request.get(), key.handle()) == 1,
         "make CSR");
  const auto fits = [](const std::string& text) { return text.size() <= longest_common_name; };
  if (const auto common = std::ranges::find_if(texts, fits); common != texts.end()) {
    set_common_name(X509_REQ_get_subject_name(request.get()), *common);
  }
  Extension san = make_san(texts, false);
  ensure(sk_X509_EXTENSION_push(extensions.get(), san.release()) > 0, "make CSR");
  ensure(X509_REQ_add_extensions(request.get(), extensions.get()) == 1, "make CSR");

  if (X509_REQ_sign(request.get(), key.handle(), digest_for(key.handle())) == 0) {
    return fail(Error::Kind::rejected, "sign CSR", take_reason());
  }
  return to_der(&i2d_X509_REQ, request.get());
}

std::string csr_to_pem(std::string_view der) { return to_pem("CERTIFICATE REQUEST", der); }

Result<CsrInfo> read_csr(std::string_view der) {
  if (der.size() > largest_request) return bad_csr("it is too long");
  const auto request = from_der<RequestHandle>(&d2i_X509_REQ, der);
  if (!request) return bad_csr("it is not a PKCS #10 request: " + take_reason());
  EVP_PKEY* const key = X509_REQ_get0_pubkey(request.get());
  if (key == nullptr || X509_REQ_verify(request.get(), key) != 1) {
    take_reason();
    return bad_csr("its signature is wrong");
  }

  CsrInfo info;
  info.common_name = common_name(X509_REQ_get_subject_name(request.get()));
  info.public_key = to_der(&i2d_X509_PUBKEY, X509_REQ_get_X509_PUBKEY(request.get()));
  const Extensions extensions(X509_REQ_get_extensions(request.get()));
  const Names names(static_cast<GENERAL_NAMES*>(
      X509V3_get_d2i(extensions.get(), NID_subject_alt_name, nullptr, nullptr)));
  info.names = dns_names(names.get());
  take_reason();  // of extensions that are not there or cannot be read
  return info;
}

}  // namespace certherd::crypto
