#include <openssl/x509.h>

#include <algorithm>
#include <boost/json.hpp>

#include "crypto/csr.hpp"
#include "crypto/encoding.hpp"
#include "crypto/jws.hpp"
#include "crypto/private_key.hpp"
#include "crypto/sealer.hpp"
#include "crypto/x509.hpp"
#include "fuzz/fuzz.hpp"
#include "fuzz/targets.hpp"
#include "model/serial.hpp"

namespace certherd::fuzz {
namespace {

constexpr std::string_view hex_digits = "0123456789abcdef";

bool is_hex(std::string_view text) {
  return text.size() % 2 == 0 && text.find_first_not_of(hex_digits) == std::string_view::npos;
}

void expect_names(const std::vector<std::string>& names) {
  expect(std::ranges::is_sorted(names), "names are sorted");
  for (const auto& name : names) {
    expect(std::ranges::none_of(name, [](char c) { return c >= 'A' && c <= 'Z'; }),
           "names are in lower case");
  }
}

void expect_certificate(const crypto::CertificateInfo& info) {
  std::string_view serial = info.serial.text();
  serial.remove_prefix(serial.starts_with('-') ? 1 : 0);
  expect(is_hex(serial), "a serial is in hex");
  expect(is_hex(info.fingerprint.text()) && info.fingerprint.text().size() == 64,
         "a fingerprint is a SHA-256");
  expect_names(info.names);
  const auto dot = info.ari_id.find('.');
  if (!info.ari_id.empty()) {
    expect(dot != std::string::npos && crypto::from_base64url(info.ari_id.substr(0, dot)) &&
               crypto::from_base64url(info.ari_id.substr(dot + 1)),
           "an ARI id is two numbers in base64url");
  }
  for (const auto time : {info.not_before, info.not_after}) {
    const auto whole = std::chrono::floor<std::chrono::seconds>(time);
    expect(parse_time(format_time(time)) == Time(whole), "dates can be told and read again");
  }
  crypto::key_text(info.public_key);
}

/// As a server would have shown it.
void judge(std::string_view der) {
  static const auto roots = *crypto::TrustedRoots::load("");
  const auto* position = reinterpret_cast<const unsigned char*>(der.data());
  const std::unique_ptr<X509, decltype(&X509_free)> certificate(
      d2i_X509(nullptr, &position, static_cast<long>(der.size())), &X509_free);
  if (certificate == nullptr) return;
  const std::unique_ptr<STACK_OF(X509), void (*)(STACK_OF(X509)*)> stack(
      sk_X509_new_null(), [](STACK_OF(X509) * all) { sk_X509_free(all); });
  for (int i = 0; i < 2; ++i) sk_X509_push(stack.get(), certificate.get());
  const crypto::ServedChain served(stack.get());
  for (const auto& info : served.describe()) expect_certificate(info);
  is_good(roots.judge(served, now));
}

}  // namespace

/// One certificate in DER.
void certificate(std::string_view input) {
  judge(input);
  const auto read = crypto::read_certificate(input);
  if (!is_good(read)) return;
  expect_certificate(*read);
  const auto parts = crypto::split_chain("-----BEGIN CERTIFICATE-----\n" + crypto::base64(input) +
                                         "\n-----END CERTIFICATE-----\n");
  expect(parts && parts->others.empty(), "a certificate alone is a chain");
}

/// A chain in PEM, as a CA hands it out, a vault keeps it and a config names it.
void chain(std::string_view input) {
  const auto read = crypto::read_chain(input);
  const auto parts = crypto::split_chain(input);
  expect(is_good(read) == is_good(parts), "what can be read can be taken apart");
  is_good(crypto::check_issued(input, "", {Fqdn::literal("example.org")}, now));
  if (!read) return;
  expect(!read->empty() && read->size() <= 16, "a chain is of 1 to 16 certificates");
  for (const auto& info : *read) expect_certificate(info);

  const auto again = crypto::read_chain(parts->leaf + parts->others);
  expect(again && again->size() == read->size(), "a chain in pieces is the same chain");
  for (std::size_t i = 0; i < read->size(); ++i) {
    expect((*again)[i].serial == (*read)[i].serial && (*again)[i].names == (*read)[i].names &&
               (*again)[i].public_key == (*read)[i].public_key,
           "its certificates are the same");
  }
  std::vector<Fqdn> names;
  for (const auto& text : read->front().names) {
    if (auto name = Fqdn::parse(text)) names.push_back(std::move(*name));
  }
  is_good(crypto::check_issued(input, read->front().public_key, names, read->front().not_before));
}

/// A PKCS #10 request in DER.
void csr(std::string_view input) {
  const auto read = crypto::read_csr(input);
  if (!is_good(read)) return;
  expect_names(read->names);
  crypto::key_text(read->public_key);
}

/// Base64 of both kinds, serials, and what is sealed in the store.
void encoding(std::string_view input) {
  const std::string text(input);
  expect(crypto::from_base64(crypto::base64(input)) == text, "base64 is read again");
  expect(crypto::from_base64url(crypto::base64url(input)) == text, "base64url is read again");
  if (const auto bytes = crypto::from_base64(input); is_good(bytes)) {
    expect(crypto::base64(*bytes) == text, "one text in base64 for the same octets");
  }
  if (const auto bytes = crypto::from_base64url(input); is_good(bytes)) {
    expect(crypto::base64url(*bytes) == text, "one text in base64url for the same octets");
  }
  if (const auto serial = crypto::serial_from_decimal(text)) {
    expect(is_hex(serial->text()) && serial->text().size() <= 40, "a serial is at most 20 octets");
  }
  if (const auto serial = parse_serial(input)) {
    expect(parse_serial(serial->text()) == serial, "a serial is read the same again");
  }
  static const auto sealer = *crypto::Sealer::make(Secret<std::string>(std::string(32, 'k')));
  expect(!is_good(sealer.open(input, "purpose")), "nobody else can seal");
  const auto opened = sealer.open(sealer.seal(Secret<std::string>(text), "purpose"), "purpose");
  expect(opened && opened->reveal() == text, "what is sealed can be opened");
  if (const auto other = crypto::Sealer::from_key_text(Secret<std::string>(text)); is_good(other)) {
    expect(is_hex(other->key_id()), "a key of a seal has an id");
  }
}

/// What is signed, header and payload apart by a line of hyphens; and what claims to be signed.
void jws(std::string_view input) {
  static const auto key = *crypto::PrivateKey::generate(KeyType::ed25519);
  expect(!is_good(crypto::verify_jws(key, input)), "nobody else can sign");
  const auto parts = parts_of(input);
  const auto header = parts.front();
  const auto payload = parts.size() > 1 ? parts[1] : std::string_view();
  const auto signed_text = crypto::sign_jws(key, header, payload);
  if (!is_good(signed_text)) return;
  const auto object = boost::json::parse(*signed_text).as_object();
  const auto member = [&object](std::string_view name) {
    return crypto::from_base64url(object.at(name).as_string());
  };
  expect(member("protected") == header && member("payload") == payload, "it says what was given");
  boost::system::error_code bad;
  const auto said = boost::json::parse(header, bad);
  const auto* const names = bad ? nullptr : said.if_object();
  const auto* const algorithm = names == nullptr ? nullptr : names->if_contains("alg");
  if (algorithm != nullptr && *algorithm == "EdDSA") {
    expect(is_good(crypto::verify_jws(key, *signed_text)), "a signature is good");
  }
  const auto other = crypto::sign_jws(key, header, std::string(payload) + " ");
  auto forged = object;
  forged["signature"] = boost::json::parse(*other).at("signature");
  expect(!is_good(crypto::verify_jws(key, boost::json::serialize(forged))),
         "a signature is of one payload only");
  const auto mac = crypto::sign_jws_hs256(Secret<std::string>(std::string(input)), header, payload);
  expect(boost::json::parse(mac).is_object(), "a MAC is an object");
}

/// A private key in PEM.
void private_key(std::string_view input) {
  const auto key = crypto::PrivateKey::from_pem(Secret<std::string>(std::string(input)));
  if (!is_good(key)) return;
  const auto again = crypto::PrivateKey::from_pem(key->to_pem());
  expect(again && again->public_key() == key->public_key(), "a key is read the same again");
  expect(again->type() == key->type(), "its type too");
  expect(boost::json::parse(crypto::jwk(*key)).is_object(), "its public half is a JWK");
  expect(!crypto::key_text(key->public_key()).empty(), "its type can be told");
}

}  // namespace certherd::fuzz
