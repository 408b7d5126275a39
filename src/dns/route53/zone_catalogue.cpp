#include "dns/route53/zone_catalogue.hpp"

#include <iterator>
#include <utility>

#include "dns/route53/names.hpp"

namespace certherd::dns::route53 {
namespace {

constexpr Duration kept_for = std::chrono::minutes(5);

}  // namespace

/// Lands the flight even when its caller is cancelled: another one then takes off anew.
class ZoneCatalogue::Landing {
 public:
  explicit Landing(ZoneCatalogue* owner) : owner_(owner) {
    owner->flight_ = std::make_shared<Flight>(owner->loop_);
  }
  Landing(const Landing&) = delete;
  Landing& operator=(const Landing&) = delete;
  ~Landing() {
    const auto flight = std::move(owner_->flight_);
    flight->over = true;
    flight->landed.notify_all();
  }
  void fail_all(const Error& error) { owner_->flight_->error = error; }

 private:
  ZoneCatalogue* owner_;
};

/// A name that somebody waits for.
class ZoneCatalogue::Wish {
 public:
  Wish(Wishes* wishes, Fqdn name) : wishes_(wishes) {
    auto key = order_key(name);
    place_ = wishes->emplace(std::move(key), std::move(name));
  }
  Wish(const Wish&) = delete;
  Wish& operator=(const Wish&) = delete;
  ~Wish() { wishes_->erase(place_); }

 private:
  Wishes* wishes_;
  Wishes::iterator place_;
};

Task<Result<std::vector<dns::Zone>>> ZoneCatalogue::holding(Fqdn name) {
  for (;;) {
    if (loop_.clock().now() >= good_until_) known_.clear();
    auto answer = known_.holding(name);
    if (answer.complete) co_return std::move(answer.zones);

    const Wish wish(&wishes_, std::move(answer.ask));
    if (const auto flight = flight_) {
      while (!flight->over) co_await flight->landed.wait();
      if (flight->error) co_return fail(*flight->error);
      continue;
    }
    Landing landing(this);
    auto fetched = co_await fetch_page();
    if (!fetched) {
      landing.fail_all(fetched.error());
      co_return fail(std::move(fetched.error()));
    }
  }
}

void ZoneCatalogue::forget(const ZoneId& id) {
  if (known_.has(id)) known_.clear();
}

// Where the next page begins: the first of the names that are waited for, or the end of the stretch
// before it.
Fqdn ZoneCatalogue::next_start() {
  if (known_.empty()) {
    jumped_ = false;
    return {};
  }
  auto wish = wishes_.begin();
  while (std::next(wish) != wishes_.end() && known_.covers(wish->second)) ++wish;
  const auto end = known_.end_of_stretch_before(wish->second);
  jumped_ = !jumped_ || end.empty();
  return jumped_ ? wish->second : end;
}

Task<Status> ZoneCatalogue::fetch_page() {
  const bool first = known_.empty();
  const auto start = next_start();
  auto page = co_await fetch_from(start);
  if (!page) co_return fail(std::move(page.error()));
  if (first) good_until_ = loop_.clock().now() + kept_for;
  known_.learn(start, *page);
  co_return Status();
}

// A page may end between zones of one name; as long as that is the name it began with, the next one
// belongs to it.
Task<Result<ZonePage>> ZoneCatalogue::fetch_from(Fqdn name) {
  ZoneId id;
  auto page = co_await fetch_(name, id);
  while (page && page->truncated && !name.empty() && read_name(page->next_name) == name &&
         ZoneId(page->next_id) != id) {
    id = ZoneId(page->next_id);
    auto more = co_await fetch_(name, id);
    if (!more) co_return fail(std::move(more.error()));
    more->zones.insert(more->zones.begin(), page->zones.begin(), page->zones.end());
    page = std::move(more);
  }
  co_return page;
}

}  // namespace certherd::dns::route53
