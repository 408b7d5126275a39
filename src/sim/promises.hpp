#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "sim/by_name.hpp"
#include "sim/world.hpp"

namespace certherd::sim {

/// Holds what the program does against what it promises, all the time: at each request that cannot
/// be taken back, at each change of what is served, and once a virtual hour for the rest. It looks
/// at the outside and at the store, and knows nothing of how the program thinks.
class Promises {
 public:
  explicit Promises(World& world);

  /// Values of others at challenge names, which must stand for ever.
  void plant_foreign_values();
  /// One of them went with its zone, and somebody puts it into the new one.
  void plant_again(std::size_t site);
  /// The site may have another certificate now although the one it has is good: its names have
  /// changed, or it has left the inventory and come back.
  void expect_another(const Site& site) { excused_[site.name] = world_.now(); }
  /// An outside system was away, or the program itself stood still, from then until now: what that
  /// held up is excused for a while, and a site that was recovering has to begin with it once more.
  void note_outage(Time since);
  /// The program's clock was set, wrong or right: until then it may have judged by it.
  void note_clock() { last_wrong_ = world_.now(); }
  /// The program was killed.
  void note_kill() {
    last_kill_ = world_.now();
    kills_.push_back(last_kill_);
  }
  /// Gets each event as a line.
  void set_log(std::function<void(const std::string& line)> log) { log_ = std::move(log); }
  /// Certificates must be served by then: after the first import.
  void expect_served_from(Time when) { served_from_ = when; }

  /// Looks once a virtual hour, or every six for what is long work, until it is cancelled.
  Task<void> look();
  /// What must hold when everything has had its time.
  Task<void> look_at_the_end();

  /// What was broken, each promise at most a few times, in words.
  const std::vector<std::string>& broken() const { return broken_; }

  /// How much of its lifetime a certificate had left when its successor was served, least over all
  /// and by day.
  struct Margin {
    double least = 1;
    double sum = 0;
    int count = 0;
  };
  const Margin& margin() const { return margin_; }

  /// When all domains served one for the first time; nothing: not yet.
  std::optional<Time> all_served_at() const { return all_served_at_; }
  /// How many domains serve a certificate that has not ended.
  int served() const { return static_cast<int>(ends_.size()); }
  /// Of its lifetime, what the served certificate has left that has the least.
  double least_left() const;
  /// SHA-256 over all events so far, in hex; empty where they are not read.
  std::string log_digest() const;

 private:
  void report(const std::string& promise, std::string words);
  Task<void> at_finalize(OrderUrl order, std::string csr, crypto::CsrInfo request,
                         std::string replaces);
  void at_order(const std::vector<Fqdn>& names);
  void at_served(const Fqdn& name);
  Task<void> look_now();
  Task<void> look_at_ledger();
  Task<void> look_at_events();
  void look_at_expiry();
  void look_at_limits();
  /// As of that moment.
  bool was_broken_lately(const Site& site, Time when) const;
  bool was_broken_lately(const Site& site) const { return was_broken_lately(site, world_.now()); }
  /// Or the program did not know what time it was, until lately.
  bool clock_was_wrong() const;
  /// Or something that it needs was away.
  bool is_excused(const Site& site) const;

  World& world_;
  std::vector<std::string> broken_;
  std::map<std::string, int> times_;  ///< that each promise was broken
  ByName<Time> excused_;
  Time last_outage_{};
  Time last_kill_{};
  Time last_wrong_{};
  std::vector<Time> kills_;  ///< since the last look, or shortly before
  Time last_look_{};
  Time served_from_ = Time::max();
  std::optional<Time> all_served_at_;
  std::vector<std::size_t> planted_;  ///< sites
  struct Given {
    Time not_before{};
    Time not_after{};
    std::string ari_id;
  };
  ByName<Given> issued_;  ///< the last one finalized for each domain
  ByName<Given> served_;
  ByName<int> orders_today_;
  std::set<std::pair<Time, Fqdn>> ends_;  ///< of what is served
  std::int64_t last_event_ = 0;
  int looks_ = 0;
  std::string digest_;
  std::function<void(const std::string& line)> log_;
  int refusals_by_ca_ = 0;
  std::size_t throttled_ = 0;
  Margin margin_;
};

}  // namespace certherd::sim
