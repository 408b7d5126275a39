#include "sim/line.hpp"

#include <chrono>
#include <utility>

namespace certherd::sim {
namespace {

Error broken(std::string op, std::string detail) {
  Error error;
  error.kind = Error::Kind::transient;
  error.op = std::move(op);
  error.detail = std::move(detail);
  return error;
}

}  // namespace

Task<void> Line::die() {
  kill_();
  co_await clock_.sleep_for(std::chrono::days(1));
}

Task<std::optional<Error>> Line::there(std::string op) {
  ++exchanges_;
  const auto least = static_cast<std::uint64_t>(options_.least.count());
  const auto most = static_cast<std::uint64_t>(options_.most.count());
  co_await clock_.sleep_for(Duration(random_.uniform(least, most)));
  if (kill_ && happens(options_.kills / 2)) co_await die();
  const bool struck = strike_ && op != "renewalInfo" && ++strike_->seen == strike_->at;
  if (struck && strike_->kind == Strike::Kind::kills_before) co_await die();
  if (struck && strike_->kind == Strike::Kind::drains) drain_();
  if (struck && strike_->kind == Strike::Kind::breaks_before) {
    co_return broken(std::move(op), "the connection broke off");
  }
  strikes_back_ = struck;
  if (clock_.now() < down_until_) co_return broken(std::move(op), "nobody answers");
  if (happens(options_.breaks_before)) co_return broken(std::move(op), "the connection broke off");
  co_return std::nullopt;
}

Task<std::optional<Error>> Line::back(std::string op) {
  if (kill_ && happens(options_.kills / 2)) co_await die();
  if (std::exchange(strikes_back_, false)) {
    if (strike_->kind == Strike::Kind::kills_after) co_await die();
    if (strike_->kind == Strike::Kind::breaks_after) {
      co_return broken(std::move(op), "the reply was lost");
    }
  }
  if (happens(options_.breaks_after)) co_return broken(std::move(op), "the reply was lost");
  co_return std::nullopt;
}

}  // namespace certherd::sim
