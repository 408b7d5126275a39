#include "crypto/openssl.hpp"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <stdexcept>

namespace certherd::crypto {
namespace {

std::string lower_case(std::string text) {
  std::ranges::transform(text, text.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return text;
}

/// Puts the value into a general name, which owns it from then on.
void add_name(GENERAL_NAMES* names, int type, ASN1_STRING* value, std::string_view bytes) {
  GENERAL_NAME* const name = GENERAL_NAME_new();
  ensure(name != nullptr && value != nullptr, "make a subjectAltName");
  GENERAL_NAME_set0_value(name, type, value);
  ensure(sk_GENERAL_NAME_push(names, name) > 0, "make a subjectAltName");
  ensure(ASN1_STRING_set(value, bytes.data(), static_cast<int>(bytes.size())) == 1,
         "make a subjectAltName");
}

}  // namespace

std::string take_reason() {
  const unsigned long code = ERR_peek_error();
  ERR_clear_error();
  const char* const reason = code != 0 ? ERR_reason_error_string(code) : nullptr;
  return reason != nullptr ? reason : "no reason given";
}

void ensure(bool success, const char* what) {
  if (!success) throw std::runtime_error(std::string(what) + ": " + take_reason());
}

const EVP_MD* digest_for(EVP_PKEY* key) {
  if (EVP_PKEY_is_a(key, "ED25519") == 1) return nullptr;
  // As strong as the curve (RFC 7518 section 3.4); RSA keys of every size go with SHA-256.
  const bool p384 = EVP_PKEY_is_a(key, "EC") == 1 && EVP_PKEY_get_bits(key) == 384;
  return p384 ? EVP_sha384() : EVP_sha256();
}

std::string content(BIO* bio) {
  std::string bytes(BIO_ctrl_pending(bio), '\0');
  if (bytes.empty()) return bytes;
  ensure(
      BIO_read(bio, bytes.data(), static_cast<int>(bytes.size())) == static_cast<int>(bytes.size()),
      "read a buffer");
  return bytes;
}

std::string to_pem(const char* label, std::string_view der) {
  const Bio bio(BIO_new(BIO_s_mem()));
  ensure(bio != nullptr &&
             PEM_write_bio(bio.get(), label, "", octets(der), static_cast<long>(der.size())) > 0,
         "write PEM");
  return content(bio.get());
}

Extension make_san(const std::vector<std::string>& names, bool critical) {
  const Names list(GENERAL_NAMES_new());
  ensure(list != nullptr, "make a subjectAltName");
  for (const std::string& name : names) {
    std::array<char, sizeof(in_addr)> address{};
    if (inet_pton(AF_INET, name.c_str(), address.data()) == 1) {
      add_name(list.get(), GEN_IPADD, ASN1_OCTET_STRING_new(), {address.data(), address.size()});
    } else {
      add_name(list.get(), GEN_DNS, ASN1_IA5STRING_new(), name);
    }
  }
  Extension san(X509V3_EXT_i2d(NID_subject_alt_name, critical ? 1 : 0, list.get()));
  ensure(san != nullptr, "make a subjectAltName");
  return san;
}

std::vector<std::string> dns_names(const GENERAL_NAMES* names) {
  std::vector<std::string> found;
  for (int i = 0; i < sk_GENERAL_NAME_num(names); ++i) {
    int type = 0;
    const void* const value = GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names, i), &type);
    if (type != GEN_DNS) continue;
    const auto* const text = static_cast<const ASN1_STRING*>(value);
    found.push_back(lower_case({reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
                                static_cast<std::size_t>(ASN1_STRING_length(text))}));
  }
  std::ranges::sort(found);
  return found;
}

void set_common_name(X509_NAME* name, std::string_view text) {
  ensure(X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_UTF8, octets(text),
                                    static_cast<int>(text.size()), -1, 0) == 1,
         "set a common name");
}

std::string common_name(const X509_NAME* name) {
  const int index = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
  if (index < 0) return {};
  unsigned char* bytes = nullptr;
  const int size =
      ASN1_STRING_to_UTF8(&bytes, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, index)));
  const Bytes owner(bytes);
  if (size < 0) {
    take_reason();
    return {};
  }
  return {reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size)};
}

Time to_time(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) {
    take_reason();
    return {};  // 1970: a certificate without a date that can be read is an expired one
  }
  using namespace std::chrono;
  const year_month_day date(year(parts.tm_year + 1900),
                            month(static_cast<unsigned>(parts.tm_mon + 1)),
                            day(static_cast<unsigned>(parts.tm_mday)));
  return sys_days(date) + hours(parts.tm_hour) + minutes(parts.tm_min) + seconds(parts.tm_sec);
}

}  // namespace certherd::crypto
