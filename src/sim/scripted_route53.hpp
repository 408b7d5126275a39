#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "aws/credentials.hpp"
#include "aws/sigv4.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "http/client.hpp"
#include "runtime/clock.hpp"
#include "runtime/random.hpp"
#include "sim/route53_zones.hpp"

namespace certherd::sim {

/// Route 53, as strict as it is or more (AWS API reference and developer guide, API version
/// 2013-04-01), and STS's GetCallerIdentity. An HTTP client for the virtual clock; answer() is the
/// same without time, for a real server's handler. A request that the API does not have throws
/// std::logic_error.
class ScriptedRoute53 final : public http::Client {
 public:
  struct Options {
    aws::Credentials credentials;  ///< that requests must be signed with
    std::string account = "123456789012";
    double calls_per_second = 5;
    double calls_at_once = 5;
    /// A change is in sync after a time between these.
    Duration least_to_in_sync = std::chrono::seconds(15);
    Duration most_to_in_sync = std::chrono::seconds(90);
    /// And this share of them takes that long.
    double slow_changes = 0;
    Duration slow_to_in_sync = std::chrono::minutes(30);
    /// An answer takes a time between these.
    Duration least_latency = std::chrono::milliseconds(20);
    Duration most_latency = std::chrono::milliseconds(120);
    /// A zone takes no change while one of it is PENDING.
    bool refuse_while_pending = false;
    /// What the server's clock is ahead of ours.
    Duration clock_ahead{0};
    /// How many of the last calls and changes it remembers; nothing: all.
    std::optional<std::size_t> calls_kept = {};
  };

  /// What happens to one call instead of, or after, what it asks for.
  struct Fault {
    enum class Kind {
      answer,      ///< that status, code and message, and nothing is done
      lost_reply,  ///< it is done, and the connection breaks
      cut_off,     ///< it is done, and half of the answer comes, as if it were all
    };
    Kind kind = Kind::answer;
    int status = 503;
    std::string code{};  ///< none: a page of a load balancer
    std::string message = "as the test wants it";
  };

  struct CallRecord {
    Time at;
    std::string operation;
    std::string zone;  ///< its id; empty when it is about none
    std::vector<Route53Change> changes;
    int status = 0;
    std::string code;  ///< of a refusal
  };

  ScriptedRoute53(runtime::Clock& clock, runtime::Random& random, Options options);

  Task<Result<http::Response>> send(http::Request request, Time deadline) override;
  http::Response answer(const http::Request& request);

  Route53Zones& zones() { return zones_; }
  const Route53Zones& zones() const { return zones_; }
  Options& options() { return options_; }

  /// The nth call of an operation from now on; 1 is the next one.
  void fail(const std::string& operation, std::size_t nth, Fault fault);

  /// Called before each ChangeResourceRecordSets is looked at: where others write in between.
  void set_interference(std::function<void()> interference) {
    interference_ = std::move(interference);
  }

  /// The calls of Route 53, refused ones too, as far as they are kept; and how many there were.
  const std::deque<CallRecord>& calls() const { return calls_; }
  std::size_t all_calls() const { return all_calls_; }
  std::size_t count(const std::string& operation) const;
  std::size_t sts_calls() const { return sts_calls_; }
  std::size_t refused(const std::string& code) const;

  /// When a change is in sync; nothing when it is not known.
  std::optional<Time> in_sync_at(const Ticket& change) const;

  /// Whether a name server (0 to 3) shows a value now, and from when on all of them do.
  bool shows(const Fqdn& name, const TxtValue& value, std::size_t server) const {
    return zones_.shows(name, value, server, clock_.now());
  }
  std::optional<Time> shown_everywhere_from(const Fqdn& name, const TxtValue& value) const {
    return zones_.shown_everywhere_from(name, value);
  }

 private:
  struct Bucket {
    double level = 0;
    Time since;
  };
  struct Outcome {
    http::Response response;
    bool lost = false;
    std::string zone;  ///< which this call keeps busy
  };
  struct Target;  ///< what a request's line asks for
  using Query = std::map<std::string, std::string>;

  Outcome take(const http::Request& request);
  http::Response answer_sts(const http::Request& request);
  http::Response perform(const http::Request& request, const Target& target, CallRecord* call);
  http::Response list_zones_by_name(const Query& query) const;
  http::Response list_zones(const Query& query) const;
  http::Response get_zone(const std::string& id) const;
  http::Response list_sets(const std::string& zone, const Query& query) const;
  http::Response get_change(const std::string& id) const;
  http::Response change_sets(const std::string& zone, const std::string& body, CallRecord* call);
  bool draw(Bucket* bucket, double per_second, double burst, double units);
  Route53Schedule schedule();
  Duration between(Duration least, Duration most);

  runtime::Clock& clock_;
  runtime::Random& random_;
  Options options_;
  Route53Zones zones_;
  Bucket call_bucket_;
  aws::SigningKey signing_key_;
  Bucket unit_bucket_;
  std::map<std::string, Route53Schedule> changes_;
  std::map<std::string, Time> pending_until_;  // by zone
  std::set<std::string> busy_;                 // zones with an unanswered change
  std::map<std::string, std::size_t> seen_;    // calls by operation
  std::map<std::pair<std::string, std::size_t>, Fault> faults_;
  std::function<void()> interference_;
  std::deque<CallRecord> calls_;
  std::size_t all_calls_ = 0;
  std::map<std::string, std::size_t> counts_;    // by operation
  std::map<std::string, std::size_t> refusals_;  // by code
  std::uint64_t change_numbers_ = 0;
  std::size_t sts_calls_ = 0;
};

}  // namespace certherd::sim
