#pragma once

#include <map>
#include <string>
#include <string_view>

#include "model/fqdn.hpp"
#include "vault/vault.hpp"

namespace certherd::vault::secrets_manager {

/// Key and value.
using Tags = std::map<std::string, std::string>;

/// By this tag a secret is ours to change.
inline constexpr std::string_view managed_by_key = "managed-by";
inline constexpr std::string_view managed_by_value = "certherd";

bool is_ours(const Tags& tags);

/// What is said of a domain's secrets: domain, serial, managed-by, and not_after and owner where
/// they are known.
Tags tags_for(const Fqdn& domain, const Version& version);

/// What has to be written so that a secret with the tags `present` has those `wanted`. Tags that
/// are not ours stay; one of ours that is wanted no more becomes empty, since taking it away would
/// need a permission of its own.
Tags tags_to_write(const Tags& present, const Tags& wanted);

/// The text as a tag's value may be (AWS General Reference, tag restrictions): of anything but
/// ASCII letters, digits, spaces and _ . : / = + - @ each character becomes one '_'; cut off after
/// 256. Letters of other scripts would be allowed, and not all services that show tags take them.
std::string tag_value(std::string_view text);

}  // namespace certherd::vault::secrets_manager
