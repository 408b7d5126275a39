#include "dns/inspector.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "dns/live_dns.hpp"

namespace certherd::dns {
namespace {

/// Of a parent's servers no more are asked, one after another, where they do not answer.
constexpr std::size_t max_parent_servers = 3;

std::vector<std::string> name_servers_in(const std::vector<Record>& records, const Fqdn& zone) {
  std::vector<std::string> names;
  for (const auto& record : records) {
    if (record.type == RecordType::ns && record.name == zone.text()) names.push_back(record.text);
  }
  std::ranges::sort(names);
  const auto repeated = std::ranges::unique(names);
  names.erase(repeated.begin(), repeated.end());
  return names;
}

}  // namespace

class Inspector::Impl {
 public:
  Impl(runtime::EventLoop& loop, runtime::Random& random, ResolverOptions options)
      : dns_(loop, random, std::move(options)),
        caa_(loop, dns_.resolvers, dns_.zones),
        surveys_(loop, [this](Fqdn zone) { return survey(std::move(zone)); }) {}

  Task<Result<ChallengePath>> trace(Fqdn challenge_name);
  Task<Result<ZoneSurvey>> survey_once(Fqdn zone) { return surveys_.of(std::move(zone)); }
  Task<Result<CaaSet>> caa(Fqdn name) { return caa_.of(std::move(name)); }
  Task<Result<std::vector<TxtValue>>> values(Fqdn record, Fqdn zone);

 private:
  Task<Result<ZoneSurvey>> survey(Fqdn zone);
  Task<std::vector<NameServer>> ask_parent(Fqdn zone, ZoneSurvey* survey);
  Task<Result<Message>> ask_for_values(Fqdn record, Fqdn zone);

  LiveDns dns_;
  CaaLookup caa_;
  SharedLookups<Fqdn, ZoneSurvey> surveys_;
};

Task<Result<ChallengePath>> Inspector::Impl::trace(Fqdn challenge_name) {
  auto trail = co_await dns_.zones.follow(challenge_name);
  if (!trail) co_return fail(std::move(trail.error()));
  auto zone = co_await dns_.zones.zone_of(*trail);
  if (!zone) co_return fail(std::move(zone.error()));
  ChallengePath path{.names = std::move(trail->names), .origin = *zone, .zone = *zone};
  if (path.names.size() > 1) {
    auto origin = co_await dns_.zones.zone_around(std::move(challenge_name));
    if (!origin) co_return fail(std::move(origin.error()));
    path.origin = std::move(*origin);
  }
  co_return path;
}

Task<Result<ZoneSurvey>> Inspector::Impl::survey(Fqdn zone) {
  ZoneSurvey survey;
  auto servers = co_await dns_.delegations.of(zone);
  if (!servers) co_return fail(std::move(servers.error()));
  if (dns_.options.check != ResolverOptions::Check::authoritative) {
    survey.parent_unknown = "[resolver] check lets nobody but the resolvers be asked";
    co_return survey;
  }
  // What the zone itself calls its servers; a resolver may tell what the parent calls them.
  Question question{.name = zone.text(), .type = RecordType::ns};
  const auto own = co_await dns_.authorities.ask_one(*servers, question);
  if (own) survey.own = name_servers_in(own->answers, zone);

  auto further = co_await ask_parent(zone, &survey);
  for (auto& server : further) {
    const bool known = std::ranges::any_of(
        *servers, [&server](const NameServer& each) { return each.name == server.name; });
    if (!known) servers->push_back(std::move(server));
  }
  for (const auto& server : *servers) {
    survey.servers.insert(survey.servers.end(), server.addresses.begin(), server.addresses.end());
    if (!server.addresses.empty()) continue;
    survey.words.push_back(
        {.server = server.name, .finding = server.trouble, .excused = server.nonexistent});
  }
  question.type = RecordType::soa;
  const auto heard = co_await dns_.authorities.ask_all(
      *servers, std::move(question), std::vector<Transport>{Transport::udp, Transport::tcp});
  survey.words.reserve(survey.words.size() + heard.size());
  for (const auto& each : heard) {
    survey.words.push_back({.server = each.server,
                            .finding = why_not_served(each, zone),
                            .excused = is_excused(each, heard)});
  }
  co_return survey;
}

/// Fills in what the parent's servers say of the zone, and gives the servers that they name.
Task<std::vector<NameServer>> Inspector::Impl::ask_parent(Fqdn zone, ZoneSurvey* survey) {
  const Fqdn above = zone.parent();
  if (above.empty()) {
    survey->parent_unknown = "it is a top-level domain";
    co_return std::vector<NameServer>();
  }
  const auto parent = co_await dns_.zones.zone_around(above);
  if (!parent) {
    survey->parent_unknown = parent.error().detail;
    co_return std::vector<NameServer>();
  }
  auto servers = co_await dns_.delegations.of(*parent);
  if (!servers) {
    survey->parent_unknown = servers.error().detail;
    co_return std::vector<NameServer>();
  }

  if (servers->size() > max_parent_servers) servers->resize(max_parent_servers);

  const Question question{.name = zone.text(), .type = RecordType::ns};
  std::string said;
  for (const auto& server : *servers) {
    const auto heard =
        co_await dns_.authorities.ask_all({1, server}, question, {1, Transport::udp});
    for (const auto& each : heard) {
      if (each.reply && each.reply->code == ResponseCode::no_error) {
        // RFC 1034 section 4.3.2: a referral stands in the authority section.
        survey->delegated = name_servers_in(each.reply->authority, zone);
        if (!survey->delegated.empty()) {
          co_return co_await dns_.delegations.find(survey->delegated, each.reply->additional);
        }
        if (!name_servers_in(each.reply->answers, zone).empty()) {
          survey->parent_unknown =
              fmt::format("{} serves both {} and the zone above it", each.server, zone);
          co_return std::vector<NameServer>();
        }
      }
      const bool tells = each.reply && each.reply->authoritative &&
                         (each.reply->code == ResponseCode::no_error ||
                          each.reply->code == ResponseCode::name_error);
      if (tells) {
        survey->undelegated = fmt::format("{} of the zone {} says {}", each.server, *parent,
                                          each.reply->code == ResponseCode::name_error
                                              ? "NXDOMAIN"
                                              : "that there is no NS record");
        co_return std::vector<NameServer>();
      }
      said += fmt::format("{}{}: {}", said.empty() ? "" : "; ", each.server,
                          each.reply ? to_string(each.reply->code) : each.reply.error().detail);
    }
  }
  survey->parent_unknown = fmt::format("no server of the zone {} that was asked answers for it: {}",
                                       *parent, said.empty() ? "they have no address" : said);
  co_return std::vector<NameServer>();
}

Task<Result<std::vector<TxtValue>>> Inspector::Impl::values(Fqdn record, Fqdn zone) {
  const std::string op = fmt::format("read the values at {}", record);
  const auto reply = co_await ask_for_values(record, std::move(zone));
  if (!reply) co_return fail(reply.error().during(op));
  std::vector<TxtValue> values;
  for (const auto& answer : reply->answers) {
    if (answer.type == RecordType::txt && answer.name == record.text()) {
      values.emplace_back(answer.text);
    }
  }
  co_return values;
}

Task<Result<Message>> Inspector::Impl::ask_for_values(Fqdn record, Fqdn zone) {
  Question question{.name = record.text(), .type = RecordType::txt};
  if (dns_.options.check != ResolverOptions::Check::authoritative) {
    auto answer = co_await dns_.resolvers.ask(std::move(question));
    if (!answer) co_return fail(std::move(answer.error()));
    co_return std::move(answer->message);
  }
  auto servers = co_await dns_.delegations.of(std::move(zone));
  if (!servers) co_return fail(std::move(servers.error()));
  co_return co_await dns_.authorities.ask_one(std::move(*servers), std::move(question));
}

Inspector::Inspector(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Inspector::~Inspector() = default;

Result<std::unique_ptr<Inspector>> Inspector::make(runtime::EventLoop& loop,
                                                   runtime::Random& random,
                                                   ResolverOptions options) {
  auto complete = with_resolvers(std::move(options));
  if (!complete) return fail(std::move(complete.error()));
  auto impl = std::make_unique<Impl>(loop, random, std::move(*complete));
  return std::unique_ptr<Inspector>(new Inspector(std::move(impl)));
}

Task<Result<ChallengePath>> Inspector::trace(Fqdn challenge_name) {
  return impl_->trace(std::move(challenge_name));
}

Task<Result<ZoneSurvey>> Inspector::survey(Fqdn zone) {
  return impl_->survey_once(std::move(zone));
}

Task<Result<CaaSet>> Inspector::caa(Fqdn name) { return impl_->caa(std::move(name)); }

Task<Result<std::vector<TxtValue>>> Inspector::values(Fqdn record, Fqdn zone) {
  return impl_->values(std::move(record), std::move(zone));
}

}  // namespace certherd::dns
