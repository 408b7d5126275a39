#include "acme/directory.hpp"

#include "acme/object_reader.hpp"

namespace certherd::acme {
namespace {

constexpr std::size_t most_caa_identities = 100;
constexpr std::size_t most_profiles = 100;

}  // namespace

Result<Directory> parse_directory(const boost::json::object& object) {
  ObjectReader reader(object, "directory");
  Directory directory;
  directory.new_nonce = reader.url("newNonce");
  directory.new_account = reader.url("newAccount");
  directory.new_order = reader.url("newOrder");
  directory.revoke_cert = reader.optional_url("revokeCert");
  directory.key_change = reader.optional_url("keyChange");
  directory.renewal_info = reader.optional_url("renewalInfo");
  const auto* meta = reader.optional_object("meta");
  if (auto status = reader.status(); !status) return fail(std::move(status.error()));
  if (meta == nullptr) return directory;

  ObjectReader about(*meta, "directory meta");
  // Only shown to people, so they may be on any scheme.
  directory.terms_of_service = about.optional_text("termsOfService");
  directory.website = about.optional_text("website");
  directory.caa_identities = about.texts("caaIdentities", most_caa_identities);
  directory.external_account_required = about.flag("externalAccountRequired");
  if (const auto* profiles = about.optional_object("profiles")) {
    if (profiles->size() > most_profiles) about.fault("has too many profiles");
    for (const auto& [name, description] : *profiles) {
      directory.profiles.emplace(name, as_text(description).value_or(""));
    }
  }
  if (auto status = about.status(); !status) return fail(std::move(status.error()));
  return directory;
}

}  // namespace certherd::acme
