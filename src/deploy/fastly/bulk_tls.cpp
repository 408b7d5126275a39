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
  if (same != present->end()) co_return Installed::unchanged;

  auto key = co_await keys_.ensure(domain, leaf, std::move(material.private_key));
  if (!key) co_return fail(std::move(key.error()));
  auto uploaded =
      present->empty()
          ? co_await api_.add_bulk(leaf.pem, leaf.intermediates, configuration_)
          : co_await api_.replace_bulk(present->back().id, leaf.pem, leaf.intermediates);
  if (uploaded) co_return Installed::installed;
  if (is_refusal(uploaded.error()) || uploaded.error().kind == Error::Kind::not_found) {
    keys_.doubt();
    auto tidied = co_await keys_.remove_unused_all(domain);
    if (!tidied) log::warning("{}: {}", domain, tidied.error().message());
  }
  co_return fail(std::move(uploaded.error()));
}

Task<Status> BulkTls::clean_up(Receipt receipt) {
  co_return co_await keys_.remove_unused(std::move(receipt.domain));
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
