#pragma once

#include <string>
#include <vector>

#include "dns/message.hpp"
#include "model/fqdn.hpp"
#include "model/identifiers.hpp"

namespace certherd::dns {

/// Why a reply does not show all values at `record`, in words; empty when it does. `authority`
/// asks for the AA bit: without it a server only repeats what it once heard, or is lame.
std::string what_is_missing(const Message& reply, const Fqdn& record,
                            const std::vector<TxtValue>& values, bool authority);

}  // namespace certherd::dns
