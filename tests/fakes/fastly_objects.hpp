#pragma once

#include <compare>
#include <string>
#include <vector>

#include "base/secret.hpp"
#include "base/time.hpp"
#include "model/key_type.hpp"

namespace certherd::fakes::fastly {

// What an account at Fastly holds. Ids sort in the order in which the objects were made.

struct Key {
  std::string id;
  std::string name;
  Secret<std::string> pem;
  KeyType type = KeyType::ecdsa_p256;
  std::string public_key;       ///< DER SubjectPublicKeyInfo
  std::string public_key_sha1;  ///< as Fastly tells it
  Time created_at;
};

/// What a certificate says, as both kinds of certificate objects show it.
struct Leaf {
  std::vector<std::string> names;  ///< DNS SANs, lower case, sorted
  std::string public_key;          ///< DER SubjectPublicKeyInfo
  std::string serial_number;       ///< decimal
  std::string issued_to;
  std::string issuer;
  std::string signature_algorithm;
  Time not_before;
  Time not_after;

  bool has(const std::string& name) const;
};

struct Certificate {
  std::string id;
  std::string name;
  std::string blob;  ///< PEM, leaf first
  Leaf leaf;
  Time created_at;  ///< moves when it is replaced
  Time updated_at;
};

struct Activation {
  std::string id;
  std::string certificate;
  std::string configuration;
  std::string domain;
  std::string mutual_authentication;  ///< empty without
  Time created_at;
};

struct BulkCertificate {
  std::string id;
  std::string cert_blob;
  std::string intermediates_blob;
  std::vector<std::string> configurations;
  Leaf leaf;
  int upload = 0;  ///< counts up with each upload and replacement of all
  Time created_at;
  Time updated_at;
};

struct Configuration {
  std::string id;
  std::string name;
  bool bulk = false;
  bool is_default = false;
};

/// What a handshake with the edge gets.
struct Served {
  std::string chain_pem;
  std::string key_pem;

  bool operator==(const Served&) const = default;
};

/// A domain that had TLS and has it no more.
struct LostTls {
  std::string name;
  std::string call;  ///< by which one, such as "7: DELETE /tls/activations/0000…"

  bool operator==(const LostTls&) const = default;
};

/// Why Fastly does not do what was asked.
struct Refusal {
  int status = 400;
  std::string title;
  std::string detail;
};

}  // namespace certherd::fakes::fastly
