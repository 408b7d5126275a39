#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "model/identifiers.hpp"

namespace certherd::dns::route53 {

/// A value as the text of a ResourceRecord: one or more quoted strings of at most 255 octets each,
/// with `\"`, `\\` and `\ooo` for what is not printable ASCII.
std::string quote(const TxtValue& value);

/// The value that such a text stands for; its strings are joined, as a resolver's client does.
/// Nothing when it is no such text.
std::optional<TxtValue> unquote(std::string_view text);

}  // namespace certherd::dns::route53
