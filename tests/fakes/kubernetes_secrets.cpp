#include "fakes/kubernetes_secrets.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace certherd::fakes::kubernetes {
namespace {

Refusal changed_since(const std::string& name) {
  return {.code = 409,
          .reason = "Conflict",
          .message = fmt::format("Operation cannot be fulfilled on secrets \"{}\": the object has "
                                 "been modified; please apply your changes to the latest version "
                                 "and try again",
                                 name),
          .kind = "secrets",
          .name = name,
          .causes = {}};
}

Refusal invalid(const std::string& name, const std::string& field, const std::string& why) {
  return {.code = 422,
          .reason = "Invalid",
          .message = fmt::format("Secret \"{}\" is invalid: {}: {}", name, field, why),
          .kind = "Secret",
          .name = name,
          .causes = {{.reason = "FieldValueInvalid", .message = why, .field = field}}};
}

}  // namespace

std::string Secret::field(const std::string& path) const {
  const auto found = fields.find(path);
  return found == fields.end() ? std::string() : found->second;
}

Refusal not_found(const std::string& kind, const std::string& name) {
  return {.code = 404,
          .reason = "NotFound",
          .message = fmt::format("{} \"{}\" not found", kind, name),
          .kind = kind,
          .name = name,
          .causes = {}};
}

const Secret* Secrets::find(const Key& key) const {
  const auto found = secrets_.find(key);
  return found == secrets_.end() ? nullptr : &found->second;
}

Outcome<const Secret*> Secrets::apply(const Key& key, const Fields& fields,
                                      const std::string& resource_version,
                                      const std::string& manager) {
  const auto* const there = find(key);
  const Secret before = there == nullptr ? Secret{.namespace_ = key.first,
                                                  .name = key.second,
                                                  .uid = {},
                                                  .resource_version = {},
                                                  .fields = {},
                                                  .owners = {}}
                                         : *there;
  // One that is not there is made, whatever version was meant (apiserver, registry/store.go).
  if (there != nullptr && !resource_version.empty() &&
      resource_version != before.resource_version) {
    return tl::unexpected(changed_since(key.second));
  }
  Secret after = before;
  std::vector<Refusal::Cause> conflicts;
  for (const auto& [path, value] : fields) {
    auto& owners = after.owners[path];
    const bool same = before.fields.contains(path) && before.fields.at(path) == value;
    for (const auto& other : owners) {
      if (same || other == manager) continue;
      conflicts.push_back({.reason = "FieldManagerConflict",
                           .message = fmt::format("conflict with \"{}\" using v1", other),
                           .field = path});
    }
    if (!same) owners.clear();
    owners.insert(manager);
    after.fields[path] = value;
  }
  if (!conflicts.empty()) {
    std::vector<std::string> words;
    for (const auto& cause : conflicts) words.push_back(cause.message + ": " + cause.field);
    const auto count = conflicts.size();
    return tl::unexpected(
        Refusal{.code = 409,
                .reason = "Conflict",
                .message = fmt::format("Apply failed with {} conflict{}: {}", count,
                                       count == 1 ? "" : "s", fmt::join(words, "; ")),
                .kind = {},
                .name = {},
                .causes = std::move(conflicts)});
  }
  for (auto owned = after.owners.begin(); owned != after.owners.end();) {
    if (!fields.contains(owned->first)) owned->second.erase(manager);
    if (owned->second.empty()) {
      after.fields.erase(owned->first);
      owned = after.owners.erase(owned);
    } else {
      ++owned;
    }
  }
  if (auto good = check(before, after); !good) return tl::unexpected(good.error());
  if (after.fields != before.fields || after.owners != before.owners) keep(key, std::move(after));
  return find(key);
}

const Secret& Secrets::update(const Key& key, const Fields& fields, const std::string& manager) {
  const auto* const there = find(key);
  Secret after = there == nullptr ? Secret{.namespace_ = key.first,
                                           .name = key.second,
                                           .uid = {},
                                           .resource_version = {},
                                           .fields = {},
                                           .owners = {}}
                                  : *there;
  for (const auto& [path, value] : fields) {
    const bool same = after.fields.contains(path) && after.fields.at(path) == value;
    if (!same) after.owners[path] = {manager};
    after.fields[path] = value;
  }
  keep(key, std::move(after));
  return secrets_.at(key);
}

Outcome<void> Secrets::remove(const Key& key, const std::string& uid,
                              const std::string& resource_version) {
  const auto* const there = find(key);
  if (there == nullptr) return tl::unexpected(not_found("secrets", key.second));
  if ((!uid.empty() && uid != there->uid) ||
      (!resource_version.empty() && resource_version != there->resource_version)) {
    auto refusal = changed_since(key.second);
    refusal.message = fmt::format(
        "Operation cannot be fulfilled on secrets \"{}\": Precondition "
        "failed: ResourceVersion in precondition: {}, ResourceVersion in "
        "object meta: {}",
        key.second, resource_version, there->resource_version);
    return tl::unexpected(std::move(refusal));
  }
  secrets_.erase(key);
  return {};
}

/// The rules of the type, and what can never be changed.
Outcome<void> Secrets::check(const Secret& before, const Secret& after) const {
  const auto& name = after.name;
  const bool is_there = !before.uid.empty();
  if (is_there && after.field(".type") != before.field(".type")) {
    return tl::unexpected(
        invalid(name, "type",
                fmt::format("Invalid value: \"{}\": field is immutable", after.field(".type"))));
  }
  if (before.field(".immutable") == "true") {
    for (const std::string path : {".data.tls.crt", ".data.tls.key"}) {
      if (before.field(path) != after.field(path)) {
        return tl::unexpected(
            invalid(name, "data", "Forbidden: field is immutable when `immutable` is set"));
      }
    }
  }
  for (const std::string path : {".data.tls.crt", ".data.tls.key"}) {
    if (after.field(".type") == "kubernetes.io/tls" && !after.fields.contains(path)) {
      return tl::unexpected(invalid(name, path.substr(1), "Required value"));
    }
  }
  return {};
}

void Secrets::keep(const Key& key, Secret secret) {
  if (secret.uid.empty()) {
    secret.uid = fmt::format("6d7a3c1e-5f0b-4c58-9a42-{:012}", ++uids_);
  }
  secret.resource_version = std::to_string(++resource_version_);
  secrets_[key] = std::move(secret);
}

}  // namespace certherd::fakes::kubernetes
