#pragma once

#include <optional>
#include <string>

#include "base/result.hpp"
#include "model/alarm.hpp"
#include "model/domain.hpp"
#include "model/event.hpp"
#include "model/issuance.hpp"
#include "model/request.hpp"
#include "store/store.hpp"

/// What follows from what is written, whatever a store keeps its rows in. Pure.
namespace certherd::store {

/// What a change of a domain's columns in the inventory means to its issuance and its pause.
struct Consequence {
  bool order_is_void = false;  ///< its issuance ends, unless the CA has been asked to finalize it
  bool pause_ends = false;     ///< what failed before may succeed now
};
Consequence consequence_of(const Domain& before, const Domain& after);

/// Why an issuance ends with a change of the inventory.
Error domain_was_removed();
Error order_was_changed();

/// The last step in which an issuance still ends with a change of what it orders.
constexpr Step last_before_finalize = Step::validate;

/// Ends an active issuance because `why`, and gives the event that tells so.
Event abandon(Issuance& issuance, const Error& why, Time now);

/// Tells that the alarm began, or that it is over.
Event event_of(const Alarm& alarm);
/// Tells that `count` notifications will not be sent.
Event given_up(const std::string& notifier, std::size_t count, const std::string& error, Time now);

/// Why notifications of a notifier that is not configured are given up.
constexpr auto no_such_notifier = "there is no such notifier in the config any more";

/// Whether the lease is another owner's, see Store::acquire_lease().
bool is_held(const std::optional<Lease>& present, const std::string& owner, Time now,
             bool (*holder_is_dead)(const std::string& owner));

/// Puts what `reseal` makes of `text` in its place; nothing to do where there is none. Gives
/// whether it is another text now. Errors: those of `reseal`.
Result<bool> reseal_text(const Reseal& reseal, SealedText::Of of, const std::string& owner,
                         std::string& text);

}  // namespace certherd::store
