#include "dns/change_batcher.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>
#include <map>
#include <set>
#include <utility>

#include "dns/batch_watch.hpp"
#include "dns/change_queue.hpp"
#include "dns/zone_sender.hpp"
#include "runtime/steady_time.hpp"
#include "runtime/task_group.hpp"
#include "runtime/together.hpp"

namespace certherd::dns {
namespace {

// How long a sweep waits for the next zone: what is not taken by then goes on its way all the same,
// and the next sweep looks.
constexpr Duration sweep_patience = std::chrono::minutes(10);

void keep_first(Status& first, Status later) {
  if (first) first = std::move(later);
}

}  // namespace

class ChangeBatcher::Impl {
 public:
  Impl(runtime::EventLoop& loop, Provider& provider, Ledger& ledger, Options options)
      : loop_(&loop),
        provider_(&provider),
        ledger_(&ledger),
        options_(std::move(options)),
        watch_(loop, provider),
        group_(loop) {}

  Task<Result<Ticket>> ensure(Zone zone, std::vector<TxtRecord> records);
  Task<Result<Spreading>> spreading(Ticket ticket) { return watch_.look(std::move(ticket)); }
  Task<Status> sweep(Duration linger);
  Task<Status> sweep_in_passing() { return sweep(options_.linger); }
  Task<void> stop();

 private:
  // One value to be removed, for which several issuances may have left entries.
  struct Removal {
    std::vector<TxtRecord> records;
    std::shared_ptr<ChangeRequest> request;
  };
  using Removals = std::map<ChangeKey, Removal>;

  // Runs in the group, so that stop() can end it; shared with the caller who waits for it.
  struct Sweep {
    explicit Sweep(runtime::EventLoop& loop) : over(loop) {}
    Status status;
    bool done = false;
    bool abandoned = false;
    runtime::Wakeup over;
  };

  ZoneSender& sender_of(const Zone& zone);
  void start(ZoneSender& sender);
  QueuedChange queued(const TxtRecord& record, TxtChange::Action action, Duration wait,
                      std::shared_ptr<ChangeRequest> request);
  void throw_if_stopped() const;

  Task<void> run_sweep(std::shared_ptr<Sweep> sweep, Duration linger);
  void end_sweep(const std::shared_ptr<Sweep>& sweep);
  Task<Status> remove_unneeded(Duration linger);
  std::vector<Removals> queue_removals(std::vector<TxtRecord> records, Duration linger);
  // What the zones of a sweep have in common.
  struct Settling {
    Duration patience;
    Time latest;  // when one of them was settled, by runtime::steady_now()
    Status status = {};
    Time deadline() const { return latest + patience; }
  };
  Task<Status> settle(std::vector<Removals> zones, Duration linger);
  Task<void> settle_zone(Removals* removals, Settling* settling);
  Task<Status> forget(std::vector<TxtRecord> records);

  runtime::EventLoop* loop_;
  Provider* provider_;
  Ledger* ledger_;
  Options options_;
  BatchWatch watch_;
  std::map<ZoneId, ZoneSender> senders_;
  std::uint64_t calls_ = 0;
  std::set<std::shared_ptr<Sweep>> sweeps_;
  // What was ensured since the oldest running sweep began: the ledger's answer to that sweep may
  // be older, so it must leave these alone.
  std::set<ChangeKey> wanted_since_;
  // What this process has written and the provider has taken: nothing of it is on its way.
  std::set<ChangeKey> settled_;
  bool stopped_ = false;
  runtime::TaskGroup group_;
};

ZoneSender& ChangeBatcher::Impl::sender_of(const Zone& zone) {
  auto [sender, added] = senders_.try_emplace(zone.id, zone, loop_, provider_, ledger_, &options_);
  if (!zone.name.empty()) sender->second.learn_name(zone.name);
  return sender->second;
}

void ChangeBatcher::Impl::start(ZoneSender& sender) {
  if (sender.running()) return;
  sender.mark_running();
  group_.spawn(sender.run());
}

QueuedChange ChangeBatcher::Impl::queued(const TxtRecord& record, TxtChange::Action action,
                                         Duration wait, std::shared_ptr<ChangeRequest> request) {
  QueuedChange change;
  change.change = TxtChange{.action = action, .name = record.name, .value = record.value};
  change.group = calls_;
  change.due = runtime::steady_now(loop_->clock()) + wait;
  if (action == TxtChange::Action::ensure) change.unrecorded.push_back(record);
  change.requests.push_back(std::move(request));
  return change;
}

void ChangeBatcher::Impl::throw_if_stopped() const {
  if (stopped_) throw boost::system::system_error(boost::asio::error::operation_aborted);
}

Task<Result<Ticket>> ChangeBatcher::Impl::ensure(Zone zone, std::vector<TxtRecord> records) {
  throw_if_stopped();
  if (records.empty()) co_return Ticket();

  ++calls_;
  auto& sender = sender_of(zone);
  const auto request = std::make_shared<ChangeRequest>(*loop_);
  request->outstanding = records.size();
  for (const auto& record : records) {
    if (!sweeps_.empty()) wanted_since_.emplace(record.name, record.value);
    settled_.erase({record.name, record.value});
    sender.ensure(queued(record, TxtChange::Action::ensure, options_.gather, request));
  }
  start(sender);

  while (!request->over()) co_await request->done.wait();
  if (request->abandoned) throw boost::system::system_error(boost::asio::error::operation_aborted);
  if (request->error) {
    // An earlier one for the same value may have been answered in the meantime.
    for (const auto& record : records) settled_.erase({record.name, record.value});
    co_return fail(*request->error);
  }
  for (const auto& record : records) settled_.emplace(record.name, record.value);
  watch_.begin(request->ticket);
  co_return request->ticket;
}

Task<Status> ChangeBatcher::Impl::sweep(Duration linger) {
  throw_if_stopped();
  const auto sweep = std::make_shared<Sweep>(*loop_);
  // The ledger is about to be asked: what is on its way may not stand there yet.
  for (const auto& [id, sender] : senders_) sender.add_wanted(wanted_since_);
  sweeps_.insert(sweep);
  group_.spawn(run_sweep(sweep, linger));

  while (!sweep->done && !sweep->abandoned) co_await sweep->over.wait();
  if (sweep->abandoned) throw boost::system::system_error(boost::asio::error::operation_aborted);
  co_return sweep->status;
}

Task<void> ChangeBatcher::Impl::run_sweep(std::shared_ptr<Sweep> sweep, Duration linger) {
  try {
    auto status = co_await remove_unneeded(linger);
    if (!status) status = fail(std::move(status).error().during("sweep challenge values"));
    sweep->status = std::move(status);
    sweep->done = true;
  } catch (...) {
    end_sweep(sweep);
    throw;
  }
  end_sweep(sweep);
}

void ChangeBatcher::Impl::end_sweep(const std::shared_ptr<Sweep>& sweep) {
  sweep->abandoned = !sweep->done;
  sweep->over.notify_all();
  sweeps_.erase(sweep);
  if (sweeps_.empty()) wanted_since_.clear();
}

Task<Status> ChangeBatcher::Impl::remove_unneeded(Duration linger) {
  auto unneeded = co_await ledger_->unneeded(options_.dns);
  if (!unneeded) co_return fail(std::move(unneeded).error());
  auto zones = queue_removals(std::move(*unneeded), linger);
  co_return co_await settle(std::move(zones), linger);
}

std::vector<ChangeBatcher::Impl::Removals> ChangeBatcher::Impl::queue_removals(
    std::vector<TxtRecord> records, Duration linger) {
  std::map<ZoneId, Removals> zones;
  for (auto& record : records) {
    const ChangeKey key{record.name, record.value};
    if (wanted_since_.contains(key)) continue;
    zones[record.zone][key].records.push_back(std::move(record));
  }

  ++calls_;
  std::vector<Removals> queued_zones;
  for (auto& [id, removals] : zones) {
    auto& sender = sender_of(Zone{.id = id, .name = {}});
    for (auto& [key, removal] : removals) {
      removal.request = std::make_shared<ChangeRequest>(*loop_);
      removal.request->outstanding = 1;
      sender.remove(
          queued(removal.records.front(), TxtChange::Action::remove, linger, removal.request));
    }
    start(sender);
    queued_zones.push_back(std::move(removals));
  }
  return queued_zones;
}

// Waits until the provider has taken the removals, and forgets each zone's as soon as that is so.
// What it has taken is gone from the zone for good: nobody waits until the last server has heard.
Task<Status> ChangeBatcher::Impl::settle(std::vector<Removals> zones, Duration linger) {
  Settling settling{.patience = linger + sweep_patience,
                    .latest = runtime::steady_now(loop_->clock())};
  std::vector<Task<void>> tasks;
  tasks.reserve(zones.size());
  for (auto& removals : zones) tasks.push_back(settle_zone(&removals, &settling));
  co_await runtime::together(std::move(tasks));
  co_return settling.status;
}

Task<void> ChangeBatcher::Impl::settle_zone(Removals* removals, Settling* settling) {
  std::vector<TxtRecord> gone;
  for (auto& [key, removal] : *removals) {
    auto& request = *removal.request;
    // As long as other zones come to their turn, this one will.
    const auto& clock = loop_->clock();
    while (!request.over() && runtime::steady_now(clock) < settling->deadline()) {
      co_await request.done.wait_until(runtime::by_clock(clock, settling->deadline()));
    }
    if (request.superseded) continue;
    if (request.error && request.error->kind == Error::Kind::not_found) {
      // The zone is gone, and all that stood there with it.
      std::ranges::move(removal.records, std::back_inserter(gone));
    } else if (request.error) {
      keep_first(settling->status, fail(*request.error));
    } else if (request.outstanding > 0) {
      keep_first(settling->status,
                 fail(Error::Kind::deadline, fmt::format("remove a value at {}", key.first),
                      "the DNS provider has not taken it yet; the next sweep looks again"));
    } else {
      std::ranges::move(removal.records, std::back_inserter(gone));
    }
  }
  settling->latest = runtime::steady_now(loop_->clock());
  keep_first(settling->status, co_await forget(std::move(gone)));
}

Task<Status> ChangeBatcher::Impl::forget(std::vector<TxtRecord> records) {
  std::erase_if(records, [this](const TxtRecord& record) {
    return wanted_since_.contains({record.name, record.value});
  });
  const auto settled = std::ranges::partition(records, [this](const TxtRecord& record) {
    return !settled_.contains({record.name, record.value});
  });
  std::vector<TxtRecord> answered(settled.begin(), settled.end());
  records.erase(settled.begin(), settled.end());
  const Time now = loop_->clock().now();
  Status status;
  if (!answered.empty()) {
    for (const auto& record : answered) settled_.erase({record.name, record.value});
    status = co_await ledger_->forget(std::move(answered), now);
  }
  if (!records.empty()) {
    const Time until = now - options_.late;
    keep_first(status, co_await ledger_->forget(std::move(records), until));
  }
  co_return status;
}

Task<void> ChangeBatcher::Impl::stop() {
  stopped_ = true;
  group_.cancel();
  // Here and not only by each task itself: one that never came to start cannot.
  for (auto& [id, sender] : senders_) sender.abandon();
  while (!sweeps_.empty()) {
    const auto sweep = *sweeps_.begin();
    end_sweep(sweep);
  }
  co_await group_.join();
}

ChangeBatcher::ChangeBatcher(runtime::EventLoop& loop, Provider& provider, Ledger& ledger,
                             Options options)
    : impl_(std::make_unique<Impl>(loop, provider, ledger, std::move(options))) {}

ChangeBatcher::~ChangeBatcher() = default;

Task<Result<Ticket>> ChangeBatcher::ensure(Zone zone, std::vector<TxtRecord> records) {
  return impl_->ensure(std::move(zone), std::move(records));
}

Task<Result<ChangeBatcher::Spreading>> ChangeBatcher::spreading(Ticket ticket) {
  return impl_->spreading(std::move(ticket));
}

Task<Status> ChangeBatcher::sweep() { return impl_->sweep(Duration(0)); }

Task<Status> ChangeBatcher::sweep_in_passing() { return impl_->sweep_in_passing(); }

Task<void> ChangeBatcher::stop() { return impl_->stop(); }

}  // namespace certherd::dns
