// What tests say to a ScriptedFastly and ask of it, past its API.
#include <gtest/gtest.h>

#include <algorithm>
#include <utility>

#include "crypto/private_key.hpp"
#include "crypto/x509.hpp"
#include "fakes/scripted_fastly.hpp"

namespace certherd::fakes {
namespace {

/// What is put there by hand is right, or the test is wrong.
std::string ensured(const fastly::Outcome<std::string>& id) {
  if (id) return *id;
  ADD_FAILURE() << "Fastly: " << id.error().detail;
  return {};
}

}  // namespace

void ScriptedFastly::disturb(int nth, Fault fault) {
  const std::scoped_lock lock(mutex_);
  was_disturbed_ = false;
  disturbance_ =
      Disturbance{.at = static_cast<int>(calls_.size()) + nth, .fault = std::move(fault)};
}

bool ScriptedFastly::was_disturbed() const {
  const std::scoped_lock lock(mutex_);
  return !disturbance_ && was_disturbed_;
}

void ScriptedFastly::before(int nth, std::function<void()> action) {
  const std::scoped_lock lock(mutex_);
  interruption_ =
      Interruption{.at = static_cast<int>(calls_.size()) + nth, .action = std::move(action)};
}

void ScriptedFastly::set_budget(int limit, bool headers_on) {
  const std::scoped_lock lock(mutex_);
  budget_ = limit;
  has_headers_ = headers_on;
}

void ScriptedFastly::spend_elsewhere(int writes) {
  const std::scoped_lock lock(mutex_);
  writes_elsewhere_[hour()] += writes;
}

void ScriptedFastly::revoke_token() {
  const std::scoped_lock lock(mutex_);
  is_revoked_ = true;
}

void ScriptedFastly::forbid_writes() {
  const std::scoped_lock lock(mutex_);
  forbids_writes_ = true;
}

void ScriptedFastly::set_live_after(Duration delay) {
  const std::scoped_lock lock(mutex_);
  account_.set_live_after(delay);
}

std::optional<fastly::Served> ScriptedFastly::served(const std::string& server_name) const {
  const std::scoped_lock lock(mutex_);
  return account_.served(server_name);
}

void ScriptedFastly::hold_elsewhere(const std::string& name) {
  const std::scoped_lock lock(mutex_);
  account_.hold_elsewhere(name);
}

void ScriptedFastly::may_lose(const std::string& name) {
  const std::scoped_lock lock(mutex_);
  account_.may_lose(name);
}

std::vector<fastly::LostTls> ScriptedFastly::lost_tls() const {
  const std::scoped_lock lock(mutex_);
  return account_.lost_tls();
}

std::string ScriptedFastly::put_configuration(fastly::Configuration configuration) {
  const std::scoped_lock lock(mutex_);
  const auto id = configuration.id;
  account_.add_configuration(std::move(configuration));
  return id;
}

std::string ScriptedFastly::put_key(const Secret<std::string>& pem, const std::string& name) {
  const std::scoped_lock lock(mutex_);
  return ensured(account_.add_key(pem.reveal(), name));
}

std::string ScriptedFastly::put_certificate(const Material& material, const std::string& name) {
  const std::scoped_lock lock(mutex_);
  put_key_of(material);
  const auto id = ensured(account_.add_certificate(material.fullchain, name));
  account_.settle({});
  return id;
}

std::string ScriptedFastly::put_activation(const std::string& certificate,
                                           const std::string& domain,
                                           const std::string& configuration,
                                           const std::string& mutual_authentication) {
  const std::scoped_lock lock(mutex_);
  const auto id = ensured(account_.add_activation({.id = {},
                                                   .certificate = certificate,
                                                   .configuration = configuration,
                                                   .domain = domain,
                                                   .mutual_authentication = mutual_authentication,
                                                   .created_at = {}}));
  account_.settle({});
  return id;
}

std::string ScriptedFastly::put_bulk_certificate(const Material& material,
                                                 const std::string& configuration) {
  const std::scoped_lock lock(mutex_);
  put_key_of(material);
  const auto parts = crypto::split_chain(material.fullchain).value();
  const auto id = ensured(account_.add_bulk(parts.leaf, parts.others, {configuration}));
  account_.settle({});
  return id;
}

void ScriptedFastly::remove(const std::string& id) {
  const std::scoped_lock lock(mutex_);
  account_.remove_by_hand(id);
  account_.settle({});
}

std::map<std::string, fastly::Key> ScriptedFastly::keys() const {
  const std::scoped_lock lock(mutex_);
  return account_.keys();
}

std::map<std::string, fastly::Certificate> ScriptedFastly::certificates() const {
  const std::scoped_lock lock(mutex_);
  return account_.certificates();
}

std::map<std::string, fastly::Activation> ScriptedFastly::activations() const {
  const std::scoped_lock lock(mutex_);
  return account_.activations();
}

std::map<std::string, fastly::BulkCertificate> ScriptedFastly::bulk_certificates() const {
  const std::scoped_lock lock(mutex_);
  return account_.bulk_certificates();
}

std::vector<ScriptedFastly::Call> ScriptedFastly::calls() const {
  const std::scoped_lock lock(mutex_);
  return calls_;
}

std::map<Time, int> ScriptedFastly::writes_by_hour() const {
  const std::scoped_lock lock(mutex_);
  return writes_;
}

int ScriptedFastly::writes() const {
  int sum = 0;
  for (const auto& [hour, writes] : writes_by_hour()) sum += writes;
  return sum;
}

int ScriptedFastly::reads() const {
  return count(http::Request::Method::get, "/") + count(http::Request::Method::head, "/");
}

int ScriptedFastly::throttled() const {
  const std::scoped_lock lock(mutex_);
  return throttled_;
}

int ScriptedFastly::count(http::Request::Method method, std::string_view path) const {
  const std::scoped_lock lock(mutex_);
  return static_cast<int>(std::ranges::count_if(calls_, [&](const Call& call) {
    return call.method == method && call.target.starts_with(path);
  }));
}

void ScriptedFastly::put_key_of(const Material& material) {
  const auto key = crypto::PrivateKey::from_pem(material.private_key).value();
  if (account_.key_of(key.public_key()) != nullptr) return;
  (void)ensured(account_.add_key(material.private_key.reveal(), "by hand"));
}

}  // namespace certherd::fakes
