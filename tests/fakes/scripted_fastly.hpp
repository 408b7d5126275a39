#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fakes/fastly_account.hpp"
#include "fakes/fastly_request.hpp"
#include "http/client.hpp"
#include "model/material.hpp"

namespace certherd::fakes {

/// The TLS API of Fastly for one customer and one user's token, with its state, its write budget
/// and its edge. What the real API refuses is refused, and what a caller must not do at all fails
/// the test. Works as a client on any clock; answer() alone also serves behind a server, on any
/// thread, as does everything that reads or changes the state.
class ScriptedFastly final : public http::Client {
 public:
  /// The configuration that is there from the start: a custom one, and the default.
  static constexpr const char* default_configuration = "cfg-default";
  /// Fastly's API reference, "Rate limiting": of one user, in each hour of the clock.
  static constexpr int writes_per_hour = 1000;

  struct Call {
    http::Request::Method method;
    std::string target;  ///< path and query
    Time at;
  };

  /// What happens to one call. The answer stands in the place of its own.
  struct Fault {
    bool after_its_work = false;
    /// Nothing: no answer comes.
    std::optional<http::Response> answer;
  };
  static Fault lost_request() { return {}; }
  static Fault lost_reply() { return {.after_its_work = true, .answer = {}}; }
  static Fault refusal(int status, std::string body);
  static Fault truncated();

  ScriptedFastly(std::string token, std::function<Time()> now);

  /// What is lost is told at once.
  Task<Result<http::Response>> send(http::Request request, Time deadline) override;

  /// Nothing where the script says that no answer comes.
  std::optional<http::Response> answer(const http::Request& request);

  /// Runs before each request that comes by send().
  void set_delay(std::function<Task<void>()> delay) { delay_ = std::move(delay); }

  /// The n-th call from now on, reads too, the next one being 1, in place of what was said before.
  void disturb(int nth, Fault fault);
  /// Whether that call has come.
  bool was_disturbed() const;
  /// Runs just before the n-th call from now on is carried out. It may ask and change this Fastly.
  void before(int nth, std::function<void()> action);

  /// How many writes an hour of the clock lets through, and whether answers to writes tell of it
  /// in headers. At first as Fastly has it, without headers.
  void set_budget(int limit, bool headers_on);
  /// Writes of others who share the user, in this hour.
  void spend_elsewhere(int writes);
  /// The token is known no more: 401.
  void revoke_token();
  /// The token may read only: 403.
  void forbid_writes();

  /// How long what is written takes to be served; for writes from now on.
  void set_live_after(Duration delay);
  /// What a handshake gets now: custom certificates before bulk ones, the name itself before its
  /// wildcard. Nothing: there is no TLS for that name.
  std::optional<fastly::Served> served(const std::string& server_name) const;

  /// Another customer has the domain.
  void hold_elsewhere(const std::string& name);
  /// From now on the name may be without TLS.
  void may_lose(const std::string& name);
  /// Names that had TLS and then lost it by a call, in order.
  std::vector<fastly::LostTls> lost_tls() const;

  // What somebody else does there, past requests, budget and watch. Each gives the id.
  std::string put_configuration(fastly::Configuration configuration);
  std::string put_key(const Secret<std::string>& pem, const std::string& name);
  /// With its key, where that is not there.
  std::string put_certificate(const Material& material, const std::string& name);
  std::string put_activation(const std::string& certificate, const std::string& domain,
                             const std::string& configuration = default_configuration,
                             const std::string& mutual_authentication = {});
  /// With its key, where that is not there.
  std::string put_bulk_certificate(const Material& material, const std::string& configuration);
  /// Whatever has that id, with all that needs it.
  void remove(const std::string& id);

  // By id, in the order in which they were made.
  std::map<std::string, fastly::Key> keys() const;
  std::map<std::string, fastly::Certificate> certificates() const;
  std::map<std::string, fastly::Activation> activations() const;
  std::map<std::string, fastly::BulkCertificate> bulk_certificates() const;

  std::vector<Call> calls() const;
  /// Calls that Fastly counts as writes, refused ones too, and all others.
  int writes() const;
  int reads() const;
  /// The writes by the full hour in which they came.
  std::map<Time, int> writes_by_hour() const;
  /// Those that were refused for want of budget.
  int throttled() const;
  /// How often a method was called on paths that begin so.
  int count(http::Request::Method method, std::string_view path) const;

 private:
  struct Disturbance {
    int at = 0;
    Fault fault;
  };
  struct Interruption {
    int at = 0;
    std::function<void()> action;
  };

  /// Its number, the first being 1.
  int note(const http::Request& request, std::function<void()>* action);
  std::optional<http::Response> answer(const http::Request& request, int number);
  http::Response carry_out(const http::Request& request, int number);
  http::Response write(const fastly::Asked& asked);
  http::Response create(const fastly::Asked& asked);
  http::Response replace(const fastly::Asked& asked);
  http::Response remove(const fastly::Asked& asked);
  void add_budget_headers(http::Response* response) const;
  Time hour() const;
  int left() const;
  void put_key_of(const Material& material);

  std::function<Time()> now_;
  std::function<Task<void>()> delay_;
  mutable std::mutex mutex_;
  std::string token_;
  bool is_revoked_ = false;
  bool forbids_writes_ = false;
  fastly::Account account_;
  std::vector<Call> calls_;
  int budget_ = writes_per_hour;
  bool has_headers_ = false;
  std::map<Time, int> writes_;
  std::map<Time, int> writes_elsewhere_;
  int throttled_ = 0;
  std::optional<Disturbance> disturbance_;
  bool was_disturbed_ = false;
  std::optional<Interruption> interruption_;
};

}  // namespace certherd::fakes
