#include "dns/route53/route53.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <utility>

#include "dns/route53/calls.hpp"
#include "dns/route53/errors.hpp"
#include "dns/route53/names.hpp"
#include "dns/route53/readings.hpp"
#include "dns/route53/record_changes.hpp"
#include "dns/route53/refusal.hpp"
#include "dns/route53/txt_value.hpp"
#include "dns/route53/zone_catalogue.hpp"
#include "dns/shared_lookups.hpp"

namespace certherd::dns {
namespace route53 {
namespace {

using Kind = Error::Kind;
using runtime::Urgency;

constexpr int zones_per_page = 100;  // the most that ListHostedZonesByName gives

// A page of record sets that is asked for several names: 300 is the most, and 100 with long values
// stay well within what is read of a reply.
constexpr int sets_per_page = 100;

// How often a batch is sent: each time but the first after having read what stood in its way, so
// that others must be writing at the same names all the while.
constexpr int most_rounds = 4;

constexpr std::string_view no_ticket = "none";

Urgency urgency_of(const std::vector<TxtChange>& changes) {
  const bool begins = std::ranges::any_of(
      changes, [](const TxtChange& change) { return change.action == TxtChange::Action::ensure; });
  return begins ? Urgency::begin : Urgency::tidy;
}

std::set<Fqdn> names_of(const std::vector<TxtChange>& changes) {
  std::set<Fqdn> names;
  for (const auto& change : changes) names.insert(change.name);
  return names;
}

/// What is refused of a batch: by name, with the words why.
using Refusals = std::map<Fqdn, std::string>;

// The causes say what is wrong with each change; the error itself is told to each of those whose
// change it is, and must not tell them about the others.
Error rejected(Error error, const std::vector<TxtChange>& changes, const Refusals& refusals) {
  error.detail =
      fmt::format("{} of {} names in the batch are refused, so that nothing of it was changed",
                  refusals.size(), names_of(changes).size());
  for (const auto& change : changes) {
    const auto refusal = refusals.find(change.name);
    if (refusal != refusals.end()) error.causes.push_back(refused(change, refusal->second));
  }
  return error;
}

// What stands already makes the batch larger than a request may be.
Error too_large(const std::vector<TxtChange>& changes) {
  Error error;
  error.kind = Kind::rejected;
  error.op = "Route 53 ChangeResourceRecordSets";
  error.detail = fmt::format(
      "with the values that stand there already it would be larger than one request may be "
      "({} values, {} characters)",
      most_elements, most_characters);
  if (changes.size() == 1) {
    error.causes.push_back(refused(
        changes.front(), "there are too many values at that name; remove what is not needed"));
  }
  return error;
}

// Each value that is to be created meets the quota, removals do not.
Error over_quota(Error error, const std::vector<TxtChange>& changes) {
  for (const auto& change : changes) {
    if (change.action == TxtChange::Action::ensure) {
      error.causes.push_back(refused(change, error.detail));
    }
  }
  return error;
}

Error never_quiet(const std::vector<TxtChange>& changes) {
  Error error;
  error.kind = Kind::transient;
  error.op = "Route 53 ChangeResourceRecordSets";
  error.detail = fmt::format(
      "the values at {} were changed by somebody else each time between reading and writing them; "
      "it is tried again later",
      changes.front().name);
  return error;
}

class Route53 final : public Provider {
 public:
  Route53(aws::Session& session, runtime::Budget& budget, Route53Options options)
      : calls_(session, budget, options.requests_per_second),
        options_(std::move(options)),
        catalogue_(session.loop(),
                   [this](Fqdn from, ZoneId id) {
                     return calls_.zones_by_name(std::move(from), std::move(id), zones_per_page);
                   }),
        delegated_(session.loop(), [this](Fqdn name) { return choose_twin(std::move(name)); }) {}

  Task<Result<Zone>> find_zone(Fqdn name) override;
  Task<Result<std::vector<Zone>>> zones() override;
  Task<Result<std::vector<Fqdn>>> name_servers(Zone zone) override;
  Task<Result<Ticket>> apply(Zone zone, std::vector<TxtChange> changes) override;
  Task<Result<ChangeState>> state(Ticket ticket) override;
  Task<Result<std::vector<TxtValue>>> list(Zone zone, Fqdn name) override;
  Task<Status> check() override;

  BatchLimits limits() const override {
    return {.changes = most_elements, .value_octets = most_characters, .octets_beside = 2};
  }

 private:
  Task<Result<Zone>> choose_twin(Fqdn name);
  Task<Result<std::map<Fqdn, Reading>>> read(ZoneId zone, std::set<Fqdn> names, Urgency urgency);
  Error noted(Error error, const ZoneId& zone);

  Calls calls_;
  Route53Options options_;
  ZoneCatalogue catalogue_;
  SharedLookups<Fqdn, Zone> delegated_;  // of zones that have twins, by their name
};

Task<Result<Zone>> Route53::find_zone(Fqdn name) {
  auto zones = co_await catalogue_.holding(name);
  if (!zones)
    co_return fail(std::move(zones.error()).during(fmt::format("find the zone of {}", name)));
  if (zones->empty()) {
    co_return fail(Kind::not_found, fmt::format("find the zone of {}", name),
                   fmt::format("no public hosted zone that [dns.{}] can see holds it: create one, "
                               "or choose the DNS section of the account that has it",
                               options_.section));
  }
  if (zones->size() == 1) co_return std::move(zones->front());
  co_return co_await delegated_.of(zones->front().name);
}

// Several public zones bear that name, as while a domain moves from one to another. The one that
// the world asks is the one with the delegation's name servers.
Task<Result<Zone>> Route53::choose_twin(Fqdn name) {
  const auto op = fmt::format("tell the hosted zones of {} apart", name);
  auto zones = co_await catalogue_.holding(name);
  if (!zones) co_return fail(std::move(zones.error()).during(op));
  auto real = co_await options_.delegation(name);
  if (!real && real.error().kind != Kind::not_found) {
    co_return fail(std::move(real.error()).during(op));
  }
  auto delegated = real.value_or(std::vector<Fqdn>());
  std::ranges::sort(delegated);

  std::vector<Zone> fitting;
  std::string theirs;
  for (const auto& zone : *zones) {
    auto id = zone.id;
    const auto servers = co_await calls_.name_servers(std::move(id));
    if (!servers) co_return fail(noted(servers.error(), zone.id).during(op));
    theirs += fmt::format("; {} has {}", zone.id, fmt::join(*servers, ", "));
    if (*servers == delegated) fitting.push_back(zone);
  }
  if (fitting.size() == 1) co_return std::move(fitting.front());
  co_return fail(
      Kind::misconfigured, op,
      fmt::format("the DNS delegates {} to {}, and {} of its {} public hosted zones have these "
                  "name servers{}: correct the delegation, or set the domain's zone_id in the "
                  "inventory",
                  name,
                  delegated.empty() ? "nobody" : fmt::format("{}", fmt::join(delegated, ", ")),
                  fitting.size(), zones->size(), theirs));
}

Task<Result<std::vector<Zone>>> Route53::zones() {
  std::vector<Zone> zones;
  std::string marker;
  do {
    auto page = co_await calls_.zones(marker);
    if (!page) co_return fail(std::move(page.error()));
    for (const auto& listed : page->zones) {
      auto name = read_name(listed.name);
      if (name && !listed.is_private) zones.push_back({.id = listed.id, .name = std::move(*name)});
    }
    const bool more = page->truncated && page->next_marker != marker;
    marker = more ? std::move(page->next_marker) : std::string();
  } while (!marker.empty());
  std::ranges::sort(zones, [](const Zone& a, const Zone& b) {
    return std::tie(a.name, a.id) < std::tie(b.name, b.id);
  });
  co_return zones;
}

Task<Result<std::vector<Fqdn>>> Route53::name_servers(Zone zone) {
  auto servers = co_await calls_.name_servers(zone.id);
  if (!servers) co_return fail(noted(std::move(servers.error()), zone.id));
  co_return servers;
}

Task<Result<Ticket>> Route53::apply(Zone zone, std::vector<TxtChange> changes) {
  const auto urgency = urgency_of(changes);
  KnownSets known;
  for (int round = 1; round <= most_rounds; ++round) {
    const RecordChanges batch(changes, known);
    if (!batch.fits()) co_return fail(too_large(changes));
    if (batch.changes().empty()) co_return Ticket(std::string(no_ticket));

    auto elements = batch.changes();
    auto sent = co_await calls_.change_record_sets(zone.id, std::move(elements), urgency);
    if (sent) co_return std::move(sent->id);
    auto error = to_error(sent.error());
    if (is_about_a_quota(sent.error())) co_return fail(over_quota(std::move(error), changes));
    if (!is_about_the_batch(sent.error())) co_return fail(noted(std::move(error), zone.id));

    const auto names = names_of(changes);
    const auto objected = objections(sent.error().messages, names);
    if (objected.empty()) co_return fail(std::move(error));
    Refusals refusals;
    std::set<Fqdn> unread;
    bool named_in_part = false;
    for (const auto& [name, objection] : objected) {
      unread.insert(name);
      if (objection.for_good) refusals.emplace(name, objection.words);
      if (round > 1 && !known.contains(name)) named_in_part = true;
    }
    if (!refusals.empty()) co_return fail(rejected(std::move(error), changes, refusals));
    // The refusal before did not name all that is in the way: then all is looked at.
    if (named_in_part) {
      std::ranges::copy_if(names, std::inserter(unread, unread.end()),
                           [&known](const Fqdn& name) { return !known.contains(name); });
    }

    auto readings = co_await read(zone.id, std::move(unread), urgency);
    if (!readings) co_return fail(noted(std::move(readings.error()), zone.id));
    for (auto& [name, reading] : *readings) {
      const auto before = known.find(name);
      if (!reading.simple) {
        refusals.emplace(name, "an alias or a record set with a routing policy stands there");
      } else if (before != known.end() && before->second == reading.set) {
        // Nobody came in between: it is refused for what it is.
        refusals.emplace(name, objected.at(name).words);
      } else {
        known.insert_or_assign(name, std::move(reading.set));
      }
    }
    if (!refusals.empty()) co_return fail(rejected(std::move(error), changes, refusals));
  }
  co_return fail(never_quiet(changes));
}

Task<Result<std::map<Fqdn, Reading>>> Route53::read(ZoneId zone, std::set<Fqdn> names,
                                                    Urgency urgency) {
  Readings readings(names);
  while (!readings.complete()) {
    const int most = readings.missing() == 1 ? 1 : sets_per_page;
    auto page = co_await calls_.record_sets(zone, readings.next(), most, urgency);
    if (!page) co_return fail(std::move(page.error()));
    readings.learn(*page);
  }
  co_return readings.of();
}

Task<Result<ChangeState>> Route53::state(Ticket ticket) {
  if (ticket.empty() || ticket.text() == no_ticket) co_return ChangeState::in_sync;
  auto change = co_await calls_.change(std::move(ticket));
  if (!change) co_return fail(std::move(change.error()));
  co_return change->state;
}

Task<Result<std::vector<TxtValue>>> Route53::list(Zone zone, Fqdn name) {
  auto page = co_await calls_.record_sets(zone.id, name, sets_per_page, Urgency::look);
  if (!page) co_return fail(noted(std::move(page.error()), zone.id));
  std::vector<TxtValue> values;
  for (const auto& listed : page->sets) {
    if (listed.type != "TXT" || read_name(listed.name) != name) break;
    for (const auto& text : listed.set.texts) {
      values.push_back(unquote(text).value_or(TxtValue(text)));
    }
  }
  co_return values;
}

Task<Status> Route53::check() {
  auto page = co_await calls_.zones_by_name(Fqdn(), ZoneId(), 1);
  if (!page) co_return fail(std::move(page.error()));
  co_return Status();
}

// A zone that is gone is looked for anew.
Error Route53::noted(Error error, const ZoneId& zone) {
  if (error.kind == Kind::not_found) {
    catalogue_.forget(zone);
    delegated_.forget();
  }
  return error;
}

}  // namespace
}  // namespace route53

std::unique_ptr<Provider> make_route53(aws::Session& session, runtime::Budget& budget,
                                       Route53Options options) {
  return std::make_unique<route53::Route53>(session, budget, std::move(options));
}

}  // namespace certherd::dns
