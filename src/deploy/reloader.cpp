#include "deploy/reloader.hpp"

#include <algorithm>
#include <utility>

#include "deploy/command_words.hpp"
#include "runtime/process.hpp"

namespace certherd::deploy {
Reloader::Reloader(runtime::EventLoop& loop, Options options)
    : loop_(loop),
      options_(std::move(options)),
      round_over_(loop),
      opened_(loop),
      changes_over_(loop),
      tasks_(loop) {}

Reloader::Change::Change(Reloader& reloader) : reloader_(&reloader) { reloader.changes_ += 1; }

Reloader::Change::~Change() {
  if (reloader_ == nullptr) return;
  reloader_->changes_ -= 1;
  if (reloader_->changes_ == 0) reloader_->changes_over_.notify_all();
}

Task<Reloader::Change> Reloader::begin_change() {
  while (closed_) co_await opened_.wait();
  co_return Change(*this);
}

Task<Status> Reloader::reload(Change change) {
  if (stopped_) co_return fail(Error::Kind::transient, "reload", "shutting down");
  if (!gathering_) gathering_ = std::make_shared<Round>();
  const auto round = gathering_;
  if (!running_) {
    running_ = true;
    tasks_.spawn(run_rounds());
  }
  {
    const Change ended = std::move(change);
  }  // only now: the round must know of it first
  while (!round->over) co_await round_over_.wait();
  co_return round->status;
}

Task<void> Reloader::stop() {
  stopped_ = true;
  tasks_.cancel();
  co_await tasks_.join();
  closed_ = false;
  opened_.notify_all();
  for (auto* round : {&reloading_, &gathering_}) {
    if (!*round) continue;
    finish(**round, fail(Error::Kind::transient, "reload", "interrupted by shutting down"));
    round->reset();
  }
}

// Closed, then empty, then the round is taken away: whoever has changed a file by then is in it.
Task<void> Reloader::run_rounds() {
  while (gathering_) {
    co_await loop_.clock().sleep_for(std::max(options_.gather, last_took_));
    closed_ = true;
    while (changes_ > 0) co_await changes_over_.wait();
    reloading_ = std::exchange(gathering_, nullptr);
    const Time begun = loop_.clock().now();
    auto status = co_await run_command();
    last_took_ = loop_.clock().now() - begun;
    closed_ = false;
    opened_.notify_all();
    finish(*reloading_, std::move(status));
    reloading_.reset();
  }
  running_ = false;
}

void Reloader::finish(Round& round, Status status) {
  round.status = std::move(status);
  round.over = true;
  round_over_.notify_all();
}

Task<Status> Reloader::run_command() {
  runtime::Command command;
  command.arguments = options_.command;
  command.withheld = options_.withheld;
  auto ended = co_await runtime::run_command(&loop_, std::move(command),
                                             loop_.clock().now() + options_.timeout);
  if (!ended) co_return fail(std::move(ended.error()).during("reload"));
  if (ended->exit_status == 0) co_return Status();
  co_return fail(Error::Kind::misconfigured, "reload",
                 how_it_ended(options_.command, ended->exit_status, ended->output));
}

}  // namespace certherd::deploy
