#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"
#include "dns/provider.hpp"
#include "dns/route53/known_zones.hpp"
#include "dns/route53/xml.hpp"
#include "model/fqdn.hpp"
#include "runtime/event_loop.hpp"
#include "runtime/task.hpp"
#include "runtime/wakeup.hpp"

namespace certherd::dns::route53 {

/// Finds the zones that hold a name with few calls, and keeps what it learns for five minutes. The
/// first page is asked for from the first zone on, which is all of most accounts. Then pages
/// begin at a name that is looked for or, by turns, where a known stretch ends: so one name in a
/// large account takes two or three calls, and an account of which every zone is looked for is
/// read once. Callers share the pages. Used on the loop.
class ZoneCatalogue {
 public:
  /// Asks for the page from a zone on: by its name, and by its id where names are the same.
  using Fetch = std::function<Task<Result<ZonePage>>(Fqdn, ZoneId)>;

  ZoneCatalogue(runtime::EventLoop& loop, Fetch fetch) : loop_(loop), fetch_(std::move(fetch)) {}

  /// The public zones of the longest name that holds `name`: none, one, or twins.
  Task<Result<std::vector<dns::Zone>>> holding(Fqdn name);

  /// That zone is gone, and with it what is known, if the zone stood there.
  void forget(const ZoneId& id);

 private:
  /// One page on its way, for which several wait; shared by them.
  struct Flight {
    explicit Flight(runtime::EventLoop& loop) : landed(loop) {}
    runtime::Wakeup landed;
    bool over = false;
    std::optional<Error> error;
  };
  class Landing;
  class Wish;
  using Wishes = std::multimap<std::string, Fqdn>;  // by order_key(), of those who wait

  Fqdn next_start();
  Task<Status> fetch_page();
  Task<Result<ZonePage>> fetch_from(Fqdn name);

  runtime::EventLoop& loop_;
  Fetch fetch_;
  KnownZones known_;
  Time good_until_;
  bool jumped_ = false;
  Wishes wishes_;
  std::shared_ptr<Flight> flight_;
};

}  // namespace certherd::dns::route53
