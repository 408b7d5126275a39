#include "aws/client.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <optional>
#include <string_view>

#include "aws/sigv4.hpp"
#include "base/log.hpp"

namespace certherd::aws {
namespace {

using Kind = Error::Kind;
using std::chrono::seconds;

// The SDKs' standard mode (botocore retries/standard.py, retries/quota.py).
constexpr int full_quota = 500;
constexpr int retry_cost = 5;
constexpr int timeout_retry_cost = 10;
constexpr int plain_success_gives = 1;
constexpr seconds longest_backoff(20);

// AWS refuses a signature that is 5 minutes off; the Date of an answer can itself be a little old.
constexpr std::chrono::minutes telling_skew(4);

constexpr std::array<std::string_view, 5> codes_of_time = {
    "RequestTimeTooSkewed", "RequestInTheFuture", "RequestExpired", "SignatureDoesNotMatch",
    "InvalidSignatureException"};
constexpr std::array<std::string_view, 5> codes_of_credentials = {
    "ExpiredToken", "ExpiredTokenException", "RequestExpired", "UnrecognizedClientException",
    "InvalidClientTokenId"};

bool is_one_of(const auto& codes, std::string_view code) {
  return std::ranges::find(codes, code) != codes.end();
}

Failure without_answer(Error error, const std::string& op) {
  Failure failure;
  failure.error = std::move(error).during(op);
  return failure;
}

tl::unexpected<Failure> fail_with(Failure failure) {
  return tl::unexpected<Failure>(std::move(failure));
}

http::Request request_for(const Call& call, const std::string& endpoint) {
  http::Request request;
  request.method = call.method;
  request.url = endpoint + call.path;
  std::vector<std::pair<std::string, std::string>> query;
  query.reserve(call.query.size());
  for (const auto& [name, value] : call.query) {
    query.emplace_back(uri_encode(name), uri_encode(value));
  }
  std::ranges::sort(query);
  char separator = '?';
  for (const auto& [name, value] : query) {
    request.url.append({separator}).append(name).append("=").append(value);
    separator = '&';
  }
  request.headers = call.headers;
  request.body = call.body;
  return request;
}

}  // namespace

/// One call, over all its attempts.
class Client::Exchange {
 public:
  Exchange(Client* client, Call call)
      : client_(*client),
        session_(client->session_),
        clock_(session_.loop().clock()),
        call_(std::move(call)),
        op_(std::string(to_string(client->options_.service)) + " " + call_.operation) {}

  Task<Reply> run();

 private:
  enum class Next { give_up, at_once, after_pause };

  Task<Reply> attempt();
  Next after(const Failure& failure, const http::Response* response);
  bool correct_clock(const Failure& failure, const http::Response& response);
  bool drop_credentials(const Failure& failure);
  std::optional<Duration> pause_before_next();
  void succeeded();

  Client& client_;
  Session& session_;
  runtime::Clock& clock_;
  Call call_;
  std::string op_;

  int attempts_ = 0;
  int spent_ = 0;  // of the retry quota, on the last retry
  bool clock_was_corrected_ = false;
  bool credentials_were_dropped_ = false;

  // Of the last attempt.
  Credentials credentials_;
  Time signed_at_;
  bool timed_out_ = false;
  std::optional<Time> asked_to_wait_until_;
  Next next_ = Next::give_up;
};

Task<Reply> Client::send(Call call) {
  Exchange exchange(this, std::move(call));
  co_return co_await exchange.run();
}

Task<Reply> Client::Exchange::run() {
  while (true) {
    auto reply = co_await attempt();
    if (reply) {
      succeeded();
      co_return reply;
    }
    if (next_ == Next::give_up) co_return reply;
    if (next_ == Next::at_once) continue;
    const auto pause = pause_before_next();
    if (!pause) co_return reply;
    log::debug("tried again in {}: {}", format_duration(*pause), reply.error().error.message());
    co_await clock_.sleep_for(*pause);
  }
}

Task<Reply> Client::Exchange::attempt() {
  timed_out_ = false;
  asked_to_wait_until_ = std::nullopt;
  next_ = Next::give_up;
  const auto service = client_.options_.service;
  const auto endpoint = session_.settings().endpoint(service);
  if (!endpoint) co_return fail_with(without_answer(endpoint.error(), op_));
  const auto region = session_.settings().signing_region(service);
  if (!region) co_return fail_with(without_answer(region.error(), op_));

  // Before the admission too: those who wait for credentials must not all be let through by then.
  auto credentials = co_await session_.credentials();
  if (credentials && call_.admit) {
    auto admitted = co_await call_.admit();
    if (!admitted) co_return fail_with(without_answer(std::move(admitted.error()), op_));
    credentials = co_await session_.credentials();
  }
  if (!credentials) co_return fail_with(without_answer(std::move(credentials.error()), op_));
  credentials_ = std::move(*credentials);

  ++attempts_;
  auto request = request_for(call_, *endpoint);
  signed_at_ = clock_.now() + session_.skew();
  if (!credentials_.access_key_id.empty()) {
    const SigningScope scope{*region, std::string(signing_name(service))};
    sign(&request, credentials_, scope, signed_at_, client_.signing_key_);
  }
  auto response =
      co_await session_.http().send(std::move(request), clock_.now() + session_.settings().timeout);
  if (!response) {
    auto failure = without_answer(std::move(response.error()), op_);
    timed_out_ = failure.error.kind == Kind::deadline;
    if (timed_out_) failure.error.kind = Kind::transient;
    next_ = after(failure, nullptr);
    co_return fail_with(std::move(failure));
  }
  if (response->status >= 200 && response->status < 300) co_return std::move(*response);

  auto failure = read_failure(op_, *response, clock_.now());
  asked_to_wait_until_ = http::retry_after(*response, clock_.now());
  if (failure.error.kind == Kind::denied && !credentials_.source.empty()) {
    failure.error.detail += "; signed with the credentials of " + credentials_.source;
  }
  next_ = after(failure, &*response);
  co_return fail_with(std::move(failure));
}

Client::Exchange::Next Client::Exchange::after(const Failure& failure,
                                               const http::Response* response) {
  if (call_.leave && call_.leave(failure)) return Next::give_up;
  const bool corrected =
      response != nullptr && (correct_clock(failure, *response) || drop_credentials(failure));
  if (corrected) {
    --attempts_;  // it failed for a reason that is gone
    return Next::at_once;
  }
  const auto kind = failure.error.kind;
  const bool may_pass = kind == Kind::transient || kind == Kind::throttled;
  return may_pass ? Next::after_pause : Next::give_up;
}

/// Whether our clock was wrong and no longer is.
bool Client::Exchange::correct_clock(const Failure& failure, const http::Response& response) {
  if (clock_was_corrected_ || !is_one_of(codes_of_time, failure.code)) return false;
  const auto date = response.header("date");
  const auto server_now = date ? http::parse_http_date(*date) : std::nullopt;
  if (!server_now || std::chrono::abs(*server_now - signed_at_) <= telling_skew) return false;
  clock_was_corrected_ = true;
  session_.set_skew(*server_now - clock_.now());
  log::warning("the clock of this machine is off by {} from {}: calls are signed with its time",
               format_duration(std::chrono::abs(session_.skew())),
               to_string(client_.options_.service));
  return true;
}

/// Whether the credentials were refused and others may be better.
bool Client::Exchange::drop_credentials(const Failure& failure) {
  const bool refused = is_one_of(codes_of_credentials, failure.code) && credentials_.session_token;
  if (credentials_were_dropped_ || !refused) return false;
  credentials_were_dropped_ = true;
  session_.drop(credentials_.access_key_id);
  return true;
}

/// How long to wait before another attempt; nothing when there is to be none.
std::optional<Duration> Client::Exchange::pause_before_next() {
  if (attempts_ >= session_.settings().max_attempts) return std::nullopt;
  const int cost = timed_out_ ? timeout_retry_cost : retry_cost;
  if (client_.retry_quota_ < cost) return std::nullopt;

  const double most =
      std::min(std::exp2(attempts_ - 1), static_cast<double>(longest_backoff.count()));
  auto pause = std::chrono::duration_cast<Duration>(
      std::chrono::duration<double>(session_.chance().fraction() * most));
  if (asked_to_wait_until_) {
    const Duration asked = *asked_to_wait_until_ - clock_.now();
    if (asked > longest_backoff) return std::nullopt;  // the caller has better to do meanwhile
    pause = std::max(pause, asked);
  }
  client_.retry_quota_ -= cost;
  spent_ = cost;
  return pause;
}

void Client::Exchange::succeeded() {
  const int back = spent_ > 0 ? spent_ : plain_success_gives;
  client_.retry_quota_ = std::min(full_quota, client_.retry_quota_ + back);
}

}  // namespace certherd::aws
