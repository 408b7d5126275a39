#include "policy/key_choice.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace certherd::policy {
namespace {

bool takes(const KeyTaker& taker, KeyType type) { return std::ranges::count(taker.keys, type) > 0; }

std::string list_of(const std::vector<KeyType>& types) {
  std::string list;
  for (const auto type : types) {
    list += fmt::format("{}{}", list.empty() ? "" : ", ", to_string(type));
  }
  return list;
}

}  // namespace

Result<KeyType> choose_key(std::optional<KeyType> wanted, const std::vector<KeyTaker>& takers) {
  if (wanted) {
    for (const auto& taker : takers) {
      if (takes(taker, *wanted)) continue;
      return fail(Error::Kind::misconfigured, "choose key",
                  fmt::format("{} takes no {} key, only {}: set `key` to one of these, or to auto",
                              taker.name, to_string(*wanted), list_of(taker.keys)));
    }
    return *wanted;
  }
  for (const auto type : certificate_key_types) {
    const auto taken = [type](const KeyTaker& taker) { return takes(taker, type); };
    if (std::ranges::all_of(takers, taken)) return type;
  }
  std::string clash;
  for (const auto& taker : takers) {
    clash +=
        fmt::format("{}{} takes {}", clash.empty() ? "" : ", ", taker.name, list_of(taker.keys));
  }
  return fail(
      Error::Kind::misconfigured, "choose key",
      fmt::format("no type of key suits all targets: {}. Split the domain between them", clash));
}

}  // namespace certherd::policy
