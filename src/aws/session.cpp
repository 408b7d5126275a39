#include "aws/session.hpp"

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include "aws/chain.hpp"
#include "aws/client.hpp"
#include "aws/sts.hpp"
#include "base/log.hpp"
#include "runtime/slots.hpp"
#include "runtime/wakeup.hpp"

namespace certherd::aws {
namespace {

using std::chrono::minutes;

// botocore credentials.py, RefreshableCredentials.
constexpr minutes renewed_before(15);
constexpr minutes must_be_renewed_before(10);

// After a renewal that failed and was not yet needed.
constexpr minutes renewal_tried_again_after(1);

/// Credentials with the times that matter to those who use them.
struct Kept {
  Credentials credentials;
  std::optional<Time> renew_from;  ///< one caller fetches others, the rest go on with these
  std::optional<Time> good_until;  ///< from here on they have to be renewed first
};

Kept keep(Credentials credentials, Time now) {
  Kept kept;
  if (const auto end = credentials.expires_at) {
    // Some live for a few minutes only; renewing them at every call would help nobody.
    const Duration life = *end - now;
    kept.renew_from = *end - std::min<Duration>(renewed_before, life / 2);
    kept.good_until = *end - std::min<Duration>(must_be_renewed_before, life / 3);
  }
  kept.credentials = std::move(credentials);
  return kept;
}

}  // namespace

class Session::Impl {
 public:
  Impl(runtime::EventLoop& loop, runtime::Offload& offload, runtime::Random& random,
       http::Client& http, Settings settings, std::optional<Credentials> fixed)
      : loop(loop),
        offload(offload),
        random(random),
        http(http),
        settings(std::move(settings)),
        fixed_(std::move(fixed)),
        fetched_(loop),
        asking_account(loop, 1) {}

  Task<Result<Credentials>> credentials();
  void drop(const std::string& access_key_id);

  runtime::EventLoop& loop;
  runtime::Offload& offload;
  runtime::Random& random;
  http::Client& http;
  const Settings settings;
  Duration skew{};

 private:
  struct Fetching;

  Task<Result<Credentials>> fetch();
  Time now() const { return loop.clock().now() + skew; }

  const std::optional<Credentials> fixed_;
  std::optional<Kept> kept_;
  bool fetching_ = false;
  std::uint64_t fetch_number_ = 0;  ///< of the last fetch that was begun
  std::uint64_t failed_fetch_ = 0;
  Error failure_;  ///< of that one
  runtime::Wakeup fetched_;

 public:
  runtime::Slots asking_account;  ///< one asks, the others wait for what it hears
  std::optional<std::string> account;
};

/// Whoever leaves while fetching, by a cancellation too, lets another one fetch.
struct Session::Impl::Fetching {
  explicit Fetching(Impl* impl) : impl(impl) { impl->fetching_ = true; }
  Fetching(const Fetching&) = delete;
  Fetching& operator=(const Fetching&) = delete;
  ~Fetching() {
    impl->fetching_ = false;
    impl->fetched_.notify_all();
  }
  Impl* impl;
};

Task<Result<Credentials>> Session::Impl::credentials() {
  if (fixed_) co_return *fixed_;
  while (true) {
    const bool good = kept_ && (!kept_->good_until || now() < *kept_->good_until);
    const bool to_be_renewed = kept_ && kept_->renew_from && now() >= *kept_->renew_from;
    if (good && (!to_be_renewed || fetching_)) co_return kept_->credentials;
    if (!fetching_) break;
    const auto awaited = fetch_number_;
    co_await fetched_.wait();
    if (failed_fetch_ == awaited) co_return fail(failure_);
  }
  co_return co_await fetch();
}

Task<Result<Credentials>> Session::Impl::fetch() {
  const Fetching fetching(this);
  const auto number = ++fetch_number_;
  const Ground ground{&loop, &offload, &random, &http, &settings, &skew};
  auto found = co_await find_credentials(ground);
  if (found && found->expires_at && *found->expires_at <= now()) {
    found = fail(Error::Kind::denied, "find AWS credentials",
                 "those of " + found->source + " have run out: renew them where they come from");
  }
  if (found) {
    kept_ = keep(std::move(*found), now());
    co_return kept_->credentials;
  }
  const bool good = kept_ && kept_->good_until && now() < *kept_->good_until;
  if (good) {
    log::warning("the present AWS credentials serve on: {}", found.error().message());
    kept_->renew_from = now() + renewal_tried_again_after;
    co_return kept_->credentials;
  }
  failed_fetch_ = number;
  failure_ = found.error();
  co_return found;
}

void Session::Impl::drop(const std::string& access_key_id) {
  if (kept_ && kept_->credentials.access_key_id == access_key_id) kept_.reset();
}

Session::Session(runtime::EventLoop& loop, runtime::Offload& offload, runtime::Random& random,
                 http::Client& http, Settings settings)
    : impl_(
          std::make_unique<Impl>(loop, offload, random, http, std::move(settings), std::nullopt)) {}

Session::Session(runtime::EventLoop& loop, runtime::Offload& offload, runtime::Random& random,
                 http::Client& http, Settings settings, Credentials fixed)
    : impl_(std::make_unique<Impl>(loop, offload, random, http, std::move(settings),
                                   std::move(fixed))) {}

Session::~Session() = default;

Task<Result<Credentials>> Session::credentials() { co_return co_await impl_->credentials(); }

void Session::drop(const std::string& access_key_id) { impl_->drop(access_key_id); }

Task<Result<std::string>> Session::account() {
  const auto turn = co_await impl_->asking_account.take();
  if (impl_->account) co_return *impl_->account;
  Client sts(*this, {Service::sts});
  auto call = sts_call("GetCallerIdentity", {});
  auto reply = co_await sts.send(std::move(call));
  if (!reply) co_return fail(std::move(reply.error().error));
  auto account = read_sts_account(reply->body);
  if (account) impl_->account = *account;
  co_return account;
}

const Settings& Session::settings() const { return impl_->settings; }
runtime::EventLoop& Session::loop() { return impl_->loop; }
runtime::Random& Session::chance() { return impl_->random; }
http::Client& Session::http() { return impl_->http; }
Duration Session::skew() const { return impl_->skew; }
void Session::set_skew(Duration skew) { impl_->skew = skew; }

}  // namespace certherd::aws
