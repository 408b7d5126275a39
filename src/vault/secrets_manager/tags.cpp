#include "vault/secrets_manager/tags.hpp"

#include "base/versioned_folder.hpp"

namespace certherd::vault::secrets_manager {
namespace {

constexpr std::size_t longest_value = 256;  // AWS API reference, Tag
constexpr std::string_view allowed_punctuation = " _.:/=+-@";
constexpr const char* not_after_key = "not_after";
constexpr const char* owner_key = "owner";

bool is_allowed(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
         allowed_punctuation.find(c) != std::string_view::npos;
}

/// Of UTF-8: not the first octet of a character.
bool continues(char c) { return (static_cast<unsigned char>(c) & 0xc0U) == 0x80U; }

}  // namespace

bool is_ours(const Tags& tags) {
  const auto tag = tags.find(std::string(managed_by_key));
  return tag != tags.end() && tag->second == managed_by_value;
}

Tags tags_for(const Fqdn& domain, const Version& version) {
  Tags tags = {{std::string(managed_by_key), std::string(managed_by_value)},
               {"domain", tag_value(folder_name(domain.text()))},
               {"serial", tag_value(version.key)}};
  if (version.not_after) tags.emplace(not_after_key, tag_value(format_time(*version.not_after)));
  if (!version.owner.empty()) tags.emplace(owner_key, tag_value(version.owner));
  return tags;
}

Tags tags_to_write(const Tags& present, const Tags& wanted) {
  Tags changes;
  for (const auto& [key, value] : wanted) {
    const auto found = present.find(key);
    if (found == present.end() || found->second != value) changes.emplace(key, value);
  }
  for (const auto* const key : {not_after_key, owner_key}) {
    const auto found = present.find(key);
    const bool stale = found != present.end() && !found->second.empty() && !wanted.contains(key);
    if (stale) changes.emplace(key, "");
  }
  return changes;
}

std::string tag_value(std::string_view text) {
  std::string value;
  for (const char c : text) {
    if (value.size() == longest_value) break;
    if (!continues(c)) value.push_back(is_allowed(c) ? c : '_');
  }
  return value;
}

}  // namespace certherd::vault::secrets_manager
