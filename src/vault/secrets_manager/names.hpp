#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "model/fqdn.hpp"

namespace certherd::vault::secrets_manager {

/// What a secret of a domain holds. In the layout "separate" the first three are one secret each,
/// and become current in this order: whoever reads the chain finds its key and CSR there already.
enum class Part { private_key, csr, fullchain, bundle };

std::string_view to_string(Part part);

/// `<prefix><domain>/<part>`; a leading `*.`, which Secrets Manager does not allow in a name, is
/// written `_wildcard.`. Some names end in a hyphen and six characters, which the API reference
/// warns of because a name could be taken for an ARN; we name secrets by their whole name only.
std::string secret_name(std::string_view prefix, const Fqdn& domain, Part part);

/// Whether a secret may be called so (AWS API reference, CreateSecret). Errors: misconfigured.
Status check_name(std::string_view name);

/// Whether a prefix is fit for a name, and leaves room in it for every domain. Errors:
/// misconfigured.
Status check_prefix(std::string_view prefix);

/// The id of a version (ClientRequestToken, 32 to 64 characters) for its key, a serial: the key, a
/// hyphen, and zeros up to 32 characters. So the three secrets of a domain share it, a repeated
/// write is harmless, and people find the serial in it. Errors: misconfigured for a key that is not
/// 1 to 40 lower-case hexadecimal digits (RFC 5280 section 4.1.2.2: at most 20 octets).
Result<std::string> version_id(std::string_view key);

/// The key in such an id; nothing when it has not been made by version_id().
std::optional<std::string> key_of(std::string_view version_id);

}  // namespace certherd::vault::secrets_manager
