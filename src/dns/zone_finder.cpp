#include "dns/zone_finder.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "dns/message.hpp"

namespace certherd::dns {
namespace {

/// Resolvers of CAs give up at about this many (Let's Encrypt's at 8 to 10).
constexpr std::size_t max_cnames = 8;

const Record* cname_at(const Message& reply, const Fqdn& name) {
  const auto found = std::ranges::find_if(reply.answers, [&name](const Record& record) {
    return record.type == RecordType::cname && record.name == name.text();
  });
  return found == reply.answers.end() ? nullptr : &*found;
}

/// The owner of an SOA that stands at `name` or above it: RFC 2308 section 3 puts it into the
/// authority section of every negative answer.
std::optional<std::string> soa_owner(const Message& reply, const Fqdn& name) {
  for (const auto* section : {&reply.answers, &reply.authority}) {
    for (const auto& record : *section) {
      if (record.type != RecordType::soa) continue;
      const bool above = record.name.empty() || name.text() == record.name ||
                         name.text().ends_with("." + record.name);
      if (above) return record.name;
    }
  }
  return std::nullopt;
}

/// The last two labels of a name.
Fqdn registrable(Fqdn name) {
  while (std::ranges::count(name.text(), '.') > 1) name = name.parent();
  return name;
}

}  // namespace

std::string CnameTrail::text() const { return fmt::format("{}", fmt::join(names, " -> ")); }

std::string CnameTrail::detour() const {
  return names.size() > 1 ? fmt::format(" (by CNAME: {})", text()) : std::string();
}

Task<Result<Location>> ZoneFinder::locate(Fqdn challenge_name) {
  auto trail = co_await follow(std::move(challenge_name));
  if (!trail) co_return fail(std::move(trail.error()));
  auto apex = co_await zone_of(*trail);
  if (!apex) co_return fail(std::move(apex.error()));
  co_return Location{.record = trail->end(), .zone = std::move(*apex)};
}

Task<Result<Fqdn>> ZoneFinder::zone_of(CnameTrail trail) {
  auto owner = soa_owner(trail.last.message, trail.end());
  auto apex = co_await find_apex(trail, std::move(owner));
  if (!apex) co_return fail(std::move(apex.error()));
  const auto registered = co_await check_registered(std::move(trail), *apex);
  if (!registered) co_return fail(registered.error());
  co_return apex;
}

Task<Result<Fqdn>> ZoneFinder::zone_around(Fqdn name) {
  CnameTrail trail{.names = {std::move(name)}, .last = {}};
  return find_apex(std::move(trail), std::nullopt);
}

Task<Result<CnameTrail>> ZoneFinder::follow(Fqdn name) {
  const std::string op = "follow CNAMEs";
  CnameTrail trail{.names = {std::move(name)}, .last = {}};
  for (;;) {
    // Asked for TXT, a resolver would follow the chain itself, and BIND then calls a circle only
    // SERVFAIL. Asked for the CNAME it tells it link by link, as an authoritative server does; and
    // the negative answer at the end holds the SOA, whether or not there are values already.
    Question question{.name = trail.end().text(), .type = RecordType::cname};
    auto answer = co_await resolvers_.ask(std::move(question));
    if (!answer) {
      auto error = std::move(answer.error());
      error.detail += trail.detour();
      co_return fail(std::move(error));
    }
    trail.last = std::move(*answer);

    const std::size_t known = trail.names.size();
    while (const auto* cname = cname_at(trail.last.message, trail.end())) {
      auto target = Fqdn::parse(cname->text);
      if (!target) {
        co_return fail(Error::Kind::misconfigured, op,
                       fmt::format("the CNAME at {} leads to \"{}\", where no record can be "
                                   "written: {}",
                                   trail.end(), cname->text, target.error().detail));
      }
      const bool seen = std::ranges::find(trail.names, *target) != trail.names.end();
      trail.names.push_back(std::move(*target));
      if (seen) {
        co_return fail(Error::Kind::misconfigured, op,
                       fmt::format("the CNAMEs lead in a circle: {}", trail.text()));
      }
      if (trail.names.size() > max_cnames + 1) {
        co_return fail(
            Error::Kind::misconfigured, op,
            fmt::format("more than {} CNAMEs one after another: {}", max_cnames, trail.text()));
      }
    }
    if (trail.names.size() == known) co_return trail;
  }
}

Task<Result<Fqdn>> ZoneFinder::find_apex(CnameTrail trail, std::optional<std::string> owner) {
  const std::string op = fmt::format("find the zone of {}", trail.end());
  for (Fqdn name = trail.end(); !owner && !name.empty(); name = name.parent()) {
    Question question{.name = name.text(), .type = RecordType::soa};
    auto answer = co_await resolvers_.ask(std::move(question));
    if (!answer) {
      auto error = std::move(answer.error()).during(op);
      error.detail += trail.detour();
      co_return fail(std::move(error));
    }
    owner = soa_owner(answer->message, name);
    trail.last.server = std::move(answer->server);
  }
  if (!owner) {
    co_return fail(Error::Kind::not_found, op,
                   fmt::format("{} knows no zone that holds {}{}", trail.last.server, trail.end(),
                               trail.detour()));
  }
  if (owner->empty()) {
    // The root itself answered: there is not even such a top-level domain.
    co_return fail(trail.names.size() > 1 ? Error::Kind::misconfigured : Error::Kind::not_found, op,
                   fmt::format("no zone holds {}: {} says that its top-level domain does not "
                               "exist{}",
                               trail.end(), trail.last.server, trail.detour()));
  }
  auto apex = Fqdn::parse(*owner);
  if (!apex) co_return fail(std::move(apex.error()).during(op));
  co_return apex;
}

/// A domain that nobody has registered looks like a name inside its top-level domain.
Task<Status> ZoneFinder::check_registered(CnameTrail trail, Fqdn apex) {
  const bool top_level = apex.text().find('.') == std::string::npos;
  // A server that is itself the authority for "lan" or "test" knows what it is doing.
  if (!top_level || trail.last.message.authoritative) co_return Status();
  const Fqdn domain = registrable(trail.end());
  if (domain == trail.end()) co_return Status();

  Question question{.name = domain.text(), .type = RecordType::soa};
  const auto answer = co_await resolvers_.ask(std::move(question));
  const std::string op = fmt::format("find the zone of {}", trail.end());
  if (!answer) co_return fail(answer.error().during(op));
  if (answer->message.code != ResponseCode::name_error) co_return Status();
  co_return fail(trail.names.size() > 1 ? Error::Kind::misconfigured : Error::Kind::not_found, op,
                 fmt::format("the domain {} does not exist: {} says NXDOMAIN{}", domain,
                             answer->server, trail.detour()));
}

}  // namespace certherd::dns
