#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/secret.hpp"
#include "deploy/fastly/documents.hpp"
#include "http/client.hpp"
#include "runtime/budget.hpp"
#include "runtime/event_loop.hpp"
#include "runtime/turnstile.hpp"

namespace certherd::deploy::fastly {

struct ApiOptions {
  std::string endpoint = "https://api.fastly.com";  ///< without a slash at the end
  Secret<std::string> token;
  std::string token_source;                     ///< for people: where the token comes from
  runtime::Allowance allowance;                 ///< of writes, with a window
  Duration timeout = std::chrono::seconds(30);  ///< of one exchange
};

/// Fastly's TLS API. Writes draw on the hour's budget: those that finish what was begun go first,
/// then new keys, then clean-up; whoever would have to wait for the next hour gets `throttled`.
/// What the answers tell of the budget is kept too, for others may spend of it. Reads are free.
///
/// Errors: denied, not_found, misconfigured (Fastly's refusals, in its words), throttled,
/// transient, deadline; after the last two a write may have been done. What is deleted and not
/// there any more is no error. Used on the loop; client and budget outlive it.
class Api {
 public:
  Api(runtime::EventLoop& loop, http::Client& client, runtime::Budget& budget, ApiOptions options);

  Task<Result<std::vector<Key>>> keys();
  /// Those that no certificate uses.
  Task<Result<std::vector<Key>>> unused_keys();
  Task<Result<Key>> add_key(Secret<std::string> pem, std::string name);
  Task<Status> remove_key(std::string id);

  /// Those with this name among theirs, with their activations.
  Task<Result<std::vector<Certificate>>> certificates_with(std::string domain);
  Task<Result<Certificate>> add_certificate(std::string blob, std::string name);
  /// In place: activations of names that it still has stay.
  Task<Result<Certificate>> replace_certificate(std::string id, std::string blob, std::string name);
  Task<Status> remove_certificate(std::string id);

  Task<Result<std::vector<Activation>>> activations_of(std::string domain);
  /// `configuration` may be empty: the customer's default one.
  Task<Result<Activation>> activate(std::string domain, std::string certificate,
                                    std::string configuration);
  Task<Result<Activation>> move(Activation activation, std::string certificate);
  Task<Status> remove_activation(std::string id);

  Task<Result<std::vector<BulkCertificate>>> bulk_certificates_with(std::string domain);
  Task<Result<BulkCertificate>> add_bulk(std::string leaf, std::string intermediates,
                                         std::string configuration);
  Task<Result<BulkCertificate>> replace_bulk(std::string id, std::string leaf,
                                             std::string intermediates);
  Task<Status> remove_bulk(std::string id);

  Task<Result<std::vector<Configuration>>> configurations();

  runtime::EventLoop& loop() { return loop_; }

 private:
  using Parameters = std::vector<std::pair<std::string, std::string>>;
  struct Write {
    http::Request::Method method = http::Request::Method::post;
    std::string path;
    Secret<std::string> document;
    runtime::Urgency urgency = runtime::Urgency::look;
    int needs = 1;  ///< writes that this one and those that follow from it are
  };

  template <typename T>
  Task<Result<std::vector<T>>> list(std::string path, Parameters parameters);
  template <typename T>
  Task<Result<T>> write(Write write);
  Task<Result<http::Response>> send_write(Write write);
  Task<Status> remove(std::string path);
  Task<Result<http::Response>> send(http::Request::Method method, std::string target,
                                    Secret<std::string> document);
  Task<Status> note_budget(http::Response response);
  Time now() const { return loop_.clock().now(); }

  runtime::EventLoop& loop_;
  http::Client& client_;
  runtime::Budget& budget_;
  ApiOptions options_;
  runtime::Turnstile writes_;
  // What is left of this hour as far as our own writes and the last answers tell: a lower figure in
  // an answer is news.
  Time hour_{};
  double left_ = 0;
};

}  // namespace certherd::deploy::fastly
