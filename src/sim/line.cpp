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

Task<void> Line::travel() {
  const auto least = static_cast<std::uint64_t>(options_.least.count());
  const auto most = static_cast<std::uint64_t>(options_.most.count());
  return clock_.sleep_for(Duration(random_.uniform(least, most)));
}

Task<std::vector<bool>> Line::there_together(std::size_t count) {
  exchanges_ += count;
  co_await travel();
  if (kill_ && happens(options_.kills / 2)) co_await die();
  const bool down = clock_.now() < down_until_;
  std::vector<bool> broken(count, down);
  if (!down) {
    for (std::size_t i = 0; i < count; ++i) broken[i] = happens(options_.breaks_before);
  }
  co_return broken;
}

Error Line::fault(std::string op) const {
  return broken(std::move(op),
                clock_.now() < down_until_ ? "nobody answers" : "the connection broke off");
}

Task<std::optional<Error>> Line::there(std::string op) {
  ++exchanges_;
  co_await travel();
  if (kill_ && happens(options_.kills / 2)) co_await die();
  const bool struck = strike_ && ++strike_->seen == strike_->at;
  if (struck && strike_->kind == Strike::Kind::kills_before) co_await die();
  if (struck && strike_->kind == Strike::Kind::drains) drain_();
  if (struck && strike_->kind == Strike::Kind::breaks_before) {
    co_return broken(std::move(op), "the connection broke off");
  }
  strikes_back_ = struck;
  if (clock_.now() < down_until_ || happens(options_.breaks_before)) {
    co_return fault(std::move(op));
  }
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
