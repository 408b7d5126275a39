#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "model/fqdn.hpp"

namespace certherd::dns::route53 {

/// A name as Route 53 spells it: a trailing dot, and `\ooo` (octal) for what is no letter, digit,
/// hyphen, underscore or dot, such as `\052` for `*` (Route 53 developer guide, "DNS domain name
/// format").
std::string spell(const Fqdn& name);

/// The name that Route 53 spells so. Nothing for one that no Fqdn can be, such as the zones of
/// RFC 2317 with a slash in them.
std::optional<Fqdn> read_name(std::string_view spelled);

/// By what Route 53 sorts names in its lists: the labels in reverse, each followed by a dot, as
/// text. All names of a zone stand together, the apex first.
std::string order_key(const Fqdn& name);

/// An id without the "/hostedzone/" or "/change/" that replies put before it.
std::string bare_id(std::string_view id);

}  // namespace certherd::dns::route53
