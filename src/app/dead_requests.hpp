#pragma once

#include "store/store.hpp"

namespace certherd::app {

/// Withdraws what was asked for by commands whose process has ended: nobody waits for it. Errors:
/// the store's.
Task<Status> drop_requests_of_the_dead(store::Store* store);

}  // namespace certherd::app
