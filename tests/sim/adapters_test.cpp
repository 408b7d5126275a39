// Fleets to which everything happens, and whose vault and target are the real adapters of Secrets
// Manager and Fastly, each before a server that keeps the rules of the real one.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <iostream>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "deploy/fastly/fastly.hpp"
#include "fakes/scripted_fastly.hpp"
#include "fakes/scripted_secrets_manager.hpp"
#include "first_seed.hpp"
#include "sim/on_line.hpp"
#include "sim/simulation.hpp"
#include "sim/world.hpp"
#include "vault/secrets_manager/secrets_manager.hpp"

namespace certherd::sim {
namespace {

using namespace std::chrono_literals;
using fakes::ScriptedFastly;
using fakes::ScriptedSecretsManager;
using testing::IsEmpty;

/// Puts what Fastly serves onto the edge of a world, where its probe and its promises look.
class ServedByFastly final : public deploy::Target {
 public:
  ServedByFastly(std::unique_ptr<deploy::Target> real, ScriptedFastly& fastly, FakeTarget& edge)
      : real_(std::move(real)), fastly_(fastly), edge_(edge) {}

  Task<Result<std::optional<deploy::Installation>>> observe(Fqdn domain) override {
    return real_->observe(std::move(domain));
  }
  Task<Result<deploy::Receipt>> install(Fqdn domain, Material material,
                                        std::string version_key) override {
    auto installed = co_await real_->install(domain, material, version_key);
    // A lost reply leaves an error here, and the certificate there.
    const auto served = fastly_.served(domain.without_wildcard().text());
    if (served && served->chain_pem == material.fullchain) {
      (void)co_await edge_.install(std::move(domain), std::move(material), std::move(version_key));
    }
    co_return installed;
  }
  Task<Status> clean_up(deploy::Receipt receipt) override {
    return real_->clean_up(std::move(receipt));
  }
  Task<Status> retire(deploy::Receipt receipt) override {
    return real_->retire(std::move(receipt));
  }
  Task<Status> check() override { return real_->check(); }
  Task<void> stop() override { return real_->stop(); }

 private:
  std::unique_ptr<deploy::Target> real_;
  ScriptedFastly& fastly_;
  FakeTarget& edge_;
};

/// The servers, which outlive all processes, and the adapters that each process has.
class RealAdapters {
 public:
  /// Of Fastly, tight enough for a small fleet to meet it.
  static constexpr int writes_per_hour = 12;

  RealAdapters() { fastly_.set_budget(writes_per_hour, true); }

  void furnish(World& world) {
    now_ = [clock = &world.loop().clock()] { return clock->now(); };
    adapters_.reset();
    adapters_ = std::make_unique<Adapters>(*this, world);
    world.ports().vaults[VaultName("vault")] = adapters_->vault.get();
    world.ports().targets[TargetName("edge")] = &adapters_->target;
  }

  ScriptedSecretsManager& secrets_manager() { return secrets_manager_; }
  ScriptedFastly& fastly() { return fastly_; }

 private:
  struct Adapters {
    Adapters(RealAdapters& servers, World& world)
        : http(servers.secrets_manager_, world.vault_line()),
          session(world.loop(), *servers.offload_, servers.random_, http, fakes::aws_settings(3)),
          vault(vault::make_secrets_manager(session, {.prefix = "certherd/", .kms_key_id = {}},
                                            world.store())),
          target(deploy::make_fastly(
                     world.loop(), *servers.offload_,
                     std::make_unique<HttpOnLine>(servers.fastly_, world.target_line()),
                     world.store(), fastly_options()),
                 servers.fastly_, world.target()) {}

    static deploy::FastlyOptions fastly_options() {
      deploy::FastlyOptions options;
      options.api.endpoint = "https://api.fastly.test";
      options.api.token = Secret<std::string>("token");
      options.api.token_source = "$FASTLY_API_TOKEN";
      options.api.allowance = {
          .name = "fastly/user", .burst = writes_per_hour, .window = std::chrono::hours(1)};
      return options;
    }

    HttpOnLine http;
    aws::Session session;
    std::unique_ptr<vault::SecretsManagerVault> vault;
    ServedByFastly target;
  };

  std::function<Time()> now_ = [] { return Time(); };
  std::unique_ptr<runtime::Offload> offload_ = runtime::make_inline_offload();
  runtime::SeededRandom random_{4};
  ScriptedSecretsManager secrets_manager_{fakes::aws_credentials(), [this] { return now_(); }};
  ScriptedFastly fastly_{"token", [this] { return now_(); }};
  std::unique_ptr<Adapters> adapters_;
};

/// The versions with that label, by domain, in its three secrets.
std::map<std::string, std::vector<std::set<std::string>>> labelled(ScriptedSecretsManager& aws) {
  std::map<std::string, std::vector<std::set<std::string>>> versions;
  for (const auto& [name, secret] : aws.secrets()) {
    std::set<std::string> held = {secret.holder("AWSCURRENT"), secret.holder("AWSPREVIOUS")};
    held.erase("");
    versions[name.substr(0, name.rfind('/'))].push_back(std::move(held));
  }
  return versions;
}

bool have_one_in_common(const std::vector<std::set<std::string>>& versions) {
  return std::ranges::any_of(versions.front(), [&versions](const std::string& version) {
    return std::ranges::all_of(versions,
                               [&version](const auto& held) { return held.contains(version); });
  });
}

TEST(RealAdapters, KeepTheirPromisesAndTheirLimitsWhateverHappens) {
  constexpr int seeds = 3;
  constexpr int domains = 12;
  auto scenario = Scenario::named("chaos").value();
  scenario.domains = domains;
  scenario.span = std::chrono::days(150);
  // Each exchange of the program is some of theirs.
  scenario.kills /= 2;
  Outcome sum;
  int writes = 0;
  std::size_t calls = 0;
  for (int i = 0; i < seeds; ++i) {
    scenario.seed = first_seed() + static_cast<std::uint64_t>(i);
    RealAdapters adapters;
    SimulationOptions options;
    options.real_certificates = true;
    options.furnish = [&adapters](World& world) { adapters.furnish(world); };
    const auto outcome = simulate(scenario, std::move(options));
    EXPECT_THAT(outcome.broken, IsEmpty()) << "with seed " << scenario.seed;
    sum.add(outcome);

    auto& aws = adapters.secrets_manager();
    EXPECT_EQ(aws.throttled(), 0);
    for (const auto& [domain, versions] : labelled(aws)) {
      EXPECT_EQ(versions.size(), 3U) << domain;
      EXPECT_TRUE(have_one_in_common(versions)) << "no whole set is labelled: " << domain;
    }
    auto& fastly = adapters.fastly();
    EXPECT_EQ(fastly.throttled(), 0);
    for (const auto& [name, call] : fastly.lost_tls()) {
      // The inventory has given up a wildcard.
      EXPECT_TRUE(name.starts_with("*.")) << name << " lost TLS by call " << call;
    }
    // One that is being replaced may have two.
    EXPECT_LE(fastly.certificates().size(), domains + 2U);
    EXPECT_LE(fastly.keys().size(), domains + 2U);
    writes += fastly.writes();
    calls += aws.calls().size();
  }
  std::cout << fmt::format(
      "{} certificates, {} kills, {} outages, {} writes at Fastly, {} calls "
      "of Secrets Manager\n",
      sum.certificates, sum.kills, sum.outages, writes, calls);
  // Otherwise nothing was put to the test.
  EXPECT_GT(sum.renewals, seeds * domains);
  EXPECT_GT(sum.kills, seeds * 5);
  EXPECT_GT(sum.outages, seeds * 2);
}

}  // namespace
}  // namespace certherd::sim
