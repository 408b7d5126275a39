#include "fleet/issuance/steps.hpp"

#include <fmt/ranges.h>

#include <algorithm>

#include "base/log.hpp"
#include "crypto/csr.hpp"
#include "crypto/encoding.hpp"
#include "fleet/draw_key.hpp"
#include "fleet/installation.hpp"
#include "fleet/kept.hpp"
#include "fleet/proof.hpp"
#include "policy/renewal.hpp"

namespace certherd::fleet {
namespace {

using namespace std::chrono_literals;

// Boulder validates within seconds; what is not valid after this has been forgotten there.
constexpr Duration validate_within = 10min;
constexpr Duration shortest_poll = 250ms;
// Looking into the DNS costs little, and a certificate waits for what it shows; Route 53 is done
// within two minutes. A host that has taken longer will take longer still: of the time that it
// takes beyond those, each look may come a sixteenth late.
constexpr Duration common_look = 4s;
constexpr int common_looks = 30;
constexpr Duration longest_look = 1min;

Duration longest_pause_after(int looks) {
  auto pause = common_look;
  for (int i = common_looks; i < looks && pause < longest_look; ++i) pause += pause / 16;
  return std::min(pause, longest_look);
}

// So many internal errors in a row may be the CA's own; then they may come from the predecessor
// that the order names (Pebble tells an unknown one like that).
constexpr int internal_errors_believed = 2;

// A preferred chain that cannot be fetched is asked for again as long as that is soon; then the
// certificate is worth more than its chain.
constexpr int quick_looks_for_a_chain = 3;

// Of certificates for six days, the shortest of Let's Encrypt's, this is little; no clock that
// somebody looks after is off by so much.
constexpr Duration clock_may_differ = 6h;

// How often a certificate that is not what was asked is fetched again before it and its key are
// given up: a gateway may have answered in the CA's stead. One whose dates look wrong may wait,
// for about a week of retries, until somebody has set the clock.
constexpr int wrong_certificates = 4;
constexpr int wrong_dates = 10;

// Only a problem document is the CA's own refusal. An answer that cannot be read, from whoever it
// came, says nothing about what the CA has done: it is asked again, and looked at first.
Error unless_refused(Error error) {
  if (error.kind == Error::Kind::rejected && !error.problem) error.kind = Error::Kind::transient;
  return error;
}

// A CA that no longer knows an order or authorization will not know it tomorrow either: the
// issuance is over and the next one orders anew.
Error ca_error(Error error, std::string_view step) {
  error = unless_refused(std::move(error));
  if (error.kind == Error::Kind::not_found) error.kind = Error::Kind::rejected;
  return std::move(error).during(step);
}

// Whether newOrder may have been refused for the predecessor that it names: alreadyReplaced, or
// the CA does not know it, or not as ours (RFC 9773 section 5 leaves the error open).
bool may_be_for_predecessor(const Error& error) {
  if (!error.problem) return false;
  return error.problem->is_acme("malformed") || error.problem->is_acme("unauthorized") ||
         error.kind == Error::Kind::conflict || error.kind == Error::Kind::not_found;
}

bool blames_itself(const Issuance& issuance) {
  return issuance.attempts >= internal_errors_believed && issuance.last_error &&
         issuance.last_error->problem && issuance.last_error->problem->is_acme("serverInternal");
}

// By this name people know a chain: of who signed its last certificate.
std::string topmost_issuer(const crypto::Pki& pki, const std::string& pem) {
  const auto chain = pki.read_chain(pem);
  return chain ? chain->back().issuer : std::string();
}

bool is_for_one_of(const acme::Authorization& authorization, const std::vector<Fqdn>& names) {
  return std::ranges::any_of(names, [&authorization](const Fqdn& name) {
    return name.without_wildcard() == authorization.identifier;
  });
}

store::Changes with_certificate(std::optional<Certificate> certificate) {
  store::Changes changes;
  changes.certificate = std::move(certificate);
  return changes;
}

}  // namespace

std::string key_purpose(const Fqdn& domain) { return "certificate-key/" + domain.text(); }

Task<StepResult> Steps::take(Issuance issuance, Domain domain, bool look_first) {
  if (has_lost_its_order(issuance)) return order_anew(std::move(issuance));
  if (has_outdated_values(issuance)) return authorize_anew(std::move(issuance));
  switch (issuance.step) {
    case Step::create_key:
      return create_key(std::move(issuance), std::move(domain));
    case Step::new_order:
      return new_order(std::move(issuance), std::move(domain), look_first);
    case Step::authorize:
      return authorize(std::move(issuance), std::move(domain));
    case Step::publish:
      return publish(std::move(issuance), std::move(domain));
    case Step::propagate:
      return propagate(std::move(issuance), std::move(domain));
    case Step::answer:
      return answer(std::move(issuance));
    case Step::validate:
      return validate(std::move(issuance));
    case Step::finalize:
      return finalize(std::move(issuance), look_first);
    case Step::poll_order:
      return poll_order(std::move(issuance));
    case Step::download:
      return download(std::move(issuance));
    case Step::store:
      return store(std::move(issuance), std::move(domain));
    case Step::install:
      return install(std::move(issuance), std::move(domain));
    case Step::prove:
      return prove(std::move(issuance), std::move(domain));
    case Step::clean_up:
      return clean_up(std::move(issuance), std::move(domain));
    case Step::done:
    case Step::failed:
      break;
  }
  throw std::logic_error("an issuance that is over has no next step");
}

Event Steps::event(const Issuance& issuance, std::string name,
                   std::map<std::string, std::string> detail) const {
  return {.at = now(),
          .domain = issuance.domain,
          .event = std::move(name),
          .detail = std::move(detail)};
}

Advance Steps::next(Issuance issuance, Step step, std::vector<Event> events) const {
  issuance.step = step;
  issuance.next_at = now();
  issuance.step_deadline.reset();
  issuance.polls = 0;
  Advance advance{.issuance = std::move(issuance), .changes = {}};
  advance.changes.events = std::move(events);
  return advance;
}

Advance Steps::again(Issuance issuance, std::optional<Time> not_before, Duration longest) const {
  // The first looks come quickly: most things are ready by then.
  const Duration pause = std::min(longest, shortest_poll * (1 << std::min(issuance.polls, 8)));
  issuance.polls += 1;
  // Whoever asks us to wait for longer than this step may take is asked once more at its end.
  const Time last = issuance.step_deadline.value_or(now() + longest_poll);
  issuance.next_at = std::max(now() + pause, std::min(not_before.value_or(now()), last));
  return {.issuance = std::move(issuance), .changes = {}, .only_waits = true};
}

bool Steps::has_lost_its_order(const Issuance& issuance) const {
  if (issuance.step <= Step::new_order || issuance.step > Step::download) return false;
  return !issuance.account.empty() && issuance.account != ca(issuance).account;
}

// A CA serves an order to the account that placed it alone. Key and CSR were never the account's,
// so they stay.
Task<StepResult> Steps::order_anew(Issuance issuance) {
  auto abandoned = event(issuance, "order.abandoned",
                         {{"order", issuance.order_url.text()},
                          {"reason", "it belongs to an account that is no longer used"}});
  issuance.account = {};
  issuance.order_url = {};
  issuance.finalize_url = {};
  issuance.authorizations.clear();
  issuance.challenges.clear();
  issuance.certificate_url = {};
  co_return next(std::move(issuance), Step::new_order, {std::move(abandoned)});
}

// RFC 8555 section 8.1: the key authorization holds the thumbprint of the account's key, and the CA
// computes it with the key that the account has when it looks.
bool Steps::has_outdated_values(const Issuance& issuance) const {
  return issuance.needs_challenges() && issuance.account_key != ca(issuance).account_key;
}

Task<StepResult> Steps::authorize_anew(Issuance issuance) {
  auto outdated =
      event(issuance, "challenge.outdated", {{"reason", "the account has another key"}});
  co_return next(std::move(issuance), Step::authorize, {std::move(outdated)});
}

// The key is sealed in the store before the CA hears of the order, so no crash can leave a
// certificate without its key.
Task<StepResult> Steps::create_key(Issuance issuance, Domain domain) {
  auto choices = choices_of(domain, ports_);
  if (!choices) co_return fail(std::move(choices.error()));

  const auto type = choices->key;
  std::optional<crypto::PrivateKey> kept;
  if (choices->keep_key) {
    auto found =
        co_await find_kept_key(ports_.pki, ports_.vaults, ports_.store, issuance.domain, type);
    if (!found) co_return fail(std::move(found.error()).during("keep the key"));
    kept = std::move(*found);
  }
  auto key = kept ? Result<crypto::PrivateKey>(*kept)
                  : co_await draw_key(ports_.offload, ports_.keys, ports_.store, type);
  if (!key) co_return fail(std::move(key.error()).during("create key"));
  auto make_csr = [pki = ports_.pki, key = *key, names = issuance.names] {
    return pki->make_csr(key, names);
  };
  auto csr = co_await ports_.offload->call(std::move(make_csr));
  if (!csr) co_return fail(std::move(csr.error()).during("create key"));

  issuance.sealed_key = ports_.sealer->seal(key->to_pem(), key_purpose(issuance.domain));
  issuance.csr = crypto::base64url(*csr);
  issuance.key_type = type;
  auto created =
      event(issuance, kept ? "key.kept" : "key.created", {{"type", std::string(to_string(type))}});
  co_return next(std::move(issuance), Step::new_order, {std::move(created)});
}

Task<Result<acme::NewOrder>> Steps::order_of(Issuance issuance, Domain domain) {
  acme::NewOrder wanted;
  wanted.names = issuance.names;
  // A domain's own profile is one of its preferred CA: others have other names.
  const bool own =
      !domain.profile.empty() && issuance.ca == cas_of(domain, ports_.defaults).front();
  wanted.profile = own ? domain.profile : ca(issuance).profile;
  auto row = co_await ports_.store->domain(issuance.domain);
  if (!row) co_return fail(std::move(row.error()).during("order"));
  const auto& present = row->certificate;
  if (present && policy::can_be_replaced(*present, issuance.ca, issuance.names, now())) {
    wanted.replaces = present->ari_id;
  }
  co_return wanted;
}

// RFC 8555 section 7.4. Cannot be made idempotent, so after a lost reply the order is looked for.
Task<StepResult> Steps::new_order(Issuance issuance, Domain domain, bool look_first) {
  auto wanted = co_await order_of(issuance, std::move(domain));
  if (!wanted) co_return fail(std::move(wanted.error()));
  std::string how = "order.placed";
  std::vector<Event> events;
  const auto refused = [&](const Error& error) {
    events.push_back(event(issuance, "order.replaces_refused",
                           {{"replaces", wanted->replaces}, {"error", error.message()}}));
    wanted->replaces.clear();
  };
  if (!wanted->replaces.empty() && blames_itself(issuance)) refused(*issuance.last_error);
  std::optional<acme::Order> order;
  if (look_first || issuance.order_unsure) {
    // A newOrder whose reply this process lost came before next_at, which lies behind every
    // failure; one of an earlier process came before this process read the list at all.
    auto names = issuance.names;
    auto found = co_await ca(issuance).order_search->find(std::move(names), issuance.next_at);
    if (!found) co_return fail(unless_refused(std::move(found.error())));
    // One that was placed under another profile is left to run out.
    const bool fits = *found && (wanted->profile.empty() || (*found)->profile == wanted->profile);
    if (fits) order = std::move(*found);
    how = "order.found";
  }
  if (!order) {
    auto first = *wanted;
    auto placed = co_await ca(issuance).client->new_order(std::move(first));
    if (!placed && !wanted->replaces.empty() && may_be_for_predecessor(placed.error())) {
      // A refusal made no order, and a predecessor that the CA will not have must not keep the
      // domain from its successor.
      refused(placed.error());
      auto second = *wanted;
      placed = co_await ca(issuance).client->new_order(std::move(second));
    }
    if (!placed) co_return fail(unless_refused(std::move(placed.error())).during("order"));
    order = std::move(*placed);
    how = "order.placed";
  }
  issuance.order_unsure = false;
  issuance.order_url = order->url;
  issuance.account = ca(issuance).account;
  issuance.finalize_url = order->finalize;
  issuance.profile = order->profile;
  issuance.authorizations = order->authorizations;
  auto placed = event(issuance, how, {{"order", issuance.order_url.text()}});
  if (!order->profile.empty()) placed.detail["profile"] = order->profile;
  if (how == "order.placed" && !wanted->replaces.empty()) {
    placed.detail["replaces"] = wanted->replaces;
  }
  events.push_back(std::move(placed));
  const bool ready = order->status == acme::OrderStatus::ready && check_clock(*order);
  co_return next(std::move(issuance), ready ? Step::finalize : Step::authorize, std::move(events));
}

// The zone id of the inventory is that of the zone around the primary name. Other names may be in
// others, and a CNAME at the challenge name leads elsewhere.
Task<Result<dns::Zone>> Steps::zone_of(Domain domain, Fqdn identifier, dns::Location location,
                                       dns::Provider* provider) {
  const auto stays = [](const dns::Location& found, const Fqdn& name) {
    return found.record == name.challenge_name();
  };
  if (!domain.zone_id.empty() && stays(location, identifier)) {
    const auto primary = domain.name.without_wildcard();
    bool same_zone = identifier == primary;
    if (!same_zone) {
      const auto around = co_await ports_.visibility->locate(primary.challenge_name());
      same_zone = around && stays(*around, primary) && around->zone == location.zone;
    }
    if (same_zone) co_return dns::Zone{.id = domain.zone_id, .name = location.zone};
  }
  co_return co_await provider->find_zone(std::move(location.record));
}

// RFC 8555 section 7.5: authorizations may be valid already, fewer than the names, in any order.
Task<StepResult> Steps::authorize(Issuance issuance, Domain domain) {
  auto choices = choices_of(domain, ports_);
  if (!choices) co_return fail(std::move(choices.error()));
  auto* provider = ports_.dns.at(choices->dns).provider;
  auto* client = ca(issuance).client;

  issuance.challenges.clear();
  issuance.account_key = ca(issuance).account_key;
  for (const auto& url : issuance.authorizations) {
    auto authorization = co_await client->fetch_authorization(url);
    if (!authorization) co_return fail(ca_error(std::move(authorization.error()), "authorize"));
    if (!is_for_one_of(*authorization, issuance.names)) {
      // Its value must not be published: what it would prove was never asked for.
      co_return fail(Error::Kind::transient, "authorize",
                     fmt::format("the CA wants {} authorized, which is not in this order",
                                 authorization->identifier));
    }
    if (authorization->status == acme::AuthorizationStatus::valid) continue;
    const auto op = fmt::format("authorize {}", authorization->identifier);
    if (authorization->status != acme::AuthorizationStatus::pending) {
      co_return fail(Error::Kind::rejected, op,
                     "the CA no longer takes this authorization (it failed, expired or was "
                     "withdrawn): the next attempt begins with a new order");
    }
    const auto* challenge = authorization->dns_01();
    if (challenge == nullptr) {
      std::string offered;
      for (const auto& other : authorization->challenges) offered += " " + other.type;
      co_return fail(Error::Kind::rejected, op,
                     "the CA offers no dns-01 challenge for this name, only:" + offered);
    }

    auto location = co_await ports_.visibility->locate(authorization->identifier.challenge_name());
    if (!location) co_return fail(std::move(location.error()).during(op));
    PendingChallenge pending;
    pending.authorization = url;
    pending.url = challenge->url;
    pending.identifier = authorization->identifier;
    pending.record = location->record;
    pending.value = client->challenge_value(challenge->token);
    auto zone = co_await zone_of(domain, pending.identifier, std::move(*location), provider);
    if (!zone) co_return fail(std::move(zone.error()).during(op));
    pending.zone_id = zone->id;
    pending.zone_name = zone->name;
    issuance.challenges.push_back(std::move(pending));
  }
  const bool pending = !issuance.challenges.empty();
  auto advance = next(std::move(issuance), pending ? Step::publish : Step::validate, {});
  if (!pending) advance.issuance.step_deadline = now() + validate_within;
  co_return advance;
}

Task<StepResult> Steps::publish(Issuance issuance, Domain domain) {
  auto choices = choices_of(domain, ports_);
  if (!choices) co_return fail(std::move(choices.error()));
  auto* batcher = ports_.dns.at(choices->dns).batcher;

  std::map<dns::Zone, std::vector<TxtRecord>> by_zone;
  for (const auto& challenge : issuance.challenges) {
    const dns::Zone zone{.id = challenge.zone_id, .name = challenge.zone_name};
    by_zone[zone].push_back({.dns = choices->dns,
                             .zone = challenge.zone_id,
                             .name = challenge.record,
                             .value = challenge.value,
                             .issuance = issuance.id});
  }
  for (auto& [zone, records] : by_zone) {
    auto ticket = co_await batcher->ensure(zone, std::move(records));
    if (!ticket && ticket.error().kind == Error::Kind::not_found) {
      // The zone is no more: which one it is now is looked for anew, and somebody may have told the
      // inventory meanwhile.
      auto anew = issuance;
      anew.step = Step::authorize;
      auto held = co_await ports_.store->commit(std::move(anew), {});
      if (!held) co_return fail(std::move(held.error()).during("publish"));
    }
    if (!ticket) co_return fail(std::move(ticket.error()).during("publish"));
    for (auto& challenge : issuance.challenges) {
      if (challenge.zone_id == zone.id) challenge.ticket = *ticket;
    }
  }
  std::vector<Event> published;
  published.reserve(issuance.challenges.size());
  for (const auto& challenge : issuance.challenges) {
    published.push_back(event(issuance, "challenge.published",
                              {{"record", challenge.record.text()},
                               {"value", challenge.value.text()},
                               {"change", challenge.ticket.text()}}));
  }
  auto advance = next(std::move(issuance), Step::propagate, std::move(published));
  advance.issuance.step_deadline = now() + ports_.defaults.check_within;
  co_return advance;
}

// The name servers are asked first, since DNS queries cost nothing; the provider's own word comes
// last, because each of its name servers may be a fleet of which we see one.
Task<StepResult> Steps::propagate(Issuance issuance, Domain domain) {
  auto choices = choices_of(domain, ports_);
  if (!choices) co_return fail(std::move(choices.error()));
  auto* batcher = ports_.dns.at(choices->dns).batcher;

  std::map<Fqdn, std::pair<dns::Location, std::vector<TxtValue>>> by_record;
  for (const auto& challenge : issuance.challenges) {
    auto& [location, values] = by_record[challenge.record];
    location = {.record = challenge.record, .zone = challenge.zone_name};
    values.push_back(challenge.value);
  }
  std::string missing;
  for (auto& [record, wanted] : by_record) {
    auto view = co_await ports_.visibility->look(wanted.first, wanted.second);
    if (!view) co_return fail(std::move(view.error()).during("check the DNS"));
    if (!view->everywhere) missing += fmt::format("{}: {}. ", record, view->missing());
  }
  std::optional<Time> look_again;
  const bool is_later = !issuance.step_deadline;
  if (missing.empty() || is_later) {
    for (const auto& challenge : issuance.challenges) {
      auto spreading = co_await batcher->spreading(challenge.ticket);
      // A ticket of an earlier life of the provider says nothing; the servers have spoken.
      if (!spreading && spreading.error().kind == Error::Kind::not_found) continue;
      if (!spreading) co_return fail(std::move(spreading.error()).during("check the DNS"));
      if (spreading->state == dns::ChangeState::in_sync) continue;
      missing = "the DNS host still spreads the change";
      look_again = std::max(look_again.value_or(Time()), spreading->look_again);
    }
  }
  if (missing.empty()) {
    auto seen = event(issuance, "challenge.visible");
    co_return next(std::move(issuance), Step::answer, {std::move(seen)});
  }
  if (is_later && !look_again) {
    // It may have been deleted, or the zone be another one by now: it is published anew, where it
    // belongs.
    co_return next(std::move(issuance), Step::authorize, {});
  }
  if (is_later) issuance.step_deadline = now() + ports_.defaults.check_within;
  if (now() >= *issuance.step_deadline) {
    // Some hosts take longer than that each time. What was published stays, and the next attempt
    // finds it spread; published anew, it would have to spread anew.
    auto anew = issuance;
    anew.step_deadline.reset();
    auto held = co_await ports_.store->commit(std::move(anew), {});
    if (!held) co_return fail(std::move(held.error()).during("check the DNS"));
    co_return fail(Error::Kind::deadline, "check the DNS",
                   fmt::format("the challenge value does not stand on every name server within "
                               "{}: {}",
                               format_duration(ports_.defaults.check_within), missing));
  }
  const auto longest = longest_pause_after(issuance.polls);
  auto advance = again(std::move(issuance), look_again, longest);
  if (look_again) advance.issuance.polls -= 1;  // that pause was not ours
  co_return advance;
}

// RFC 8555 section 7.5.1.
Task<StepResult> Steps::answer(Issuance issuance) {
  for (const auto& challenge : issuance.challenges) {
    auto answered = co_await ca(issuance).client->answer(challenge.url);
    if (!answered) co_return fail(ca_error(std::move(answered.error()), "answer the challenge"));
  }
  auto told = event(issuance, "challenge.answered");
  auto advance = next(std::move(issuance), Step::validate, {std::move(told)});
  advance.issuance.step_deadline = now() + validate_within;
  co_return advance;
}

Task<StepResult> Steps::validate(Issuance issuance) {
  auto order = co_await ca(issuance).client->fetch_order(issuance.order_url);
  if (!order) co_return fail(ca_error(std::move(order.error()), "validate"));
  switch (order->status) {
    case acme::OrderStatus::ready: {
      if (auto right = check_clock(*order); !right) co_return fail(std::move(right.error()));
      auto ready = event(issuance, "order.ready");
      co_return next(std::move(issuance), Step::finalize, {std::move(ready)});
    }
    case acme::OrderStatus::processing:
    case acme::OrderStatus::valid:
      co_return next(std::move(issuance), Step::poll_order, {});
    case acme::OrderStatus::invalid: {
      auto error = co_await why_invalid(std::move(issuance), std::move(*order));
      co_return fail(std::move(error));
    }
    case acme::OrderStatus::pending:
      break;
  }
  if (issuance.step_deadline && now() >= *issuance.step_deadline) {
    co_return fail(Error::Kind::deadline, "validate",
                   fmt::format("the CA has not finished its validation within {}",
                               format_duration(validate_within)));
  }
  co_return again(std::move(issuance), order->retry_at);
}

Task<Error> Steps::why_invalid(Issuance issuance, acme::Order order) {
  Error error;
  error.kind = Error::Kind::rejected;
  error.op = "validate";
  error.detail = "the CA has made the order invalid";
  if (order.error) {
    error.problem = order.error->problem;
    error.detail = order.error->detail;
  }
  for (const auto& url : issuance.authorizations) {
    auto authorization = co_await ca(issuance).client->fetch_authorization(url);
    if (!authorization) continue;  // the order's own error still tells what happened
    for (const auto& challenge : authorization->challenges) {
      if (!challenge.error) continue;
      auto cause = *challenge.error;
      cause.op = authorization->identifier.text();
      if (!error.problem) error.problem = cause.problem;
      error.causes.push_back(std::move(cause));
    }
  }
  if (error.causes.empty() && order.error) error.causes = std::move(order.error->causes);
  co_return error;
}

// RFC 8555 section 7.4. The only step that spends a certificate: the row must still hold this
// order and this CSR when the signature is asked for.
Task<StepResult> Steps::finalize(Issuance issuance, bool look_first) {
  if (look_first) {
    auto seen = co_await ca(issuance).client->fetch_order(issuance.order_url);
    if (!seen) co_return fail(ca_error(std::move(seen.error()), "finalize"));
    if (seen->status != acme::OrderStatus::ready) {
      co_return co_await not_ready(std::move(issuance), std::move(*seen));
    }
    if (auto right = check_clock(*seen); !right) co_return fail(std::move(right.error()));
  }
  if (auto fit = co_await check_key(issuance.csr); !fit) co_return fail(std::move(fit.error()));
  // One that poll_order gave back has no time of its own.
  if (issuance.polls == 0 || !issuance.step_deadline) {
    issuance.step_deadline = now() + ca(issuance).finalize_within;
  }
  auto held = co_await ports_.store->commit(std::move(issuance), {});
  if (!held) co_return fail(std::move(held.error()).during("finalize"));

  auto order = co_await ca(*held).client->finalize(held->order_url, held->finalize_url, held->csr);
  if (!order && order.error().kind == Error::Kind::conflict) {
    // orderNotReady: an authorization has run out in the meantime, or the CA has had the CSR
    // before.
    auto seen = co_await ca(*held).client->fetch_order(held->order_url);
    if (!seen) co_return fail(ca_error(std::move(seen.error()), "finalize"));
    if (seen->status != acme::OrderStatus::ready) {
      co_return co_await not_ready(std::move(*held), std::move(*seen));
    }
    order.error().kind = Error::Kind::transient;
    order.error().detail += " (yet it shows the order as ready)";
  }
  if (!order) co_return fail(ca_error(std::move(order.error()), "finalize"));
  co_return after_finalize(std::move(*held), std::move(*order));
}

// By a clock that is ahead, what was just issued is old and has to be renewed at once, again and
// again, until the CA's limits leave nothing for when it is right.
Status Steps::check_clock(const acme::Order& order) const {
  if (!order.date) return {};
  const auto ahead = now() - *order.date;
  if (std::chrono::abs(ahead) <= clock_may_differ) return {};
  return fail(Error::Kind::misconfigured, "compare the clocks",
              fmt::format("the clock of this machine says {}, {} {} the CA's: set it right; until "
                          "then no certificate is asked for",
                          format_time(now()), format_duration(std::chrono::abs(ahead)),
                          ahead > Duration() ? "ahead of" : "behind"));
}

Task<StepResult> Steps::not_ready(Issuance issuance, acme::Order order) {
  if (order.status == acme::OrderStatus::pending) {
    co_return next(std::move(issuance), Step::authorize, {});
  }
  if (order.status == acme::OrderStatus::invalid) {
    auto error = co_await why_invalid(std::move(issuance), std::move(order));
    co_return fail(std::move(error));
  }
  co_return next(std::move(issuance), Step::poll_order, {});
}

// A key that was reported as compromised is never used again, however far its issuance has come.
Task<Status> Steps::check_key(std::string csr) {
  auto der = crypto::from_base64url(csr);
  if (!der) co_return fail(std::move(der.error()));
  auto request = ports_.pki->read_csr(*der);
  if (!request) co_return fail(std::move(request.error()));
  auto compromised =
      co_await ports_.store->is_compromised(crypto::hash_of_key(request->public_key));
  if (!compromised) co_return fail(std::move(compromised.error()));
  if (!*compromised) co_return Status{};
  co_return fail(Error::Kind::rejected, "check the key",
                 "it was reported as compromised: the next attempt makes a new one");
}

Task<StepResult> Steps::poll_order(Issuance issuance) {
  auto order = co_await ca(issuance).client->fetch_order(issuance.order_url);
  if (!order) co_return fail(ca_error(std::move(order.error()), "wait for the certificate"));
  if (order->status == acme::OrderStatus::invalid) {
    auto error = co_await why_invalid(std::move(issuance), std::move(*order));
    co_return fail(std::move(error));
  }
  if (order->status == acme::OrderStatus::ready) {
    // The CA has forgotten the CSR and gets it again, within the same time.
    issuance.step = Step::finalize;
    auto anew = again(std::move(issuance), order->retry_at);
    anew.only_waits = false;
    co_return anew;
  }
  co_return after_finalize(std::move(issuance), std::move(*order));
}

StepResult Steps::after_finalize(Issuance issuance, acme::Order order) const {
  if (order.status == acme::OrderStatus::valid && !order.certificate.empty()) {
    issuance.certificate_url = order.certificate;
    return next(std::move(issuance), Step::download, {});
  }
  if (order.status == acme::OrderStatus::invalid) {
    if (order.error) return fail(std::move(*order.error).during("finalize"));
    return fail(Error::Kind::rejected, "finalize", "the CA has made the order invalid");
  }
  const auto within = ca(issuance).finalize_within;
  const auto deadline = issuance.step_deadline.value_or(now() + within);
  if (now() >= deadline) {
    return fail(Error::Kind::deadline, "wait for the certificate",
                fmt::format("the CA has not issued within {} of finalize; the order is kept and "
                            "asked again",
                            format_duration(within)));
  }
  const bool polls_already = issuance.step == Step::poll_order && issuance.step_deadline;
  issuance.step = Step::poll_order;
  issuance.step_deadline = deadline;
  auto polling = again(std::move(issuance), order.retry_at);
  polling.only_waits = polls_already;
  return polling;
}

Result<crypto::CertificateInfo> Steps::check_chain(const Issuance& issuance,
                                                   const std::string& pem) const {
  auto der = crypto::from_base64url(issuance.csr);
  if (!der) return fail(std::move(der.error()));
  auto csr = ports_.pki->read_csr(*der);
  if (!csr) return fail(std::move(csr.error()));
  return ports_.pki->check_issued(pem, csr->public_key, issuance.names, now());
}

// RFC 8555 section 7.4.2: a CA may offer several chains for one certificate.
Task<Result<Steps::ChosenChain>> Steps::choose_chain(Issuance issuance, acme::Chain offered,
                                                     Fingerprint leaf) {
  const std::string preferred = ca(issuance).preferred_chain;
  if (preferred.empty()) co_return ChosenChain{.pem = std::move(offered.pem), .events = {}};
  std::vector<std::string> found = {topmost_issuer(*ports_.pki, offered.pem)};
  if (found.front() == preferred) {
    co_return ChosenChain{.pem = std::move(offered.pem), .events = {}};
  }
  for (const auto& url : offered.alternates) {
    auto alternate = co_await ca(issuance).client->download(url);
    if (!alternate && alternate.error().kind == Error::Kind::transient &&
        issuance.attempts < quick_looks_for_a_chain) {
      co_return fail(std::move(alternate.error()));
    }
    if (!alternate) {
      log::warning("{}: {}", issuance.domain, alternate.error().message());
      continue;
    }
    const auto checked = check_chain(issuance, alternate->pem);
    if (!checked || checked->fingerprint != leaf) {
      log::warning("{}: the chain at {} is passed over: {}", issuance.domain, url,
                   checked ? "it is for another certificate" : checked.error().detail);
      continue;
    }
    found.push_back(topmost_issuer(*ports_.pki, alternate->pem));
    if (found.back() == preferred) {
      co_return ChosenChain{.pem = std::move(alternate->pem), .events = {}};
    }
  }
  const auto all = fmt::format("{}", fmt::join(found, ", "));
  log::warning("{}: [ca.{}] offers no chain up to \"{}\", only {}: its default chain is used",
               issuance.domain, issuance.ca, preferred, all);
  co_return ChosenChain{.pem = std::move(offered.pem),
                        .events = {event(issuance, "chain.not_offered",
                                         {{"preferred", preferred}, {"offered", all}})}};
}

// What the CA hands out is held against what was asked before anything is done with it.
Task<StepResult> Steps::download(Issuance issuance) {
  auto chain = co_await ca(issuance).client->download(issuance.certificate_url);
  if (!chain) co_return fail(ca_error(std::move(chain.error()), "download"));
  auto checked = check_chain(issuance, chain->pem);
  if (!checked) {
    // The chain stays with the row as evidence; nothing of it is installed.
    issuance.fullchain = std::move(chain->pem);
    auto error = std::move(checked.error()).during("check the certificate");
    const bool dates = error.kind == Error::Kind::misconfigured;
    if (issuance.attempts >= (dates ? wrong_dates : wrong_certificates)) {
      error.kind = Error::Kind::rejected;
    } else if (!dates) {
      error.kind = Error::Kind::transient;
    }
    issuance.last_error = error;
    (void)co_await ports_.store->commit(std::move(issuance), {});
    co_return fail(std::move(error));
  }
  if (auto fit = co_await check_key(issuance.csr); !fit) co_return fail(std::move(fit.error()));
  auto chosen = co_await choose_chain(issuance, std::move(*chain), checked->fingerprint);
  if (!chosen) co_return fail(std::move(chosen.error()).during("download"));
  issuance.fullchain = std::move(chosen->pem);

  Certificate certificate;
  certificate.domain_id = issuance.domain_id;
  certificate.domain = issuance.domain;
  certificate.serial = checked->serial;
  certificate.names = issuance.names;
  certificate.issuer = checked->issuer;
  certificate.not_before = checked->not_before;
  certificate.not_after = checked->not_after;
  certificate.fingerprint = checked->fingerprint;
  certificate.ari_id = checked->ari_id;
  certificate.ca = issuance.ca;
  certificate.profile = issuance.profile;
  certificate.key_type = issuance.key_type;
  issuance.certificate = certificate;

  auto events = std::move(chosen->events);
  events.push_back(event(issuance, "certificate.issued",
                         {{"serial", certificate.serial.text()},
                          {"issuer", certificate.issuer},
                          {"not_after", format_time(certificate.not_after)}}));
  co_return next(std::move(issuance), Step::store, std::move(events));
}

Result<Material> Steps::material_of(const Issuance& issuance) const {
  auto key = ports_.sealer->open(issuance.sealed_key, key_purpose(issuance.domain));
  if (!key) return fail(std::move(key.error()).during("open the sealed key"));
  auto csr = crypto::from_base64url(issuance.csr);
  if (!csr) return fail(std::move(csr.error()));
  return Material{.csr = crypto::csr_to_pem(*csr),
                  .private_key = std::move(*key),
                  .fullchain = issuance.fullchain};
}

Task<StepResult> Steps::store(Issuance issuance, Domain domain) {
  auto places = places_of(domain, ports_);
  if (!places) co_return fail(std::move(places.error()));
  auto material = material_of(issuance);
  if (!material) co_return fail(std::move(material.error()).during("store"));

  auto* vault = ports_.vaults.at(places->vault);
  vault::Version version{.key = issuance.certificate->serial.text(),
                         .not_after = issuance.certificate->not_after,
                         .owner = domain.owner};
  auto stored = co_await vault->store(issuance.domain, std::move(*material), std::move(version));
  if (!stored) co_return fail(std::move(stored.error()).during("store"));
  issuance.certificate->vault_name = places->vault;
  issuance.certificate->vault = std::move(*stored);
  if (!domain.window.empty()) {
    const auto row = co_await ports_.store->domain(issuance.domain);
    if (!row) co_return fail(row.error());
    issuance.certificate->install_by = policy::may_wait_until(row->certificate, now());
  }

  auto kept = event(issuance, "certificate.stored",
                    {{"serial", issuance.certificate->serial.text()},
                     {"vault", places->vault.text()},
                     {"fullchain", issuance.certificate->vault.fullchain}});
  auto advance = next(std::move(issuance), Step::install, {std::move(kept)});
  advance.changes.certificate = advance.issuance.certificate;
  advance.changes.outcome =
      store::Changes::Outcome{};  // from here on the domain has what it wanted from the CA
  co_return advance;
}

// Each target by itself: what one of them serves may expire first. Those that have it since an
// earlier go at this step are not asked again.
Task<StepResult> Steps::install(Issuance issuance, Domain domain) {
  auto places = places_of(domain, ports_);
  if (!places) co_return fail(std::move(places.error()));
  auto& outcomes = issuance.certificate->targets;
  std::erase_if(places->targets, [&outcomes](const TargetName& name) {
    const auto outcome = outcomes.find(name);
    return outcome != outcomes.end() && outcome->second != Installed::failed;
  });
  auto material = material_of(issuance);
  if (!material) co_return fail(std::move(material.error()).during("install"));
  const auto& serial = issuance.certificate->serial;
  auto installed = co_await install_on(&ports_, std::move(places->targets), issuance.domain,
                                       std::move(*material), serial);
  std::vector<Event> events;
  for (const auto& [name, outcome] : installed.outcomes) {
    outcomes[name] = outcome;
    if (outcome == Installed::failed) continue;
    events.push_back(event(issuance, "certificate.installed",
                           {{"serial", serial.text()}, {"target", name.text()}}));
  }
  if (installed.failure) {
    auto changes = with_certificate(issuance.certificate);
    changes.events = std::move(events);
    auto held = co_await ports_.store->commit(std::move(issuance), std::move(changes));
    if (!held) co_return fail(std::move(held.error()).during("install"));
    co_return fail(std::move(*installed.failure));
  }
  auto advance = next(std::move(issuance), Step::prove, std::move(events));
  advance.changes.certificate = advance.issuance.certificate;
  advance.issuance.step_deadline = now() + ports_.defaults.prove_within;
  co_return advance;
}

Task<StepResult> Steps::prove(Issuance issuance, Domain domain) {
  auto places = places_of(domain, ports_);
  if (!places) co_return fail(std::move(places.error()));
  const auto& serial = issuance.certificate->serial;
  const auto unproven = co_await who_does_not_serve(&ports_, places->endpoints, serial);
  if (!unproven.empty()) {
    if (!issuance.step_deadline || now() < *issuance.step_deadline) {
      co_return again(std::move(issuance), std::nullopt);
    }
    issuance.certificate->served = false;
    auto held = co_await ports_.store->commit(issuance, with_certificate(issuance.certificate));
    if (!held) co_return fail(std::move(held.error()).during("prove"));
    co_return fail(Error::Kind::deadline, "prove",
                   fmt::format("the new certificate {} is installed but not served after {}: {}",
                               serial, format_duration(ports_.defaults.prove_within), unproven));
  }
  std::vector<Event> events;
  if (!places->endpoints.empty()) {
    issuance.certificate->served = true;
    events.push_back(event(issuance, "certificate.served", {{"serial", serial.text()}}));
  }
  issuance.certificate->issued_in = now() - issuance.created_at;
  issuance.sealed_key.clear();  // from here on it lives in the vault and on the targets alone
  const auto step = places->targets.empty() ? Step::done : Step::clean_up;
  auto advance = next(std::move(issuance), step, std::move(events));
  advance.changes.certificate = advance.issuance.certificate;
  advance.changes.outcome = store::Changes::Outcome{};
  co_return advance;
}

Task<StepResult> Steps::clean_up(Issuance issuance, Domain domain) {
  auto places = places_of(domain, ports_);
  if (!places) co_return fail(std::move(places.error()));
  // One that was added meanwhile has nothing of an earlier one yet.
  const auto& outcomes = issuance.certificate->targets;
  std::erase_if(places->targets,
                [&outcomes](const TargetName& name) { return !outcomes.contains(name); });
  auto cleaned = co_await clean_up_on(&ports_, std::move(places->targets), issuance.domain,
                                      issuance.certificate->serial);
  if (!cleaned) co_return fail(std::move(cleaned.error()));
  auto advance = next(std::move(issuance), Step::done, {});
  advance.changes.outcome = store::Changes::Outcome{};
  co_return advance;
}

}  // namespace certherd::fleet
