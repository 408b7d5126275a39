#include "fakes/fastly_account.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "fakes/fastly_uploads.hpp"

namespace certherd::fakes::fastly {
namespace {

tl::unexpected<Refusal> refuse(std::string title, std::string detail, int status = 400) {
  return tl::unexpected(
      Refusal{.status = status, .title = std::move(title), .detail = std::move(detail)});
}

tl::unexpected<Refusal> held_by_other(const std::string& name) {
  return refuse("Invalid value for tls_domain",
                fmt::format("{} is already in use by another customer", name));
}

std::set<std::string> found(const std::map<std::string, std::set<std::string>>& ids,
                            const std::string& key) {
  const auto entry = ids.find(key);
  return entry == ids.end() ? std::set<std::string>() : entry->second;
}

void erase(std::map<std::string, std::set<std::string>>* ids, const std::string& key,
           const std::string& id) {
  auto& set = ids->at(key);
  set.erase(id);
  if (set.empty()) ids->erase(key);
}

std::string with_newline(std::string pem) {
  if (!pem.ends_with('\n')) pem += '\n';
  return pem;
}

}  // namespace

Account::Account(std::function<Time()> now) : now_(std::move(now)) {}

Outcome<std::string> Account::add_key(const std::string& pem, const std::string& name) {
  auto key = read_key(pem);
  if (!key) return tl::unexpected(key.error());
  // Unverified; the strict reading, since a key is found again by its public half.
  if (key_by_public_.contains(key->public_key)) {
    return refuse("Invalid value for key", "key has already been taken");
  }
  key->id = new_id();
  key->name = name;
  key->created_at = now_();
  key_by_public_.emplace(key->public_key, key->id);
  const auto id = key->id;
  keys_.emplace(id, std::move(*key));
  return id;
}

Outcome<std::string> Account::add_certificate(const std::string& blob, const std::string& name) {
  auto leaf = read_upload(blob);
  if (!leaf) return tl::unexpected(leaf.error());
  const auto id = new_id();
  index(id, *leaf, &certificates_by_name_);
  certificates_.emplace(id, Certificate{.id = id,
                                        .name = name.empty() ? leaf->issued_to : name,
                                        .blob = blob,
                                        .leaf = std::move(*leaf),
                                        .created_at = now_(),
                                        .updated_at = now_()});
  return id;
}

Outcome<std::string> Account::add_activation(Activation wanted) {
  const auto certificate = certificates_.find(wanted.certificate);
  if (certificate == certificates_.end()) {
    return refuse("Record not found", "Couldn't find TLS certificate " + wanted.certificate, 404);
  }
  if (!certificate->second.leaf.has(wanted.domain)) {
    return refuse("Invalid value for tls_domain",
                  fmt::format("the certificate does not cover the domain {}", wanted.domain));
  }
  if (wanted.configuration.empty()) {
    const auto standard = std::ranges::find_if(
        configurations_, [](const auto& entry) { return entry.second.is_default; });
    if (standard == configurations_.end()) {
      return refuse("Can't be blank", "tls_configuration can't be blank");
    }
    wanted.configuration = standard->first;
  }
  const auto configuration = configurations_.find(wanted.configuration);
  if (configuration == configurations_.end()) {
    return refuse("Record not found", "Couldn't find TLS configuration " + wanted.configuration,
                  404);
  }
  if (configuration->second.bulk) {
    return refuse("Invalid value for tls_configuration",
                  "tls_configuration is for bulk certificates");
  }
  if (activation_by_name_.contains(wanted.domain)) {
    return refuse("Invalid value for domain_id", "domain_id has already been taken");
  }
  if (held_elsewhere_.contains(wanted.domain)) return held_by_other(wanted.domain);
  wanted.id = new_id();
  wanted.created_at = now_();
  touched_.insert(wanted.domain);
  activation_by_name_.emplace(wanted.domain, wanted.id);
  activations_by_certificate_[wanted.certificate].insert(wanted.id);
  const auto id = wanted.id;
  activations_.emplace(id, std::move(wanted));
  return id;
}

Outcome<std::string> Account::add_bulk(const std::string& cert_blob,
                                       const std::string& intermediates_blob,
                                       const std::vector<std::string>& configurations) {
  for (const auto& id : configurations) {
    const auto configuration = configurations_.find(id);
    if (configuration == configurations_.end()) {
      return refuse("Record not found", "Couldn't find TLS configuration " + id, 404);
    }
    if (!configuration->second.bulk) {
      return refuse("Invalid value for tls_configurations",
                    "tls_configurations must be for bulk certificates");
    }
  }
  auto leaf = read_bulk(cert_blob, intermediates_blob);
  if (!leaf) return tl::unexpected(leaf.error());
  const auto id = new_id();
  index(id, *leaf, &bulk_by_name_);
  touched_.insert(leaf->names.begin(), leaf->names.end());
  bulk_.emplace(id, BulkCertificate{.id = id,
                                    .cert_blob = cert_blob,
                                    .intermediates_blob = intermediates_blob,
                                    .configurations = configurations,
                                    .leaf = std::move(*leaf),
                                    .upload = ++uploads_,
                                    .created_at = now_(),
                                    .updated_at = now_()});
  return id;
}

void Account::add_configuration(Configuration configuration) {
  const auto id = configuration.id;
  configurations_.insert_or_assign(id, std::move(configuration));
}

// Names that are on the new certificate no more lose TLS.
Outcome<void> Account::replace_certificate(const std::string& id, const std::string& blob,
                                           const std::string& name) {
  auto leaf = read_upload(blob);
  if (!leaf) return tl::unexpected(leaf.error());
  auto& certificate = certificates_.at(id);
  drop_index(id, certificate.leaf, &certificates_by_name_);
  index(id, *leaf, &certificates_by_name_);
  for (const auto& activation : activations_of(id)) {
    const auto domain = activations_.at(activation).domain;
    touched_.insert(domain);
    if (!leaf->has(domain)) remove_activation(activation);
  }
  certificate.blob = blob;
  certificate.leaf = std::move(*leaf);
  if (!name.empty()) certificate.name = name;
  certificate.created_at = now_();
  certificate.updated_at = now_();
  return {};
}

Outcome<void> Account::move_activation(const std::string& id, const std::string& certificate,
                                       const std::string& mutual_authentication) {
  auto& activation = activations_.at(id);
  const auto other = certificates_.find(certificate);
  if (other == certificates_.end()) {
    return refuse("Record not found", "Couldn't find TLS certificate " + certificate, 404);
  }
  if (!other->second.leaf.has(activation.domain)) {
    return refuse("Invalid value for tls_certificate",
                  fmt::format("the certificate does not cover the domain {}", activation.domain));
  }
  touched_.insert(activation.domain);
  erase(&activations_by_certificate_, activation.certificate, id);
  activations_by_certificate_[certificate].insert(id);
  activation.certificate = certificate;
  activation.mutual_authentication = mutual_authentication;
  return {};
}

Outcome<void> Account::replace_bulk(const std::string& id, const std::string& cert_blob,
                                    const std::string& intermediates_blob) {
  auto leaf = read_bulk(cert_blob, intermediates_blob);
  if (!leaf) return tl::unexpected(leaf.error());
  auto& bulk = bulk_.at(id);
  drop_index(id, bulk.leaf, &bulk_by_name_);
  index(id, *leaf, &bulk_by_name_);
  touched_.insert(bulk.leaf.names.begin(), bulk.leaf.names.end());
  touched_.insert(leaf->names.begin(), leaf->names.end());
  bulk.cert_blob = cert_blob;
  bulk.intermediates_blob = intermediates_blob;
  bulk.leaf = std::move(*leaf);
  bulk.upload = ++uploads_;
  bulk.updated_at = now_();
  return {};
}

Outcome<void> Account::remove_key(const std::string& id) {
  if (is_used(keys_.at(id))) {
    return refuse("Private key is in use", "the private key is used by a certificate");
  }
  key_by_public_.erase(keys_.at(id).public_key);
  keys_.erase(id);
  return {};
}

Outcome<void> Account::remove_certificate(const std::string& id) {
  if (activations_by_certificate_.contains(id)) {
    return refuse("Certificate is in use", "the certificate has active domains");
  }
  drop_index(id, certificates_.at(id).leaf, &certificates_by_name_);
  certificates_.erase(id);
  return {};
}

void Account::remove_activation(const std::string& id) {
  const auto activation = activations_.at(id);
  touched_.insert(activation.domain);
  activation_by_name_.erase(activation.domain);
  erase(&activations_by_certificate_, activation.certificate, id);
  activations_.erase(id);
}

void Account::remove_bulk(const std::string& id) {
  const auto& bulk = bulk_.at(id);
  touched_.insert(bulk.leaf.names.begin(), bulk.leaf.names.end());
  drop_index(id, bulk.leaf, &bulk_by_name_);
  bulk_.erase(id);
}

void Account::remove_by_hand(const std::string& id) {
  if (activations_.contains(id)) remove_activation(id);
  if (bulk_.contains(id)) remove_bulk(id);
  if (certificates_.contains(id)) {
    for (const auto& activation : activations_of(id)) remove_activation(activation);
    (void)remove_certificate(id);
  }
  if (const auto key = keys_.find(id); key != keys_.end()) {
    for (const auto& user : found(users_, key->second.public_key)) remove_by_hand(user);
    (void)remove_key(id);
  }
  configurations_.erase(id);
}

void Account::settle(const std::string& call) {
  for (const auto& name : std::exchange(touched_, {})) {
    auto wanted = decide(name);
    if (wanted) {
      watched_.insert(name);
    } else if (watched_.erase(name) == 1 && !call.empty() && !may_lose_.contains(name)) {
      lost_.push_back({.name = name, .call = call});
    }
    if (wanted != edge_.decided(name)) {
      edge_.publish(name, std::move(wanted), now_() + live_after_);
    }
  }
}

std::optional<Served> Account::served(const std::string& server_name) const {
  return edge_.served(server_name, now_());
}

const Key* Account::key_of(const std::string& public_key) const {
  const auto id = key_by_public_.find(public_key);
  return id == key_by_public_.end() ? nullptr : &keys_.at(id->second);
}

bool Account::is_used(const Key& key) const { return users_.contains(key.public_key); }

std::set<std::string> Account::certificates_with(const std::string& name) const {
  return found(certificates_by_name_, name);
}

std::set<std::string> Account::activations_of(const std::string& certificate) const {
  return found(activations_by_certificate_, certificate);
}

std::string Account::activation_of(const std::string& name) const {
  const auto id = activation_by_name_.find(name);
  return id == activation_by_name_.end() ? std::string() : id->second;
}

std::vector<std::string> Account::domains() const {
  std::set<std::string> names;
  for (const auto& [name, ids] : certificates_by_name_) names.insert(name);
  for (const auto& [name, ids] : bulk_by_name_) names.insert(name);
  return {names.begin(), names.end()};
}

Outcome<Leaf> Account::read_upload(const std::string& chain) const {
  auto leaf = read_leaf(chain, now_());
  if (leaf && key_of(leaf->public_key) == nullptr) {
    return refuse("Invalid value for cert_blob", "no private key matches the certificate");
  }
  return leaf;
}

// TLS is turned on for all of its names at once.
Outcome<Leaf> Account::read_bulk(const std::string& cert_blob,
                                 const std::string& intermediates_blob) const {
  auto leaf = read_upload(with_newline(cert_blob) + intermediates_blob);
  if (!leaf) return leaf;
  for (const auto& name : leaf->names) {
    if (held_elsewhere_.contains(name)) return held_by_other(name);
  }
  return leaf;
}

void Account::index(const std::string& id, const Leaf& leaf, Ids* by_name) {
  users_[leaf.public_key].insert(id);
  for (const auto& name : leaf.names) (*by_name)[name].insert(id);
}

void Account::drop_index(const std::string& id, const Leaf& leaf, Ids* by_name) {
  erase(&users_, leaf.public_key, id);
  for (const auto& name : leaf.names) erase(by_name, name, id);
}

/// A custom certificate comes first; of bulk ones that which was uploaded last.
std::optional<Served> Account::decide(const std::string& name) const {
  const auto serve = [this](const std::string& chain, const Leaf& leaf) {
    return Served{.chain_pem = chain, .key_pem = key_of(leaf.public_key)->pem.reveal()};
  };
  if (const auto id = activation_of(name); !id.empty()) {
    const auto& certificate = certificates_.at(activations_.at(id).certificate);
    return serve(certificate.blob, certificate.leaf);
  }
  const BulkCertificate* newest = nullptr;
  for (const auto& id : found(bulk_by_name_, name)) {
    const auto& bulk = bulk_.at(id);
    if (newest == nullptr || bulk.upload > newest->upload) newest = &bulk;
  }
  if (newest == nullptr) return std::nullopt;
  return serve(with_newline(newest->cert_blob) + newest->intermediates_blob, newest->leaf);
}

/// 22 characters as they have them: a number, so that ids sort by age, and what looks like chance.
std::string Account::new_id() {
  constexpr std::string_view digits =
      "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  constexpr std::size_t length = 22;
  constexpr std::size_t counted = 5;
  std::string id(length, '0');
  auto number = ++ids_;
  auto noise = ids_ * 0x9e3779b97f4a7c15U;
  for (std::size_t i = counted; i-- > 0; number /= digits.size()) {
    id[i] = digits[number % digits.size()];
  }
  for (std::size_t i = counted; i < length; ++i) {
    noise ^= noise >> 29U;
    noise *= 0xbf58476d1ce4e5b9U;
    id[i] = digits[(noise >> 32U) % digits.size()];
  }
  return id;
}

}  // namespace certherd::fakes::fastly
