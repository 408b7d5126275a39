// Fleets on Route 53: the real steps, batcher, budget and provider against a server that counts
// every call and enforces the account's limits, on the virtual clock.

#include "dns/route53/route53.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>

#include "aws/session.hpp"
#include "fleet_simulation.hpp"
#include "sim/route53_sight.hpp"
#include "sim/scripted_route53.hpp"

namespace certherd::sim {
namespace {

using namespace std::chrono_literals;

class Route53Fleet : public testing::Test {
 protected:
  void set_stage(Layout layout, bool refuse_while_pending = false) {
    // One change after another takes the time of many.
    fleet_size_ = refuse_while_pending ? 150 : 500;
    fleet_ = std::make_unique<FleetSimulation>(7, fleet_size_);
    auto& clock = fleet_->loop().clock();
    aws::Credentials credentials;
    credentials.access_key_id = "AKIDEXAMPLE";
    credentials.secret_access_key = Secret<std::string>("secret");
    sim::ScriptedRoute53::Options options;
    options.credentials = credentials;
    options.refuse_while_pending = refuse_while_pending;
    host_ = std::make_unique<sim::ScriptedRoute53>(clock, random_, std::move(options));
    add_zones(layout);

    auto settings = aws::load_settings(
        {{"AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"}, {"AWS_SECRET_ACCESS_KEY", "secret"}}, {},
        aws::Service::route53);
    ASSERT_TRUE(settings) << settings.error().message();
    session_ = std::make_unique<aws::Session>(fleet_->loop(), *offload_, random_, *host_,
                                              std::move(*settings));
    sight_ = std::make_unique<Route53Sight>(clock, *host_, layout);
    dns::Route53Options at_default;
    at_default.delegation = [this](Fqdn zone) { return sight_->name_servers(std::move(zone)); };
    provider_ = dns::make_route53(*session_, fleet_->store(), std::move(at_default));

    FleetSimulation::Dns dns;
    dns.provider = provider_.get();
    dns.visibility = sight_.get();
    dns.lookup = [this](const Fqdn& name, const TxtValue& value) {
      return sight_->shows(name, value);
    };
    dns.batching.gather = 1s;
    fleet_->use_dns(std::move(dns));
  }

  void add_zones(Layout layout) {
    const std::vector<std::string> servers = {"ns-1.awsdns-00.com.", "ns-2.awsdns-00.net."};
    if (layout.delegated) {
      host_->zones().add(
          {.id = "ZACME", .name = Fqdn::literal("acme.test"), .name_servers = servers});
      return;
    }
    for (int i = 0; i < fleet_size_; ++i) {
      host_->zones().add(
          {.id = fmt::format("Z{:05}", i), .name = fleet_->name(i), .name_servers = servers});
    }
  }

  /// From the moment at which its changes were in sync to the answer to the CA, for each domain.
  std::vector<Duration> lags() {
    std::map<Fqdn, Time> in_sync;
    std::map<Fqdn, Time> answered;
    for (const auto& event : fleet_->events()) {
      if (event.event == "challenge.published") {
        auto& latest = in_sync[event.domain];
        const auto at = host_->in_sync_at(Ticket(event.detail.at("change")));
        if (at) latest = std::max(latest, *at);
      } else if (event.event == "challenge.answered") {
        answered[event.domain] = event.at;
      }
    }
    std::vector<Duration> lags;
    for (const auto& [domain, at] : answered) lags.push_back(at - in_sync.at(domain));
    std::ranges::sort(lags);
    return lags;
  }

  void expect_all_issued_and_nothing_left() {
    EXPECT_EQ(fleet_->outcomes("issued"), fleet_size_);
    EXPECT_TRUE(fleet_->ledger().empty());
    EXPECT_EQ(host_->zones().txt_value_count(), 0);
  }

  void print_figures(std::string_view what) {
    const auto seconds = [](Duration duration) {
      return std::chrono::duration<double>(duration).count();
    };
    const auto all = lags();
    std::cout << fmt::format(
        "{}: {} domains in {:.0f} s, {} calls ({:.3f} a domain: {} changes, {} questions, {} "
        "others), {} throttled, {} refused for a prior request; from INSYNC to the answer: median "
        "{:.1f} s, nine of ten {:.1f} s, last {:.1f} s\n",
        what, fleet_size_, seconds(fleet_->loop().clock().now() - begun_), host_->all_calls(),
        calls_a_domain(), host_->count("ChangeResourceRecordSets"), host_->count("GetChange"),
        host_->all_calls() - host_->count("ChangeResourceRecordSets") - host_->count("GetChange"),
        host_->refused("Throttling"), host_->refused("PriorRequestNotComplete"),
        seconds(all[all.size() / 2]), seconds(all[all.size() * 9 / 10]), seconds(all.back()));
  }

  double calls_a_domain() const { return static_cast<double>(host_->all_calls()) / fleet_size_; }

  void issue_all() {
    begun_ = fleet_->loop().clock().now();
    fleet_->issue_all();
  }

  int fleet_size_ = 0;
  runtime::SeededRandom random_{11};
  std::unique_ptr<runtime::Offload> offload_ = runtime::make_inline_offload();
  std::unique_ptr<FleetSimulation> fleet_;
  std::unique_ptr<sim::ScriptedRoute53> host_;
  std::unique_ptr<aws::Session> session_;
  std::unique_ptr<Route53Sight> sight_;
  std::unique_ptr<dns::Provider> provider_;
  Time begun_;
};

TEST_F(Route53Fleet, InZonesOfTheirOwnTakesThreeCallsADomain) {
  set_stage({.delegated = false});
  issue_all();
  print_figures("each in a zone of its own");

  expect_all_issued_and_nothing_left();
  EXPECT_LE(calls_a_domain(), 3.2);
  EXPECT_LE(lags()[lags().size() / 2], 10s);
  EXPECT_EQ(host_->refused("Throttling"), 0);
  EXPECT_EQ(host_->refused("PriorRequestNotComplete"), 0);
}

TEST_F(Route53Fleet, DelegatedIntoOneZoneTakesAHandfulOfCalls) {
  set_stage({.delegated = true});
  issue_all();
  print_figures("all delegated into one zone");

  expect_all_issued_and_nothing_left();
  EXPECT_LE(calls_a_domain(), 0.03);
  EXPECT_EQ(host_->refused("Throttling"), 0);
  EXPECT_EQ(host_->refused("PriorRequestNotComplete"), 0);
}

TEST_F(Route53Fleet, InZonesOfTheirOwnFinishesWhereNoneTakesAnythingWhileAChangeIsPending) {
  set_stage({.delegated = false}, true);
  issue_all();
  print_figures("zones that take nothing while a change is PENDING");
  expect_all_issued_and_nothing_left();
  EXPECT_EQ(host_->refused("Throttling"), 0);
}

TEST_F(Route53Fleet, DelegatedIntoOneZoneFinishesWhereItTakesNothingWhileAChangeIsPending) {
  set_stage({.delegated = true}, true);
  issue_all();
  print_figures("one zone that takes nothing while a change is PENDING");
  expect_all_issued_and_nothing_left();
  EXPECT_EQ(host_->refused("Throttling"), 0);
}

}  // namespace
}  // namespace certherd::sim
