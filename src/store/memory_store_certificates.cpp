#include <algorithm>

#include "store/memory_store_class.hpp"
#include "store/refusals.hpp"

namespace certherd::store {
namespace {

KeptCertificate* find_certificate(Entry& entry, const Serial& serial) {
  const auto found = std::ranges::find(entry.certificates, serial, [](const KeptCertificate& kept) {
    return kept.certificate.serial;
  });
  return found == entry.certificates.end() ? nullptr : &*found;
}

void add_newest_first(const Entry& entry, std::vector<Certificate>& certificates) {
  std::vector<const KeptCertificate*> newest_first;
  newest_first.reserve(entry.certificates.size());
  for (const auto& kept : entry.certificates) newest_first.push_back(&kept);
  std::ranges::sort(newest_first, std::ranges::greater(), [](const KeptCertificate* kept) {
    return std::pair(kept->certificate.not_before, kept->id);
  });
  for (const auto* kept : newest_first) certificates.push_back(kept->certificate);
}

tl::unexpected<Error> unknown_domain() {
  return fail(Error::Kind::conflict, "", "the store has no such domain");
}

}  // namespace

void MemoryStore::settle_certificate(const Entry& entry, Certificate& certificate) {
  certificate.domain_id = entry.domain.id;
  certificate.domain = entry.domain.name;
  certificate.renewal = {};
}

void MemoryStore::note_revocation(const KeptCertificate& kept) {
  if (kept.certificate.revoking()) {
    revoking_[kept.id] = &kept;
  } else {
    revoking_.erase(kept.id);
  }
}

void MemoryStore::drop_former(Entry& entry) {
  if (entry.certificates.size() <= keep_former_) return;
  const auto is_former = [&entry](const KeptCertificate& kept) {
    return &kept != entry.current && !kept.certificate.revoking();
  };
  auto former = static_cast<std::size_t>(std::ranges::count_if(entry.certificates, is_former));
  for (auto kept = entry.certificates.begin(); former > keep_former_;) {
    if (is_former(*kept)) {
      kept = entry.certificates.erase(kept);
      --former;
    } else {
      ++kept;
    }
  }
}

void MemoryStore::put_certificate(Entry& entry, Certificate certificate) {
  settle_certificate(entry, certificate);
  entry.current = find_certificate(entry, certificate.serial);
  if (entry.current == nullptr) {
    entry.current = &entry.certificates.emplace_back();
    entry.current->id = ++last_certificate_;
  }
  entry.current->certificate = std::move(certificate);
  note_revocation(*entry.current);
  drop_former(entry);
}

Status MemoryStore::check_changes(Entry* entry, const Changes& changes) const {
  if (changes.certificate && entry == nullptr) return unknown_domain();
  if (!changes.amended) return {};
  const auto& serial = changes.amended->serial;
  if (changes.certificate && changes.certificate->serial == serial) return {};
  if (entry == nullptr || find_certificate(*entry, serial) == nullptr) {
    return nothing_to_amend(serial);
  }
  return {};
}

void MemoryStore::put_changes(Entry* entry, Changes&& changes) {
  put_events(std::move(changes.events));
  if (changes.compromised) compromised_.insert(changes.compromised->text());
  if (entry == nullptr) return;
  if (changes.amended) {
    // Before the new one: what it would push out is amended for the last time.
    if (auto* kept = find_certificate(*entry, changes.amended->serial)) {
      settle_certificate(*entry, *changes.amended);
      kept->certificate = *changes.amended;
      note_revocation(*kept);
      drop_former(*entry);
    }
  }
  if (changes.certificate) {
    const bool is_amended =
        changes.amended && changes.amended->serial == changes.certificate->serial;
    put_certificate(*entry, std::move(is_amended ? *changes.amended : *changes.certificate));
  }
  if (changes.outcome) {
    entry->domain.failures = changes.outcome->failures;
    entry->domain.next_at = changes.outcome->next_at;
    entry->domain.last_error = std::move(changes.outcome->last_error);
  }
}

Task<Result<std::vector<Certificate>>> MemoryStore::certificates(bool former_too) {
  std::vector<Certificate> certificates;
  for (const auto& [name, id] : inventory_.by_name()) {
    const auto& entry = *inventory_.find(id);
    if (!former_too) {
      if (entry.current != nullptr && !entry.removed) {
        certificates.push_back(entry.current->certificate);
      }
      continue;
    }
    add_newest_first(entry, certificates);
  }
  co_return certificates;
}

Task<Result<std::vector<Certificate>>> MemoryStore::certificates_of(std::vector<DomainId> domains) {
  std::vector<Certificate> certificates;
  for (const auto domain : domains) {
    if (const auto* entry = inventory_.find(domain)) add_newest_first(*entry, certificates);
  }
  co_return certificates;
}

Task<Result<Certificate>> MemoryStore::certificate(DomainId domain, Serial serial) {
  auto* entry = inventory_.find(domain);
  const auto* kept = entry == nullptr ? nullptr : find_certificate(*entry, serial);
  if (kept == nullptr) co_return refuse("certificate " + serial.text(), not_of_this_domain());
  co_return kept->certificate;
}

Task<Result<std::vector<Certificate>>> MemoryStore::revocations_begun() {
  std::vector<Certificate> begun;
  begun.reserve(revoking_.size());
  for (const auto& [id, kept] : revoking_) begun.push_back(kept->certificate);
  co_return begun;
}

Task<Status> MemoryStore::amend(DomainId domain, Changes changes) {
  auto* entry = inventory_.find(domain);
  if (auto checked = check_changes(entry, changes); !checked) {
    co_return fail(std::move(checked.error()).during("write what has changed"));
  }
  put_changes(entry, std::move(changes));
  if (entry != nullptr) touched_.note(domain);
  co_return Status();
}

Task<Result<bool>> MemoryStore::is_compromised(KeyHash key) {
  co_return compromised_.contains(key.text());
}

Task<Status> MemoryStore::save_renewals(std::vector<KnownRenewal> renewals,
                                        std::vector<Event> events) {
  for (const auto& each : renewals) {
    if (inventory_.find(each.domain) == nullptr) {
      co_return refuse("write what CAs say of renewals", unknown_domain());
    }
  }
  for (auto& each : renewals) {
    auto& entry = *inventory_.find(each.domain);
    entry.renewal_of = std::move(each.serial);
    entry.renewal = std::move(each.renewal);
    if (!events.empty()) touched_.note(each.domain);
  }
  put_events(std::move(events));
  co_return Status();
}

}  // namespace certherd::store
