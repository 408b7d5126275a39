#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "base/secret.hpp"
#include "base/time.hpp"
#include "model/identifiers.hpp"

namespace certherd::deploy::fastly {

// The objects of Fastly's TLS API (API reference, "TLS"), as far as we need them.

struct Key {
  std::string id;
  std::string name;
  std::string public_key_sha1;
};

struct Activation {
  std::string id;
  std::string certificate;
  std::string domain;
  std::string mutual_authentication;  ///< id; empty without
};

struct Certificate {
  std::string id;
  std::string name;
  Serial serial;  ///< in our form; Fastly writes it in decimal
  std::optional<Time> not_after;
  std::set<std::string> domains;
  std::vector<Activation> activations;  ///< where they were asked for
};

/// A certificate of Platform TLS: it has neither name nor serial.
struct BulkCertificate {
  std::string id;
  std::optional<Time> not_before;
  std::optional<Time> not_after;
  std::set<std::string> domains;
};

struct Configuration {
  std::string id;
  std::string name;
  bool bulk = false;
  bool is_default = false;
};

template <typename T>
struct Page {
  std::vector<T> objects;
  bool last = true;
};

// Errors of these: transient, since an answer that cannot be read says nothing about what was done.

template <typename T>
Result<Page<T>> read_page(std::string_view text);
template <typename T>
Result<T> read_object(std::string_view text);

// What is sent.

Secret<std::string> key_document(const Secret<std::string>& pem, const std::string& name);
/// `id` is empty for a new one.
std::string certificate_document(const std::string& id, const std::string& blob,
                                 const std::string& name);
/// Of an activation that is moved to `certificate`, or, without an id, of a new one for its domain.
std::string activation_document(const Activation& activation, const std::string& certificate,
                                const std::string& configuration);
std::string bulk_document(const std::string& id, const std::string& leaf,
                          const std::string& intermediates, const std::string& configuration);

}  // namespace certherd::deploy::fastly
