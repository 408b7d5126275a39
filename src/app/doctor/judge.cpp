#include "app/doctor/judge.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <boost/asio/ip/address.hpp>
#include <iterator>
#include <utility>

#include "policy/caa.hpp"

namespace certherd::app {
namespace {

using namespace std::chrono_literals;
using Status = Verdict::Status;

/// Beyond this a clock is told; HTTP dates are whole seconds, and networks take their time.
constexpr Duration clock_tolerated = 5s;
/// Beyond this signatures, tokens and certificates begin to be refused.
constexpr Duration clock_allowed = 1min;

/// A name with so many values answers slowly, only by TCP, and at last not at all: 100 of 43
/// octets are about 6 KB.
constexpr std::size_t many_values = 100;

Verdict ok(std::string finding) {
  return {.status = Status::ok, .finding = std::move(finding), .remedy = {}};
}

Verdict warning(std::string finding, std::string remedy) {
  return {.status = Status::warning, .finding = std::move(finding), .remedy = std::move(remedy)};
}

Verdict failed(std::string finding, std::string remedy) {
  return {.status = Status::failed, .finding = std::move(finding), .remedy = std::move(remedy)};
}

std::string remedy_for(Error::Kind kind) {
  switch (kind) {
    case Error::Kind::transient:
    case Error::Kind::deadline:
      return "try again; if it stays, look at the way there: network, firewall, and whether it "
             "runs";
    case Error::Kind::throttled:
      return "try again later: a limit was met";
    case Error::Kind::denied:
      return "give the user or the credentials that certherd runs with the right to it";
    case Error::Kind::misconfigured:
    case Error::Kind::not_found:
    case Error::Kind::conflict:
    case Error::Kind::rejected:
      return "put right what the finding names";
  }
  return {};
}

std::string listed(const std::vector<std::string>& words) {
  return words.empty() ? std::string("none") : fmt::format("{}", fmt::join(words, ", "));
}

std::string counted(std::size_t count, std::string_view what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

/// "only the parent names a, b; only the zone itself names c".
std::string differences(const dns::ZoneSurvey& survey) {
  std::vector<std::string> parent;
  std::vector<std::string> own;
  std::ranges::set_difference(survey.delegated, survey.own, std::back_inserter(parent));
  std::ranges::set_difference(survey.own, survey.delegated, std::back_inserter(own));
  std::string text;
  if (!parent.empty()) text += fmt::format("only the zone above names {}", listed(parent));
  if (!own.empty()) {
    text += fmt::format("{}only the zone itself names {}", text.empty() ? "" : "; ", listed(own));
  }
  return text;
}

/// The faults of a zone's servers, and how many there are to be asked.
struct ServerFaults {
  std::string grave;
  std::string slight;
};

ServerFaults faults_of(const dns::ZoneSurvey& survey) {
  ServerFaults faults;
  for (const auto& word : survey.words) {
    if (word.finding.empty()) continue;
    auto& text = word.excused ? faults.slight : faults.grave;
    fmt::format_to(std::back_inserter(text), "{}{}: {}", text.empty() ? "" : "; ", word.server,
                   word.finding);
  }
  return faults;
}

/// Addresses at which a responder can be reached, as far as its section tells.
std::vector<std::string> addresses_of(const dns::ResponderOptions& options) {
  auto addresses = options.addresses;
  for (const auto& listen : options.listen) {
    boost::system::error_code error;
    const auto address = boost::asio::ip::make_address(listen.address, error);
    if (!error && !address.is_unspecified()) addresses.push_back(listen.address);
  }
  return addresses;
}

}  // namespace

std::string_view to_string(Verdict::Status status) {
  switch (status) {
    case Status::ok:
      return "ok";
    case Status::warning:
      return "warning";
    case Status::failed:
      return "failed";
  }
  return {};
}

Verdict judge_error(const Error& error) { return failed(error.message(), remedy_for(error.kind)); }

Verdict join(std::vector<Verdict> verdicts) {
  Verdict all;
  for (const auto& verdict : verdicts) all.status = std::max(all.status, verdict.status);
  const auto add = [](std::string& text, const std::string& more) {
    if (more.empty() || text.contains(more)) return;
    if (!text.empty()) text += ". ";
    text += more;
  };
  for (const auto& verdict : verdicts) {
    if (verdict.status != all.status) continue;
    add(all.finding, verdict.finding);
    add(all.remedy, verdict.remedy);
  }
  return all;
}

Verdict judge_zone(const Fqdn& zone, const Result<dns::ZoneSurvey>& survey) {
  if (!survey) {
    auto verdict = judge_error(survey.error());
    if (survey.error().kind == Error::Kind::not_found) {
      verdict.remedy = fmt::format("have {} served by name servers that its NS records name", zone);
    }
    return verdict;
  }
  if (!survey->undelegated.empty()) {
    return failed(
        fmt::format("the zone above does not delegate {}: {}", zone, survey->undelegated),
        fmt::format("enter the name servers of {} at its registrar, or in the zone above", zone));
  }
  const auto faults = faults_of(*survey);
  if (!faults.grave.empty()) {
    return failed(fmt::format("not every name server serves {}: {}", zone, faults.grave),
                  "mend these servers, or take them out of the NS records of the zone and of the "
                  "one above it: a challenge value has to stand on each of them");
  }
  if (const auto differ = differences(*survey);
      !differ.empty() && !survey->own.empty() && !survey->delegated.empty()) {
    return warning(fmt::format("the NS records of {} differ: {}", zone, differ),
                   "make the NS records in the zone and at its registrar the same");
  }
  if (!faults.slight.empty()) {
    return warning(
        fmt::format("not every name server of {} can be asked from here: {}", zone, faults.slight),
        "make sure that others can reach them: the CA asks from many places");
  }
  if (survey->words.empty()) return ok(fmt::format("{}: {}", zone, survey->parent_unknown));
  auto finding = fmt::format("{} is served by {}", zone, listed(survey->own));
  if (!survey->parent_unknown.empty()) {
    finding += fmt::format(" (not held against the zone above: {})", survey->parent_unknown);
  }
  return ok(std::move(finding));
}

Verdict judge_caa_of(const Fqdn& name, const Result<dns::CaaSet>& set, const CaaView& view) {
  if (!set) {
    return failed(set.error().message(),
                  "have the name servers answer for CAA records, if only that there are none: CAs "
                  "issue nothing while that look-up fails");
  }
  if (set->properties.empty()) {
    if (set->unasked.empty()) return ok("no CAA record, so every CA may issue");
    return ok(
        fmt::format("no CAA record below {}; the resolver serves only zones of its own, so "
                    "nothing is known from there on upwards",
                    set->unasked));
  }
  const auto place = set->by.empty() ? set->at.text() : set->by;
  policy::CaaRequest request;
  request.wildcard = name.is_wildcard();
  request.account = view.account;
  if (view.directory) request.issuers = view.directory->caa_identities;
  const auto verdict = policy::judge_caa(set->properties, request);
  if (verdict.outcome == policy::CaaVerdict::Outcome::allowed) {
    return ok(verdict.reason.empty()
                  ? fmt::format("the CAA records at {} restrict nobody", place)
                  : fmt::format("{} at {} lets the CA issue", verdict.reason, place));
  }
  auto finding = fmt::format("by the CAA records at {}: {}", place, verdict.reason);
  if (verdict.outcome == policy::CaaVerdict::Outcome::forbidden) {
    return failed(std::move(finding), fmt::format("at {}: {}", set->at, verdict.remedy));
  }
  if (!view.directory) {
    return warning(fmt::format("the CAA records at {} restrict who may issue, and [ca.{}] could "
                               "not be asked for its name",
                               place, view.ca),
                   "see to the CA first");
  }
  return warning(std::move(finding), fmt::format("at {}: {}", set->at, verdict.remedy));
}

Verdict judge_values(const dns::ChallengePath& path, const std::vector<TxtValue>& standing,
                     const std::vector<TxtValue>& ours, const std::vector<TxtValue>& stale) {
  const auto foreign =
      static_cast<std::size_t>(std::ranges::count_if(standing, [&ours](const TxtValue& value) {
        return std::ranges::find(ours, value) == ours.end();
      }));
  std::string way = fmt::format("{}", fmt::join(path.names, " -> "));
  way += fmt::format(" in the zone {}", path.zone);
  if (standing.size() >= many_values) {
    return warning(fmt::format("{}: {} stand there, {} of them not ours", way,
                               counted(standing.size(), "TXT value"), foreign),
                   "take out what nobody needs any more: with very many values the answer becomes "
                   "too large for the CA");
  }
  if (!stale.empty()) {
    return warning(fmt::format("{}: {} of earlier issuances in the ledger", way,
                               counted(stale.size(), "value")),
                   "certherd run --once removes them");
  }
  if (foreign > 0) {
    return ok(fmt::format("{}; {} of somebody else there", way, counted(foreign, "TXT value")));
  }
  return ok(std::move(way));
}

Verdict judge_responder(const DnsName& section, const dns::ResponderOptions& options,
                        const Fqdn& zone, const std::vector<dns::ServerAddress>& servers) {
  const auto addresses = addresses_of(options);
  if (addresses.empty() || servers.empty()) {
    return ok(
        fmt::format("[dns.{}] answers for {}; where its delegation leads is not compared, "
                    "since no address is known",
                    section, zone));
  }
  std::vector<std::string> elsewhere;
  for (const auto& server : servers) {
    if (std::ranges::find(addresses, server.address) != addresses.end()) continue;
    elsewhere.push_back(server.text());
  }
  if (elsewhere.empty()) {
    return ok(fmt::format("the delegation of {} leads to [dns.{}] at {}", zone, section,
                          listed(addresses)));
  }
  return warning(
      fmt::format(
          "the delegation of {} leads to {}, which [dns.{}] does not name: it listens at {}", zone,
          listed(elsewhere), section, listed(addresses)),
      fmt::format("lead the zone's NS to this machine, or name the addresses by which it is "
                  "reached under [dns.{}] addresses; `--write-test` shows whether it works",
                  section));
}

Verdict judge_host(const DnsName& section, const dns::Zone& hosted, const Fqdn& apex,
                   const Result<std::vector<Fqdn>>& assigned,
                   const Result<dns::ZoneSurvey>& survey) {
  if (!assigned) {
    auto verdict = judge_error(assigned.error());
    if (assigned.error().kind == Error::Kind::not_found) {
      verdict.remedy = fmt::format(
          "correct zone_id in the inventory, or leave it empty: then [dns.{}] looks for the zone",
          section);
    }
    return verdict;
  }
  if (hosted.name != apex) {
    return failed(fmt::format("the record is in the zone {}, but [dns.{}] would write it into the "
                              "zone {} ({}), where nobody looks for it",
                              apex, section, hosted.name, hosted.id),
                  fmt::format("keep {} at that host too, or lead the challenge name by a CNAME "
                              "into a zone that is delegated to it",
                              apex));
  }
  std::vector<std::string> own;
  own.reserve(assigned->size());
  for (const auto& server : *assigned) own.push_back(server.text());
  std::ranges::sort(own);
  if (own.empty() || !survey || (survey->delegated.empty() && survey->own.empty())) {
    return ok(fmt::format("{} is the hosted zone {}; where its delegation leads is not compared",
                          apex, hosted.id));
  }
  const auto& delegated = survey->delegated.empty() ? survey->own : survey->delegated;
  if (delegated == own) {
    return ok(fmt::format("the delegation of {} leads to the hosted zone {}", apex, hosted.id));
  }
  return failed(
      fmt::format("the delegation of {} names {}, but the hosted zone {} of [dns.{}] is served by "
                  "{}: what is written there is not seen",
                  apex, listed(delegated), hosted.id, section, listed(own)),
      fmt::format("enter {} at the registrar of {}; or, if another hosted zone is the one in use, "
                  "set zone_id to it",
                  listed(own), apex));
}

Verdict judge_clock(Time sent, Time received, Time date) {
  // The CA cut its time to the second, somewhere between both of ours.
  const Time latest = date + 1s;
  const bool ahead = sent > latest;
  const Duration off = ahead ? sent - latest : date > received ? date - received : Duration::zero();
  const auto finding =
      fmt::format("this machine says {}, the CA {}", format_time(received), format_time(date));
  if (off <= clock_tolerated) return ok(finding);
  auto told = fmt::format("{}: this clock is {} {}", finding, format_duration(off),
                          ahead ? "ahead" : "behind");
  constexpr auto remedy = "set the clock of this machine, best by NTP (timedatectl set-ntp true)";
  return off > clock_allowed ? failed(std::move(told), remedy) : warning(std::move(told), remedy);
}

Verdict judge_account(const CaName& ca, const CaConfig& config, const acme::Directory& directory,
                      const std::optional<Account>& account) {
  if (account && account->directory != config.directory) {
    return failed(fmt::format("the account in the store belongs to {}, the config names {}",
                              account->directory, config.directory),
                  "give the other CA a section of its own");
  }
  if (account && !account->url.empty()) {
    if (account->status == "valid") return ok(fmt::format("account {}", account->url));
    return failed(fmt::format("the account {} is {}", account->url, account->status),
                  fmt::format("certherd account register --new --ca {} makes another one", ca));
  }
  if (!config.terms_of_service_agreed && !directory.terms_of_service.empty()) {
    return failed(
        fmt::format("there is no account yet, and the terms of service {} are not "
                    "agreed to",
                    directory.terms_of_service),
        fmt::format("read them and set terms_of_service_agreed = true under [ca.{}]", ca));
  }
  if (directory.external_account_required && !config.eab) {
    return failed("there is no account yet, and the CA wants one of its own to bind it to",
                  fmt::format("ask the CA for a key id and an HMAC key, and name them as eab under "
                              "[ca.{}]",
                              ca));
  }
  return ok("no account yet: the first issue registers one");
}

Verdict judge_profile(const CaName& ca, const CaConfig& config, const acme::Directory& directory) {
  if (config.profile.empty() || directory.profiles.contains(config.profile)) return {};
  std::vector<std::string> offered;
  offered.reserve(directory.profiles.size());
  for (const auto& [name, words] : directory.profiles) offered.push_back(name);
  return failed(
      fmt::format("the CA offers no profile \"{}\"; it offers {}", config.profile, listed(offered)),
      fmt::format("choose another profile under [ca.{}], or take it out", ca));
}

}  // namespace certherd::app
