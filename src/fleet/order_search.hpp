#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "acme/client.hpp"
#include "runtime/event_loop.hpp"
#include "runtime/wakeup.hpp"
#include "store/store.hpp"

namespace certherd::fleet {

/// Finds orders that the CA made for us although we never learned their URLs: our process died,
/// or the reply was lost, between newOrder and our commit. One look through the account's orders
/// list (RFC 8555 section 7.1.2.1) serves everybody who asks meanwhile. CAs without the list
/// (Boulder) hand out an identical pending order again by themselves, so nothing found is right
/// there. Owned by app, used on the loop.
class OrderSearch {
 public:
  OrderSearch(runtime::EventLoop& loop, acme::Client& client, store::Store& store);

  /// An order for exactly these names that can still be finalized and belongs to no issuance in
  /// the store; each is given out once. The list is read anew unless it was read after `since`,
  /// the moment from which nothing was sent for these names any more.
  Task<Result<std::optional<acme::Order>>> find(std::vector<Fqdn> names, Time since);

 private:
  Task<Status> read_list();

  runtime::EventLoop& loop_;
  acme::Client& client_;
  store::Store& store_;
  runtime::Wakeup finished_;
  bool reading_ = false;
  std::optional<Time> read_at_;  ///< when the last complete reading began
  std::multimap<std::vector<std::string>, acme::Order> unclaimed_;
};

}  // namespace certherd::fleet
