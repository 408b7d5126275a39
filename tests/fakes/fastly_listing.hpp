#pragma once

#include "fakes/fastly_account.hpp"
#include "fakes/fastly_request.hpp"
#include "http/client.hpp"

namespace certherd::fakes::fastly {

/// Answers a read: one object, or a page of those that the filters let through.
http::Response read(const Account& account, const Asked& asked);

}  // namespace certherd::fakes::fastly
