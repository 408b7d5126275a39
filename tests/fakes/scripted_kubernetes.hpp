#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "fakes/kubernetes_secrets.hpp"
#include "http/client.hpp"

namespace certherd::fakes {

/// The API server of a cluster, as far as Secrets and access reviews go, with its state. What the
/// real one refuses is refused, and what a caller must not do at all fails the test. Works as a
/// client on any clock; answer() alone also serves behind a server, on any thread, as does
/// everything that reads or changes the state.
class ScriptedKubernetes final : public http::Client {
 public:
  static constexpr const char* server = "https://10.96.0.1:443";
  static constexpr const char* token = "eyJhbGciOiJSUzI1NiJ9.certherd";

  struct Call {
    http::Request::Method method;
    std::string target;  ///< path and query
  };

  /// What happens to one call. The answer stands in the place of its own.
  struct Fault {
    bool after_its_work = false;
    /// Nothing: no answer comes.
    std::optional<http::Response> answer;
  };
  static Fault lost_request() { return {}; }
  static Fault lost_reply() { return {.after_its_work = true, .answer = {}}; }
  static Fault refusal(int status, const std::string& reason, const std::string& message,
                       http::Headers headers = {});
  static Fault truncated();

  /// Has the namespaces "default" and "web", and an account that may do all, by `token`.
  explicit ScriptedKubernetes(std::function<Time()> now);

  /// What is lost is told at once.
  Task<Result<http::Response>> send(http::Request request, Time deadline) override;

  /// Nothing where the script says that no answer comes.
  std::optional<http::Response> answer(const http::Request& request);

  /// The n-th call from now on, the next one being 1, in place of what was said before.
  void disturb(int nth, Fault fault);
  /// Whether that call has come.
  bool was_disturbed() const;
  /// Runs just before the n-th call from now on is carried out. It may ask and change the state.
  void before(int nth, std::function<void()> action);

  void add_token(const std::string& text, Time expires_at = Time::max());
  void revoke_token(const std::string& text);
  /// A verb on Secrets, or "selfsubjectaccessreviews".
  void forbid(const std::string& verb);
  void remove_namespace(const std::string& name);

  /// What somebody else does, by another field manager.
  void edit(const std::string& namespace_, const std::string& name,
            const kubernetes::Fields& fields, const std::string& manager = "kubectl-edit");
  void remove(const std::string& namespace_, const std::string& name);

  std::optional<kubernetes::Secret> secret(const std::string& namespace_,
                                           const std::string& name) const;
  std::size_t secrets() const;

  std::vector<Call> calls() const;
  /// Calls that change the state: all but GET and access reviews.
  int writes() const;

 private:
  struct Disturbance {
    int at = 0;
    Fault fault;
  };
  struct Interruption {
    int at = 0;
    std::function<void()> action;
  };

  bool is_known(const http::Request& request) const;
  http::Response carry_out(const http::Request& request);
  http::Response review(const http::Request& request) const;
  http::Response read(const kubernetes::Secrets::Key& key) const;
  http::Response apply(const http::Request& request, const kubernetes::Secrets::Key& key);
  http::Response remove(const http::Request& request, const kubernetes::Secrets::Key& key);
  bool may(const std::string& verb) const { return !forbidden_.contains(verb); }

  std::function<Time()> now_;
  mutable std::mutex mutex_;
  std::map<std::string, Time> tokens_;
  std::set<std::string> forbidden_;
  std::set<std::string> namespaces_ = {"default", "web"};
  kubernetes::Secrets secrets_;
  std::vector<Call> calls_;
  std::optional<Disturbance> disturbance_;
  bool was_disturbed_ = false;
  std::optional<Interruption> interruption_;
};

}  // namespace certherd::fakes
