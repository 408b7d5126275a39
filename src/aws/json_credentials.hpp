#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "aws/credentials.hpp"

namespace certherd::aws {

/// The credentials in a JSON object with AccessKeyId, SecretAccessKey, Expiration and the token
/// under `token_name`, as processes and metadata services give them. Nothing when it is not that.
std::optional<Credentials> read_json_credentials(const std::string& text,
                                                 std::string_view token_name);

/// A member of a JSON object: a string as it is, a number in digits; empty when there is none.
std::string json_member(const std::string& text, std::string_view name);

}  // namespace certherd::aws
