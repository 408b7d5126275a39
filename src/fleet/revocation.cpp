#include "fleet/revocation.hpp"

#include <array>

#include "base/log.hpp"
#include "crypto/csr.hpp"
#include "crypto/encoding.hpp"
#include "crypto/x509.hpp"
#include "fleet/kept.hpp"

namespace certherd::fleet {
namespace {

constexpr auto op = "revoke";

/// Whether the issuance would yet install that certificate, or one with that key.
bool concerns(const crypto::Pki& pki, const Issuance& issuance, const Serial& serial,
              const std::string& public_key) {
  if (issuance.certificate && issuance.certificate->serial == serial) return true;
  const auto der = crypto::from_base64url(issuance.csr);
  if (!der || der->empty()) return false;
  const auto csr = pki.read_csr(*der);
  return csr && csr->public_key == public_key;
}

}  // namespace

Task<Result<Certificate>> Revocation::revoke(WorkRequest request) {
  const auto arguments = request.arguments;
  auto found = co_await find(std::move(request));
  if (!found) co_return fail(std::move(found.error()));
  auto& subject = *found;
  auto& certificate = subject.certificate;
  const bool compromised = arguments.reason == RevocationReason::key_compromise;
  // That the key has got about is news for the CA also when it has revoked the certificate before.
  if (certificate.revoked_at && (!compromised || certificate.key_compromised())) {
    co_return certificate;
  }
  if (auto begun = co_await begin(subject, arguments); !begun) {
    co_return fail(std::move(begun.error()).during(op));
  }
  certificate.revocation_reason = arguments.reason;

  auto signer = co_await send(subject, compromised || arguments.by_key);
  if (!signer && signer.error().kind == Error::Kind::rejected) {
    auto taken_back = co_await take_back(subject, signer.error());
    if (!taken_back) co_return fail(std::move(taken_back.error()).during(op));
  }
  if (!signer) co_return fail(std::move(signer.error()).during(op));
  certificate.revoked_at = now();
  if (auto confirmed = co_await confirm(subject, *signer); !confirmed) {
    co_return fail(std::move(confirmed.error()).during(op));
  }
  co_return certificate;
}

Task<Result<Revocation::Subject>> Revocation::find(WorkRequest request) {
  auto row = co_await ports_.store->domain(request.domain);
  const auto& serial = request.arguments.serial;
  // A domain may have been removed since its revocation was begun.
  const bool removed = !row && row.error().kind == Error::Kind::not_found;
  if (!row && (!removed || serial.empty())) co_return fail(std::move(row.error()));
  Subject subject;
  if (row && row->certificate && (serial.empty() || row->certificate->serial == serial)) {
    subject.certificate = *row->certificate;
    subject.current = true;
  } else if (serial.empty()) {
    co_return fail(Error::Kind::not_found, op, "the domain has no certificate");
  } else {
    auto former = co_await ports_.store->certificate(request.domain_id, serial);
    if (!former) co_return fail(std::move(former.error()).during(op));
    subject.certificate = std::move(*former);
  }
  auto& certificate = subject.certificate;
  if (certificate.ca.empty()) {
    // From a time when domains had but one CA.
    const auto& cas = row ? cas_of(row->domain, ports_.defaults) : ports_.defaults.cas;
    if (!cas.empty()) certificate.ca = cas.front();
  }
  subject.vault = certificate.vault_name;
  auto chain = co_await chain_of(certificate, subject.vault);
  if (!chain) co_return fail(std::move(chain.error()).during(op));
  auto parts = crypto::split_chain(*chain);
  if (!parts) co_return fail(std::move(parts.error()).during(op));
  auto leaf = crypto::read_certificate(parts->leaf_der);
  if (!leaf) co_return fail(std::move(leaf.error()).during(op));
  if (leaf->serial != certificate.serial) {
    co_return fail(
        Error::Kind::not_found, op,
        fmt::format("neither store nor vault keep certificate {} any more", certificate.serial));
  }
  subject.der = std::move(parts->leaf_der);
  subject.public_key = leaf->public_key;
  co_return subject;
}

Task<Result<std::string>> Revocation::chain_of(Certificate certificate, VaultName vault) {
  auto chain = co_await ports_.store->chain_of(certificate.domain_id, certificate.serial);
  const auto keeper = ports_.vaults.find(vault);
  if (chain || chain.error().kind != Error::Kind::not_found || keeper == ports_.vaults.end()) {
    co_return chain;
  }
  auto material = co_await keeper->second->load(certificate.domain);
  if (!material) co_return fail(std::move(material.error()));
  co_return std::move(material->fullchain);
}

// From here on it is known that the certificate is to be revoked, and why.
Task<Status> Revocation::begin(Subject subject, WorkRequest::Arguments arguments) {
  auto& certificate = subject.certificate;
  const auto key = crypto::hash_of_key(subject.public_key);
  // A CA may take a revocation that is signed by the key as word that the key has got about.
  const bool burnt = arguments.reason == RevocationReason::key_compromise || arguments.by_key;
  if (certificate.revocation_reason == arguments.reason) {
    auto known = co_await ports_.store->is_compromised(key);
    if (!known) co_return fail(std::move(known.error()));
    if (*known || !burnt) co_return Status{};  // begun before, by us or by an earlier process
  }
  certificate.revocation_reason = arguments.reason;
  store::Changes changes;
  changes.amended = certificate;
  changes.events = {event(subject, "revocation.begun")};
  if (burnt) changes.compromised = key;
  if (burnt && subject.current) changes.outcome = store::Changes::Outcome{};

  auto active = co_await ports_.store->active_issuance(certificate.domain_id);
  if (!active) co_return fail(std::move(active.error()));
  auto& issuance = *active;
  if (!issuance || !concerns(*ports_.pki, *issuance, certificate.serial, subject.public_key)) {
    co_return co_await ports_.store->amend(certificate.domain_id, std::move(changes));
  }
  changes.events.push_back(event(subject, "issuance.failed",
                                 {{"step", std::string(to_string(issuance->step))},
                                  {"error", "its certificate is being revoked"}}));
  issuance->step = Step::failed;
  issuance->sealed_key.clear();
  auto ended = co_await ports_.store->commit(std::move(*issuance), std::move(changes));
  if (!ended) co_return fail(std::move(ended.error()));
  co_return Status{};
}

Task<Result<Revocation::Signer>> Revocation::send(Subject subject, bool by_key) {
  const auto& ca = subject.certificate.ca;
  const auto port = ports_.cas.find(ca);
  if (port == ports_.cas.end() || port->second.client == nullptr) {
    if (port != ports_.cas.end() && port->second.unusable) co_return fail(*port->second.unusable);
    co_return fail(Error::Kind::misconfigured, "choose ca",
                   fmt::format("it was issued at [ca.{}], which is not in the config: put it back "
                               "until the certificate is revoked",
                               ca));
  }
  constexpr std::array key_first = {Signer::key, Signer::account};
  constexpr std::array account_first = {Signer::account, Signer::key};
  std::optional<Error> first;
  for (const auto signer : by_key ? key_first : account_first) {
    auto attempt = co_await ask(subject, signer);
    // Revoked already: an earlier attempt whose reply was lost, or somebody else's.
    const bool done = attempt.status || (attempt.signer_usable &&
                                         attempt.status.error().kind == Error::Kind::conflict);
    if (done) co_return signer;
    auto& error = attempt.status.error();
    // Without a problem document it is not the CA's own word: whoever said it, it is asked again.
    if (error.kind == Error::Kind::rejected && !error.problem) error.kind = Error::Kind::transient;
    const bool refused = attempt.signer_usable && error.kind != Error::Kind::denied;
    if (refused) co_return fail(std::move(error));
    if (!first) first = std::move(error);
  }
  co_return fail(std::move(*first));
}

Task<Revocation::Attempt> Revocation::ask(Subject subject, Signer signer) {
  const auto& port = ports_.cas.at(subject.certificate.ca);
  const auto reason = *subject.certificate.revocation_reason;
  std::optional<int> code;  // Let's Encrypt takes no reason and 0 alike (RFC 8555 section 7.6)
  if (reason != RevocationReason::unspecified) code = static_cast<int>(reason);
  if (signer == Signer::account) {
    if (port.unusable) co_return Attempt{.signer_usable = false, .status = fail(*port.unusable)};
    auto status = co_await port.client->revoke(std::move(subject.der), code);
    co_return Attempt{.signer_usable = true, .status = std::move(status)};
  }
  Result<crypto::PrivateKey> key =
      fail(Error::Kind::not_found, "load the certificate's key", "its vault is not in the config");
  if (const auto vault = ports_.vaults.find(subject.vault); vault != ports_.vaults.end()) {
    key = co_await load_key(ports_.pki, vault->second, subject.certificate.domain,
                            subject.public_key);
  }
  if (!key) {
    log::debug("{}: {}", subject.certificate.domain, key.error().message());
    co_return Attempt{.signer_usable = false, .status = fail(std::move(key.error()))};
  }
  auto status = co_await port.client->revoke_by_key(std::move(subject.der), std::move(*key), code);
  co_return Attempt{.signer_usable = true, .status = std::move(status)};
}

// What the CA will never do is not to be tried by each later run. A compromised key stays one.
Task<Status> Revocation::take_back(Subject subject, Error error) {
  store::Changes changes;
  changes.events = {event(subject, "revocation.refused", {{"error", error.message()}})};
  if (!subject.certificate.key_compromised()) {
    changes.amended = subject.certificate;
    changes.amended->revocation_reason.reset();
  }
  co_return co_await ports_.store->amend(subject.certificate.domain_id, std::move(changes));
}

Task<Status> Revocation::confirm(Subject subject, Signer signer) {
  store::Changes changes;
  changes.amended = subject.certificate;
  changes.events = {event(subject, "certificate.revoked",
                          {{"signed_by", signer == Signer::key ? "certificate key" : "account"}})};
  // An earlier failure must not keep the domain from its new certificate.
  if (subject.current) changes.outcome = store::Changes::Outcome{};
  co_return co_await ports_.store->amend(subject.certificate.domain_id, std::move(changes));
}

Event Revocation::event(const Subject& subject, std::string name,
                        std::map<std::string, std::string> further) const {
  const auto& certificate = subject.certificate;
  further.insert({{"serial", certificate.serial.text()}, {"ca", certificate.ca.text()}});
  if (certificate.revocation_reason) {
    further.emplace("reason", to_string(*certificate.revocation_reason));
  }
  return {.at = now(),
          .domain = certificate.domain,
          .event = std::move(name),
          .detail = std::move(further)};
}

}  // namespace certherd::fleet
