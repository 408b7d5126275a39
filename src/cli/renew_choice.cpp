#include "cli/renew_choice.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <map>

#include "app/domain_filter.hpp"
#include "cli/where.hpp"

namespace certherd::cli {
namespace {

Task<Result<std::vector<store::DomainRow>>> rows_of(app::App* app, RenewWish wish) {
  if (wish.names.empty()) co_return co_await domains_where(app, std::move(wish.where));
  std::map<Fqdn, store::DomainRow> rows;  // one that is named twice is renewed once
  for (const auto& text : wish.names) {
    auto name = Fqdn::parse(text);
    if (!name) co_return fail(std::move(name.error()));
    auto row = co_await app->store().domain(*name);
    if (!row) co_return fail(std::move(row.error()));
    rows.emplace(*name, std::move(*row));
  }
  std::vector<store::DomainRow> list;
  list.reserve(rows.size());
  for (auto& [name, row] : rows) list.push_back(std::move(row));
  co_return list;
}

std::set<Serial> serials_of(const std::vector<Certificate>& certificates) {
  std::set<Serial> serials;
  for (const auto& certificate : certificates) serials.insert(certificate.serial);
  return serials;
}

Task<Status> count_serials(app::App* app, const std::set<Serial>* wanted, RenewChoice* choice) {
  auto present = co_await app->store().certificates(false);
  if (!present) co_return fail(std::move(present.error()));
  auto all = co_await app->store().certificates(true);
  if (!all) co_return fail(std::move(all.error()));
  const auto of_present = serials_of(*present);
  const auto of_all = serials_of(*all);
  for (const auto& serial : *wanted) {
    if (of_present.contains(serial)) continue;
    ++(of_all.contains(serial) ? choice->replaced : choice->unknown);
  }
  co_return Status{};
}

/// Whether the terms hold for a domain by one of its former certificates: it was renewed already.
Task<Result<bool>> held_before(app::App* app, std::string where) {
  auto filter = app::DomainFilter::parse(where);
  if (!filter) co_return fail(std::move(filter.error()));
  auto rows = co_await app->store().domains();
  if (!rows) co_return fail(std::move(rows.error()));
  auto certificates = co_await app->store().certificates(true);
  if (!certificates) co_return fail(std::move(certificates.error()));
  std::map<DomainId, const store::DomainRow*> by_id;
  for (const auto& row : *rows) by_id.emplace(row.domain.id, &row);
  std::vector<store::DomainRow> former;
  for (auto& certificate : *certificates) {
    const auto found = by_id.find(certificate.domain_id);
    if (found == by_id.end() || !found->second->domain.enabled) continue;
    former.push_back(*found->second);
    former.back().certificate = std::move(certificate);
  }
  if (former.empty()) co_return false;
  const Time now = app->loop().clock().now();
  auto held = filter->select(std::move(former), app->config().defaults, now);
  if (!held) co_return fail(std::move(held.error()));
  co_return !held->empty();
}

}  // namespace

Task<Result<RenewChoice>> choose_to_renew(app::App* app, RenewWish wish) {
  const auto where = wish.names.empty() ? wish.where : std::string();
  const auto serials = wish.serials;
  auto rows = co_await rows_of(app, std::move(wish));
  if (!rows) co_return fail(std::move(rows.error()));
  RenewChoice choice;
  const auto leave_out = [&choice](const store::DomainRow& row, std::string reason) {
    choice.left_out.push_back({.domain = row.domain.name, .reason = std::move(reason)});
  };
  for (auto& row : *rows) {
    const bool listed = !serials || (row.certificate && serials->contains(row.certificate->serial));
    if (!listed) continue;
    if (!row.certificate) {
      leave_out(row, "it has no certificate: certherd issue gets it one");
    } else if (!row.domain.enabled) {
      leave_out(row, "it is disabled in the inventory");
    } else {
      choice.rows.push_back(std::move(row));
    }
  }
  if (serials) {
    auto counted = co_await count_serials(app, &*serials, &choice);
    if (!counted) co_return fail(std::move(counted.error()));
  }
  if (choice.rows.empty() && choice.left_out.empty() && !serials && !where.empty()) {
    auto before = co_await held_before(app, where);
    if (!before) co_return fail(std::move(before.error()));
    if (!*before) {
      co_return fail(
          Error::Kind::not_found, "renew --where",
          fmt::format("no domain is like \"{}\", and none was before it was renewed", where));
    }
  }
  co_return choice;
}

std::string left_out_text(const RenewChoice& choice) {
  constexpr std::size_t named = 10;
  const auto& left_out = choice.left_out;
  if (left_out.empty()) return {};
  auto text =
      fmt::format("{} domain{} left out:", left_out.size(), left_out.size() == 1 ? " is" : "s are");
  for (std::size_t i = 0; i < std::min(named, left_out.size()); ++i) {
    text += fmt::format("{} {}: {}", i == 0 ? "" : ";", left_out[i].domain, left_out[i].reason);
  }
  if (left_out.size() > named) text += fmt::format("; and {} more", left_out.size() - named);
  return text;
}

boost::json::array left_out_json(const RenewChoice& choice) {
  boost::json::array array;
  for (const auto& each : choice.left_out) {
    array.push_back(boost::json::object{{"domain", each.domain.text()}, {"reason", each.reason}});
  }
  return array;
}

}  // namespace certherd::cli
