#include "fleet/order_search.hpp"

#include <algorithm>

namespace certherd::fleet {

OrderSearch::OrderSearch(runtime::EventLoop& loop, acme::Client& client, store::Store& store)
    : loop_(loop), client_(client), store_(store), finished_(loop) {}

Task<Result<std::optional<acme::Order>>> OrderSearch::find(std::vector<Fqdn> names, Time since) {
  while (reading_) co_await finished_.wait();
  if (!read_at_ || *read_at_ < since) {
    reading_ = true;
    const Time begun = loop_.clock().now();
    auto read = co_await read_list();
    reading_ = false;
    if (read) read_at_ = begun;
    finished_.notify_all();
    if (!read) co_return fail(std::move(read.error()).during("look for a lost order"));
  }

  std::vector<std::string> wanted;
  wanted.reserve(names.size());
  for (const auto& name : names) wanted.push_back(name.text());
  std::ranges::sort(wanted);
  auto found = unclaimed_.find(wanted);
  if (found == unclaimed_.end()) co_return std::nullopt;
  auto order = std::move(found->second);
  unclaimed_.erase(found);
  co_return order;
}

Task<Status> OrderSearch::read_list() {
  auto listed = co_await client_.list_orders();
  if (!listed) co_return fail(std::move(listed.error()));
  auto unknown = co_await store_.unknown_orders(std::move(*listed));
  if (!unknown) co_return fail(std::move(unknown.error()));

  unclaimed_.clear();
  for (auto& url : *unknown) {
    auto order = co_await client_.fetch_order(std::move(url));
    if (!order) {
      if (order.error().kind == Error::Kind::not_found) continue;
      co_return fail(std::move(order.error()));
    }
    if (order->status == acme::OrderStatus::pending || order->status == acme::OrderStatus::ready) {
      auto names = order->identifiers;
      unclaimed_.emplace(std::move(names), std::move(*order));
    }
  }
  co_return Status{};
}

}  // namespace certherd::fleet
