#pragma once

#include <boost/json/object.hpp>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/time.hpp"
#include "http/client.hpp"
#include "http/test_server.hpp"

namespace certherd::e2e {

/// What the program sends to the CA.
struct CaRequest {
  enum class Kind {
    directory,
    nonce,
    new_account,
    account,
    orders,
    new_order,
    order,
    authorization,
    challenge,
    finalize,
    certificate,
    key_change,
    revoke,
    other
  };
  Kind kind = Kind::other;
  int number = 0;   ///< of all requests, from 1
  int of_kind = 0;  ///< of those of this kind, from 1
  std::string method;
  std::string path;
  http::Headers headers;  ///< names in lower case
  std::string body;

  /// What its JWS carries; empty for POST-as-GET and for what is no JWS.
  boost::json::object payload() const;
};

/// What the program gets.
struct CaAnswer {
  int status = 200;
  http::Headers headers;
  std::string body;
  bool hang_up = false;  ///< breaks the connection off instead of all that
  /// Called for more of the body until it gives nothing. Then no length is announced, and the end
  /// of the connection ends the answer.
  std::function<std::string()> more;
};

CaAnswer json_answer(const boost::json::value& body, int status = 200);
CaAnswer problem_answer(const std::string& acme_type, const std::string& detail, int status);
CaAnswer html_answer(int status);
CaAnswer hang_up();

/// Sets a header that is there once at most, whatever case its name has.
void set_header(CaAnswer& answer, const std::string& name, const std::string& value);
void remove_header(CaAnswer& answer, const std::string& name);
/// Changes the JSON object in an answer.
void edit(CaAnswer& answer, const std::function<void(boost::json::object&)>& change);

/// An HTTPS server on loopback between the program and a real CA. It forwards every request with
/// its own Host header. Pebble makes its URLs from that and checks those in signatures against
/// it, so all of an exchange leads through here.
class CaProxy {
 public:
  /// Asks the CA and gives its answer. A hook that never calls it has kept the request from it.
  using Forward = std::function<CaAnswer()>;
  /// Called for each request on a thread of the connection, several at a time if the program
  /// keeps several connections. It may take its time, and do to the program what it likes:
  ///   return forward();                           all as it should be
  ///   auto answer = forward(); …; return answer;  after the CA has done its work
  ///   return hang_up();                           before it has
  using Hook = std::function<CaAnswer(const CaRequest&, const Forward& forward)>;

  /// This server's own certificate.
  struct Https {
    std::vector<std::string> names = {"127.0.0.1"};
    Duration begins = -std::chrono::hours(1);  ///< as seen from now
    Duration ends = std::chrono::hours(24);
  };

  /// `trust_pem` is for the CA's HTTPS.
  CaProxy(const std::string& directory_url, const std::string& trust_pem, const Https& https);
  ~CaProxy();
  CaProxy(const CaProxy&) = delete;
  CaProxy& operator=(const CaProxy&) = delete;

  /// From the next request on. Nothing: all is forwarded.
  void set_hook(Hook hook);

  const std::string& trust_pem() const { return trust_pem_; }
  std::string directory_url(const std::string& host = "127.0.0.1") const;
  /// scheme://host:port, as the CA's URLs begin.
  std::string base_url() const { return server_->url("", "127.0.0.1"); }
  /// How many requests of that kind have come.
  int count(CaRequest::Kind kind) const;
  int count() const;
  /// For hooks: blocks until the proxy is going to end.
  void stall() const { server_->stall(); }

 private:
  class Upstream;

  http::TestServer::Answer answer(const std::string& bytes);

  std::unique_ptr<Upstream> upstream_;
  std::string directory_path_;
  std::string trust_pem_;
  mutable std::mutex mutex_;
  Hook hook_;                          // under mutex_
  std::vector<CaRequest::Kind> seen_;  // under mutex_
  std::unique_ptr<http::TestServer> server_;
};

}  // namespace certherd::e2e
