#include "store/rules.hpp"

#include <fmt/format.h>

#include <tuple>

namespace certherd::store {

Consequence consequence_of(const Domain& before, const Domain& after) {
  const auto order_of = [](const Domain& domain) {
    return std::tie(domain.names, domain.cas, domain.key, domain.profile);
  };
  const auto rest_of = [](const Domain& domain) {
    return std::tie(domain.zone_id, domain.dns, domain.vault, domain.targets, domain.endpoints);
  };
  if (order_of(before) != order_of(after)) return {.order_is_void = true, .pause_ends = true};
  return {.pause_ends = rest_of(before) != rest_of(after)};
}

Error domain_was_removed() {
  return fail(Error::Kind::conflict, "inventory", "the domain was removed from it").value();
}

Error order_was_changed() {
  return fail(Error::Kind::conflict, "inventory",
              "the domain's names, CA, key or profile were changed in it: begun anew")
      .value();
}

Event abandon(Issuance& issuance, const Error& why, Time now) {
  Event ended{.at = now,
              .domain = issuance.domain,
              .event = "issuance.failed",
              .detail = {{"step", std::string(to_string(issuance.step))},
                         {"kind", std::string(to_string(why.kind))},
                         {"error", why.message()}}};
  issuance.step = Step::failed;
  issuance.sealed_key.clear();  // an abandoned order is never finalized, its key never used
  issuance.last_error = why;
  return ended;
}

Event event_of(const Alarm& alarm) {
  Event event;
  event.at = alarm.cleared_at.value_or(alarm.since);
  event.domain = alarm.key.domain;
  event.event = alarm.cleared_at ? "alarm.cleared" : "alarm.raised";
  event.detail["alarm"] = to_string(alarm.key.kind);
  event.detail["detail"] = alarm.cleared_at ? alarm.ending : alarm.detail;
  if (!alarm.key.ca.empty()) event.detail["ca"] = alarm.key.ca.text();
  if (alarm.cleared_at) event.detail["since"] = format_time(alarm.since);
  return event;
}

Event given_up(const std::string& notifier, std::size_t count, const std::string& error, Time now) {
  return {.at = now,
          .domain = {},
          .event = "notification.given_up",
          .detail = {
              {"notifier", notifier}, {"notifications", fmt::to_string(count)}, {"error", error}}};
}

bool is_held(const std::optional<Lease>& present, const std::string& owner, Time now,
             bool (*holder_is_dead)(const std::string& owner)) {
  return present && present->owner != owner && present->expires_at > now &&
         (holder_is_dead == nullptr || !holder_is_dead(present->owner));
}

Result<bool> reseal_text(const Reseal& reseal, SealedText::Of of, const std::string& owner,
                         std::string& text) {
  if (text.empty()) return false;
  auto sealed = reseal({.of = of, .owner = owner, .text = text});
  if (!sealed) return fail(std::move(sealed.error()));
  const bool changed = *sealed != text;
  text = std::move(*sealed);
  return changed;
}

}  // namespace certherd::store
