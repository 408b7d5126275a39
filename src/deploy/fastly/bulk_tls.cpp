#include "deploy/fastly/bulk_tls.hpp"

#include <algorithm>

#include "base/log.hpp"
#include "deploy/fastly/failure.hpp"

namespace certherd::deploy::fastly {
namespace {

/// Fastly tells dates to the second.
bool same_dates(const BulkCertificate& certificate, const Leaf& leaf) {
  return certificate.not_before == leaf.not_before && certificate.not_after == leaf.not_after;
}

}  // namespace

// Whose it is cannot be told either, so any that has the name counts.
Task<Result<std::optional<Installation>>> BulkTls::observe(Fqdn domain) {
  auto present = co_await api_.bulk_certificates_with(domain.text());
  if (!present) co_return fail(std::move(present.error()));
  if (present->empty()) co_return std::nullopt;
  co_return Installation{};
}

Task<Result<Installed>> BulkTls::install(Fqdn domain, Leaf leaf, Material material) {
  auto present = co_await api_.bulk_certificates_with(domain.text());
  if (!present) co_return fail(std::move(present.error()));
  std::erase_if(*present, [&leaf](const auto& each) { return each.domains != leaf.names; });
  const auto same =
      std::ranges::find_if(*present, [&leaf](const auto& each) { return same_dates(each, leaf); });
  if (same != present->end()) {
    note(domain, leaf, same->id);
    co_return Installed::unchanged;
  }
  auto key = co_await keys_.ensure(domain, leaf, std::move(material.private_key));
  if (!key) co_return fail(std::move(key.error()));
  auto uploaded =
      present->empty()
          ? co_await api_.add_bulk(leaf.pem, leaf.intermediates, configuration_)
          : co_await api_.replace_bulk(present->back().id, leaf.pem, leaf.intermediates);
  if (uploaded) {
    note(domain, leaf, uploaded->id);
    co_return Installed::installed;
  }
  if (is_refusal(uploaded.error()) || uploaded.error().kind == Error::Kind::not_found) {
    keys_.doubt();
    auto tidied = co_await keys_.remove_all_unused(domain);
    if (!tidied) log::warning("{}: {}", domain, tidied.error().message());
  }
  co_return fail(std::move(uploaded.error()));
}

void BulkTls::note(const Fqdn& domain, const Leaf& leaf, std::string id) {
  keys_.note(domain, leaf);
  present_.insert_or_assign(
      domain, Present{.serial = leaf.serial, .names = leaf.names, .id = std::move(id)});
}

// The former certificate stands beside the present one where the names have changed. After a
// restart it is not known which is which: both stay until the next renewal.
Task<Status> BulkTls::clean_up(Receipt receipt) {
  const auto noted = present_.find(receipt.domain);
  const bool is_known =
      noted != present_.end() && noted->second.serial.text() == receipt.version_key;
  if (!is_known) co_return co_await keys_.remove_unused(std::move(receipt.domain), true);
  const auto now = noted->second;
  auto others = co_await api_.bulk_certificates_with(receipt.domain.text());
  if (!others) co_return fail(std::move(others.error()));
  std::erase_if(*others, [&now](const auto& each) { return each.id == now.id; });
  const bool alone = others->empty();
  if (!alone) {
    auto removed = co_await remove_former(receipt.domain, now.names, std::move(*others));
    if (!removed) co_return removed;
  }
  auto cleaned = co_await keys_.remove_unused(receipt.domain, !alone);
  if (cleaned) present_.erase(receipt.domain);
  co_return cleaned;
}

// A key of ours that is still used tells that one of the others is ours; where there are as many
// such keys as certificates that nothing needs any more, they all are.
Task<Status> BulkTls::remove_former(Fqdn domain, std::set<std::string> names,
                                    std::vector<BulkCertificate> others) {
  auto used = co_await keys_.used_besides_present(domain);
  if (!used) co_return fail(std::move(used.error()));
  const auto [rest, end] = std::ranges::partition(
      others, [&names](const auto& each) { return std::ranges::includes(names, each.domains); });
  const auto covered = static_cast<std::size_t>(rest - others.begin());
  if (*used != covered) {
    log::warning(
        "{}: a former bulk certificate at Fastly stays, which has names that the present one lacks "
        "or may be somebody else's: delete it there when nobody needs it",
        domain);
  }
  if (*used < covered) co_return Status();
  for (auto former = others.begin(); former != rest; ++former) {
    if (auto removed = co_await api_.remove_bulk(former->id); !removed) co_return removed;
  }
  co_return Status();
}

Task<Status> BulkTls::retire(Receipt receipt) {
  std::set<std::string> names;
  for (const auto& name : receipt.names) names.insert(name.text());
  if (names.empty()) names.insert(receipt.domain.text());
  auto present = co_await api_.bulk_certificates_with(receipt.domain.text());
  if (!present) co_return fail(std::move(present.error()));
  for (const auto& certificate : *present) {
    if (certificate.domains != names) continue;
    if (auto removed = co_await api_.remove_bulk(certificate.id); !removed) co_return removed;
  }
  co_return co_await keys_.remove_all(std::move(receipt.domain));
}

}  // namespace certherd::deploy::fastly
