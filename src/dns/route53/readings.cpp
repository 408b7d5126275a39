#include "dns/route53/readings.hpp"

#include <iterator>
#include <utility>

#include "dns/route53/names.hpp"

namespace certherd::dns::route53 {

Readings::Readings(const std::set<Fqdn>& names) {
  for (const auto& name : names) missing_.emplace(order_key(name), name);
}

void Readings::learn(const RecordPage& page) {
  const auto first = missing_.begin()->first;
  bool in_order = true;
  std::string last = first;
  for (const auto& listed : page.sets) {
    const auto name = read_name(listed.name);
    if (!name) continue;  // what is no Fqdn is none of the names
    auto key = order_key(*name);
    in_order = in_order && key >= last;
    if (listed.type == "TXT" && missing_.contains(key)) {
      auto& reading = found_[*name];
      reading.set = listed.set;
      reading.simple = reading.simple && listed.simple;
    }
    last = std::move(key);
  }

  // How an odd name is sorted is not told: then the page is good up to its last plain name. What
  // is not sorted as it should be tells only about the name that was asked for.
  const auto next = read_name(page.next_name);
  auto end = missing_.end();
  if (!in_order) {
    end = std::next(missing_.begin());
  } else if (page.truncated) {
    end = next ? missing_.lower_bound(order_key(*next)) : missing_.upper_bound(last);
    if (end == missing_.begin()) ++end;
  }
  for (auto name = missing_.begin(); name != end; name = missing_.erase(name)) {
    found_.try_emplace(name->second);
  }
}

}  // namespace certherd::dns::route53
