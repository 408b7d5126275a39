#include "sim/promises.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "crypto/encoding.hpp"
#include "crypto/x509.hpp"
#include "fleet/issuance/steps.hpp"

namespace certherd::sim {
namespace {

using namespace std::chrono_literals;
using std::chrono::days;

constexpr int most_words = 3;  // of one promise
constexpr const char* foreign = "a-value-of-somebody-else";
// A domain that was broken is taken up again a day after its last failure at the latest.
constexpr Duration to_recover = days(3);
// A value that nobody needs any more is gone after so long.
constexpr Duration to_remove = 10min;
// Before this share of its life nobody needs another one, if nothing has happened.
constexpr double young = 0.45;
// Four quick retries, three slower ones, and some more after kills and outages.
constexpr int most_orders_a_day = 25;
// A limit that was believed to be full again by a clock that was ahead, and the longest of them.
constexpr Duration to_forget_the_time = days(7);
// A domain that does not work is mended after a month at the latest, and then taken up again.
constexpr Duration longest_fault = days(33);
// What an earlier process has sent may still be on its way after a kill.
constexpr Duration after_a_kill = 2min;

}  // namespace

Promises::Promises(World& world) : world_(world) {
  world_.ca().set_watch([this](OrderUrl order, std::string csr, crypto::CsrInfo request,
                               std::string replaces) {
    return at_finalize(std::move(order), std::move(csr), std::move(request), std::move(replaces));
  });
  world_.ca().set_order_watch([this](const std::vector<Fqdn>& names) { at_order(names); });
  world_.target().set_watch([this](const Fqdn& name) { at_served(name); });
}

void Promises::plant_foreign_values() {
  auto& sites = world_.sites();
  for (std::size_t i = 0; i < sites.size(); i += 7) {
    planted_.push_back(i);
    world_.plant(sites[i], foreign);
  }
}

void Promises::report(const std::string& promise, std::string words) {
  if (++times_[promise] > most_words) return;
  broken_.push_back(fmt::format("{} {}: {}", format_time(world_.now()), promise, std::move(words)));
}

void Promises::plant_again(std::size_t site) {
  const bool is_ours = std::ranges::find(planted_, site) != planted_.end();
  if (is_ours) world_.plant(world_.sites()[site], foreign);
}

void Promises::note_outage(Time since) {
  last_outage_ = world_.now();
  for (auto& site : world_.sites()) {
    if (!site.broken && was_broken_lately(site, since)) site.recovers_from = world_.now();
  }
}

bool Promises::was_broken_lately(const Site& site, Time when) const {
  return site.broken || when < site.recovers_from + to_recover;
}

bool Promises::clock_was_wrong() const {
  return world_.program_loop().clock().error() != Duration() ||
         world_.now() < last_wrong_ + to_forget_the_time;
}

bool Promises::is_excused(const Site& site) const {
  if (was_broken_lately(site) || world_.now() < last_outage_ + days(1)) return true;
  const auto own = excused_.find(site.name);
  return own != excused_.end() && world_.now() < own->second + to_recover;
}

Task<void> Promises::at_finalize(OrderUrl order, std::string csr, crypto::CsrInfo request,
                                 std::string replaces) {
  Site* site = nullptr;
  for (const auto& name : request.names) {
    auto parsed = Fqdn::parse(name);
    if (parsed && site == nullptr) site = world_.site(*parsed);
  }
  if (site == nullptr) {
    report("only names of the inventory are ordered", fmt::format("{}", request.names.front()));
    co_return;
  }
  // The key is sealed in the store before the CA can issue for it.
  auto active = co_await world_.store().active_issuance(site->id);
  const bool there = active && *active && (*active)->order_url == order;
  if (!there) {
    report("a finalize is journalled first", fmt::format("{} {}", site->name, order));
    co_return;
  }
  const auto& row = **active;
  if (row.step != Step::finalize || row.csr != csr || !row.step_deadline) {
    report("a finalize is journalled first",
           fmt::format("{} is at {} in the store", site->name, to_string(row.step)));
  }
  const auto pem = world_.sealer().open(row.sealed_key, fleet::key_purpose(site->name));
  const auto key =
      pem ? world_.pki().read_key(*pem) : Result<crypto::PrivateKey>(fail(pem.error()));
  if (!key || key->public_key() != request.public_key) {
    report("no finalize without a sealed key", fmt::format("{}", site->name));
  }
  // One certificate for each need.
  const auto before = issued_.find(site->name);
  if (before != issued_.end()) {
    const auto& given = before->second;
    const double age = std::chrono::duration<double>(world_.now() - given.not_before) /
                       std::chrono::duration<double>(given.not_after - given.not_before);
    const auto known = world_.ca().given(replaces.empty() ? given.ari_id : replaces);
    const bool recalled = known && known->recalled_at;
    const auto excused = excused_.find(site->name);
    const bool wanted = excused != excused_.end() && excused->second >= given.not_before;
    // What was begun while the clock was wrong, and held up by a fault of the domain.
    const bool held_up = was_broken_lately(*site) && world_.now() < last_wrong_ + longest_fault;
    if (age < young && !recalled && !wanted && !clock_was_wrong() && !held_up) {
      report("no two certificates for one need",
             fmt::format("{} has one of {:.0f} % of its life", site->name, age * 100));
    }
  }
  auto& issued = issued_[site->name];
  issued.not_before = world_.now();
  issued.not_after = world_.now() + world_.ca().validity();
  issued.ari_id.clear();
}

void Promises::at_order(const std::vector<Fqdn>& names) {
  if (++orders_today_[names.front()] == most_orders_a_day) {
    report("who fails is left alone",
           fmt::format("{} orders for {} in a day", most_orders_a_day, names.front()));
  }
}

void Promises::at_served(const Fqdn& name) {
  const auto* leaf = world_.target().leaf(name);
  if (leaf == nullptr) {
    report("what is installed is a certificate", name.text());
    return;
  }
  if (auto before = served_.find(name); before != served_.end()) {
    const auto& given = before->second;
    const double left = std::chrono::duration<double>(given.not_after - world_.now()) /
                        std::chrono::duration<double>(given.not_after - given.not_before);
    margin_.least = std::min(margin_.least, left);
    margin_.sum += left;
    margin_.count += 1;
    ends_.erase({given.not_after, name});
    if (leaf->not_after < given.not_after && !excused_.contains(name)) {
      // Validity may have been cut: then the new one may end earlier. It must be younger.
      if (leaf->not_before < given.not_before) {
        report("nothing older takes the place of a newer certificate", name.text());
      }
    }
  }
  served_[name] = {
      .not_before = leaf->not_before, .not_after = leaf->not_after, .ari_id = leaf->ari_id};
  ends_.emplace(leaf->not_after, name);
  if (!all_served_at_ && ends_.size() == world_.sites().size()) all_served_at_ = world_.now();
  if (auto issued = issued_.find(name); issued != issued_.end()) {
    issued->second.ari_id = leaf->ari_id;
  } else {
    issued_[name] = served_[name];
  }
}

double Promises::least_left() const {
  if (ends_.empty()) return 1;
  const auto& [not_after, name] = *ends_.begin();
  const auto& given = served_.at(name);
  return std::chrono::duration<double>(not_after - world_.now()) /
         std::chrono::duration<double>(not_after - given.not_before);
}

std::string Promises::log_digest() const { return crypto::hex(digest_); }

void Promises::look_at_expiry() {
  while (!ends_.empty() && ends_.begin()->first <= world_.now()) {
    const auto name = ends_.begin()->second;
    ends_.erase(ends_.begin());
    const auto* site = world_.site(name);
    if (site != nullptr && !was_broken_lately(*site)) {
      report("nothing is served expired", name.text());
    }
  }
}

Task<void> Promises::look_at_ledger() {
  auto entries = co_await world_.store().entries(world_.dns_name());
  if (!entries) co_return;
  std::set<std::pair<std::string, std::string>> known;
  for (const auto& entry : *entries) known.emplace(entry.name.text() + ".", entry.value.text());
  for (const auto& [zone, name, value] : world_.route53().zones().txt_values()) {
    const auto plain = value.substr(1, value.size() - 2);
    if (plain == foreign || known.contains({name, plain})) continue;
    report("every value in a zone is in the ledger", fmt::format("{} {}", name, value));
  }
  for (const auto index : planted_) {
    const auto& site = world_.sites()[index];
    if (!world_.stands(site, foreign)) {
      report("nothing of others is touched", fmt::format("at {}", site.name));
    }
  }
}

void Promises::look_at_limits() {
  const int refusals = world_.ca().limits().refusals();
  if (refusals > std::exchange(refusals_by_ca_, refusals)) {
    // What failed at the CA while the program was dead it does not count until it sees it, and when
    // the inventory has ended that order meanwhile, it never does.
    const auto& words = world_.ca().limits().last_refusal();
    const bool unseen =
        words.find("failed authorizations") != std::string::npos && world_.now() < last_kill_ + 3h;
    if (!unseen && !clock_was_wrong()) report("no limit of the CA is exceeded", words);
  }
  const auto throttled = world_.route53().refused("Throttling");
  if (throttled > std::exchange(throttled_, throttled) && !clock_was_wrong()) {
    report("no limit of Route 53 is exceeded", fmt::format("{} calls were throttled", throttled));
  }
  const auto& calls = world_.route53().calls();
  for (auto call = calls.rbegin(); call != calls.rend() && call->at > last_look_; ++call) {
    if (call->code != "PriorRequestNotComplete") continue;
    const bool killed = std::ranges::any_of(
        kills_, [&call](Time kill) { return kill <= call->at && call->at < kill + after_a_kill; });
    if (!killed) report("a zone has one request at a time", call->zone);
  }
  last_look_ = world_.now();
  std::erase_if(kills_, [this](Time kill) { return kill + after_a_kill < last_look_; });
}

Task<void> Promises::look_at_events() {
  auto events = co_await world_.store().events({.domain = {}, .since = {}, .after = last_event_});
  if (!events) co_return;
  for (const auto& [number, event] : *events) {
    last_event_ = number;
    auto line = fmt::format("{} {} {}", format_time(event.at), event.domain, event.event);
    for (const auto& [key, text] : event.detail) {
      line += fmt::format(" {}={}", key, text);
      const bool secret = text.find("PRIVATE KEY") != std::string::npos ||
                          text.find("secret-of-the-simulation") != std::string::npos;
      if (secret) report("no secret is told", fmt::format("{} of {}", key, event.event));
    }
    digest_ = crypto::sha256(digest_ + line);
    if (log_) log_(line);
  }
}

Task<void> Promises::look_now() {
  look_at_expiry();
  look_at_limits();
  constexpr int seldom = 6;
  constexpr int day = 24;
  if (++looks_ % day == 0) orders_today_.clear();
  if (world_.scenario().watches_all() && looks_ % seldom == 0) {
    co_await look_at_ledger();
    co_await look_at_events();
  }
  const bool all = served_.size() == world_.sites().size();  // only sites are served
  if (all || world_.now() < served_from_) co_return;
  for (const auto& site : world_.sites()) {
    if (is_excused(site) || served_.contains(site.name)) continue;
    report("every domain that works is served", site.name.text());
  }
}

Task<void> Promises::look() {
  while (true) {
    co_await world_.loop().clock().sleep_for(1h);
    co_await look_now();
  }
}

Task<void> Promises::look_at_the_end() {
  looks_ = -1;
  co_await look_now();
  auto rows = co_await world_.store().domains();
  if (!rows) {
    report("the store can be read", rows.error().message());
    co_return;
  }
  for (const auto& row : *rows) {
    const auto* site = world_.site(row.domain.name);
    if (site == nullptr || is_excused(*site) || row.working) continue;
    const auto* leaf = world_.target().leaf(row.domain.name);
    if (leaf == nullptr || !row.certificate) continue;
    if (leaf->serial != row.certificate->serial) {
      report("what the store holds is served",
             fmt::format("{} serves {} instead of {}", row.domain.name, leaf->serial,
                         row.certificate->serial));
    }
  }
  auto entries = co_await world_.store().entries(world_.dns_name());
  auto active = co_await world_.store().active_issuances();
  if (!entries || !active) co_return;
  std::set<IssuanceId> working;
  std::set<DomainId> domains;
  for (const auto& issuance : *active) {
    working.insert(issuance.id);
    if (!domains.insert(issuance.domain_id).second) {
      report("a domain has one active issuance", issuance.domain.text());
    }
  }
  const bool disturbed =
      world_.now() < last_kill_ + days(1) || world_.now() < last_outage_ + days(1);
  for (const auto& entry : *entries) {
    if (disturbed || working.contains(entry.issuance)) continue;
    // A removal waits a little for changes that it can travel with.
    auto over = co_await world_.store().issuance(entry.issuance);
    if (over && world_.now() < over->next_at + to_remove) continue;
    report("nothing is left in the DNS", fmt::format("{} {}", entry.name, entry.value));
  }
}

}  // namespace certherd::sim
