// Accounts, the lease, and what is sealed in accounts and issuances.
#include <algorithm>

#include "store/memory_store_class.hpp"
#include "store/refusals.hpp"
#include "store/rules.hpp"

namespace certherd::store {

Task<Result<std::optional<Account>>> MemoryStore::account(CaName ca) {
  const auto found = accounts_.find(ca);
  co_return found == accounts_.end() ? std::optional<Account>() : found->second;
}

Task<Result<Account>> MemoryStore::save_account(Account account, std::vector<Event> events) {
  const auto found = accounts_.find(account.ca);
  const std::int64_t present = found == accounts_.end() ? 0 : found->second.revision;
  if (present != account.revision) {
    co_return refuse("save the account at " + account.ca.text(), account_changed_meanwhile());
  }
  ++account.revision;
  accounts_[account.ca] = account;
  put_events(std::move(events));
  co_return account;
}

Task<Result<Lease>> MemoryStore::acquire_lease(std::string owner, Duration ttl,
                                               bool (*holder_is_dead)(const std::string& owner)) {
  const Time now = clock_.now();
  if (is_held(lease_, owner, now, holder_is_dead)) co_return *lease_;
  lease_ = Lease{.owner = std::move(owner), .expires_at = now + ttl};
  co_return *lease_;
}

Task<Status> MemoryStore::release_lease(std::string owner) {
  if (lease_ && lease_->owner == owner) lease_.reset();
  co_return Status();
}

Task<Result<int>> MemoryStore::reseal(Reseal reseal, std::vector<Event> events) {
  constexpr auto op = "reseal";
  int count = 0;
  auto accounts = accounts_;
  for (auto& [ca, account] : accounts) {
    auto key = reseal_text(reseal, SealedText::Of::account, ca.text(), account.sealed_key);
    if (!key) co_return fail(std::move(key.error()).during(op));
    bool changed = *key;
    count += changed ? 1 : 0;
    if (account.next_key) {
      auto next = reseal_text(reseal, SealedText::Of::account, ca.text(), account.next_key->sealed);
      if (!next) co_return fail(std::move(next.error()).during(op));
      changed = changed || *next;
      count += *next ? 1 : 0;
    }
    if (changed) ++account.revision;
  }

  std::vector<IssuanceId> sealed;
  for (const auto& [id, issuance] : issuances_) {
    if (!issuance.sealed_key.empty()) sealed.push_back(id);
  }
  std::ranges::sort(sealed);
  std::vector<std::pair<IssuanceId, std::string>> keys;
  for (const auto id : sealed) {
    const auto& issuance = issuances_.at(id);
    auto text = issuance.sealed_key;
    auto key = reseal_text(reseal, SealedText::Of::issuance, issuance.domain.text(), text);
    if (!key) co_return fail(std::move(key.error()).during(op));
    if (*key) keys.emplace_back(id, std::move(text));
  }

  accounts_ = std::move(accounts);
  for (auto& [id, text] : keys) {
    auto& issuance = issuances_.at(id);
    issuance.sealed_key = std::move(text);
    ++issuance.revision;
    ++count;
  }
  put_events(std::move(events));
  co_return count;
}

}  // namespace certherd::store
