#include "vault/secrets_manager/secrets_manager.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <utility>
#include <vector>

#include "runtime/together.hpp"
#include "vault/secrets_manager/account_secret.hpp"
#include "vault/secrets_manager/api.hpp"
#include "vault/secrets_manager/names.hpp"
#include "vault/secrets_manager/secret_set.hpp"
#include "vault/secrets_manager/tags.hpp"

namespace certherd::vault::secrets_manager {
namespace {

namespace json = boost::json;
using Layout = SecretsManagerOptions::Layout;

constexpr std::size_t largest_value = 65'536;  // bytes; AWS API reference, CreateSecret

// A version may be cleared away, or a switch go on, between two reads.
constexpr int read_attempts = 3;

// No domain has this name: there is no dot in it.
constexpr const char* absent_secret = "_check";

constexpr std::array separate_parts = {Part::private_key, Part::csr, Part::fullchain};

Secret<std::string> bundle_of(const Fqdn& domain, const Material& material,
                              const std::string& serial) {
  json::object object = {{"domain", domain.text()},
                         {"serial", serial},
                         {"private_key", material.private_key.reveal()},
                         {"csr", material.csr},
                         {"fullchain", material.fullchain}};
  Secret<std::string> text(json::serialize(object));
  std::ranges::fill(object["private_key"].get_string(), '\0');
  return text;
}

Result<Material> material_in(const Secret<std::string>& bundle, const std::string& op) {
  boost::system::error_code code;
  auto value = json::parse(bundle.reveal(), code);
  auto* const object = code ? nullptr : value.if_object();
  const auto text = [object](std::string_view name) -> json::string* {
    auto* const member = object == nullptr ? nullptr : object->if_contains(name);
    return member == nullptr ? nullptr : member->if_string();
  };
  auto* const key = text("private_key");
  const auto* const csr = text("csr");
  const auto* const fullchain = text("fullchain");
  if (key == nullptr || csr == nullptr || fullchain == nullptr) {
    return fail(Error::Kind::rejected, op,
                "the stored version is damaged: it is no JSON object with private_key, csr and "
                "fullchain");
  }
  Material material{.csr = std::string(*csr),
                    .private_key = Secret<std::string>(std::string(*key)),
                    .fullchain = std::string(*fullchain)};
  std::ranges::fill(*key, '\0');
  return material;
}

/// One key of a secret that is a JSON object, as task definitions of Amazon ECS spell it.
std::string json_key(const std::string& arn, Part part) {
  return fmt::format("{}:{}::", arn, to_string(part));
}

class SecretsManager final : public SecretsManagerVault {
 public:
  SecretsManager(aws::Session& session, SecretsManagerOptions options, runtime::Budget& budget)
      : options_(std::move(options)),
        api_(session, budget),
        secrets_(api_, options_.kms_key_id),
        account_(api_, options_.prefix, options_.kms_key_id) {}

  Task<Result<std::optional<AccountDocument>>> load_account(CaName ca) override {
    return account_.load_account(std::move(ca));
  }
  Task<Result<std::string>> save_account(CaName ca, AccountDocument document) override {
    return account_.save_account(std::move(ca), std::move(document));
  }

  Task<Result<VaultReferences>> store(Fqdn domain, Material material, Version version) override {
    const auto op = "vault: store " + domain.text();
    auto id = version_id(version.key);
    if (!id) co_return fail(std::move(id.error()).during(op));
    auto entries = entries_of(domain, std::move(material), version.key);
    for (const auto& entry : entries) {
      if (entry.value.reveal().size() <= largest_value) continue;
      // Not `rejected`: another certificate of the same names would be as long.
      co_return fail(Error::Kind::misconfigured, op,
                     fmt::format("{} would have {} bytes, and a secret holds {} at most: give the "
                                 "domain fewer names, or take the layout \"separate\"",
                                 entry.name, entry.value.reveal().size(), largest_value));
    }
    auto arns =
        co_await secrets_.store(std::move(entries), std::move(*id), tags_for(domain, version));
    if (!arns) co_return fail(std::move(arns.error()).during(op));
    co_return references(*arns);
  }

  Task<Result<Material>> load(Fqdn domain) override {
    auto material = options_.layout == Layout::bundle ? co_await load_bundle(domain)
                                                      : co_await load_separate(domain);
    if (!material)
      co_return fail(std::move(material.error()).during("vault: load " + domain.text()));
    co_return material;
  }

  Task<Result<std::optional<vault::Description>>> describe(Fqdn domain) override {
    const auto op = "vault: describe " + domain.text();
    auto found = co_await secrets_.look(names_of(domain));
    if (!found) co_return fail(std::move(found.error()).during(op));
    // The last one is switched last: what it holds is whole.
    const auto& last = found->back();
    const auto current = last && !last->deleted ? last->holder(current_stage) : std::string();
    if (current.empty()) co_return std::optional<vault::Description>();
    const auto key = key_of(current);
    if (!key) {
      co_return fail(Error::Kind::rejected, op,
                     fmt::format("the current version {} was not written by certherd", current));
    }
    std::vector<std::string> arns;
    for (const auto& secret : *found) {
      if (!secret || secret->deleted) {
        co_return fail(Error::Kind::rejected, op,
                       fmt::format("the stored version is damaged: one of {} is gone",
                                   fmt::join(names_of(domain), ", ")));
      }
      arns.push_back(secret->arn);
    }
    co_return vault::Description{*key, references(arns)};
  }

  Task<Status> check() override {
    auto found = co_await api_.describe(options_.prefix + absent_secret);
    if (!found) co_return fail(std::move(found.error().error).during("vault: check"));
    co_return Status();
  }

 private:
  std::vector<std::string> names_of(const Fqdn& domain) const {
    if (options_.layout == Layout::bundle) {
      return {secret_name(options_.prefix, domain, Part::bundle)};
    }
    std::vector<std::string> names;
    names.reserve(separate_parts.size());
    for (const auto part : separate_parts) {
      names.push_back(secret_name(options_.prefix, domain, part));
    }
    return names;
  }

  std::vector<SecretSet::Entry> entries_of(const Fqdn& domain, Material material,
                                           const std::string& serial) const {
    auto names = names_of(domain);
    std::vector<Secret<std::string>> values;
    if (options_.layout == Layout::bundle) {
      values.push_back(bundle_of(domain, material, serial));
    } else {
      values.push_back(std::move(material.private_key));
      values.emplace_back(std::move(material.csr));
      values.emplace_back(std::move(material.fullchain));
    }
    std::vector<SecretSet::Entry> entries;
    entries.reserve(names.size());
    for (std::size_t i = 0; i < names.size(); ++i) {
      entries.push_back({std::move(names[i]), std::move(values[i])});
    }
    return entries;
  }

  VaultReferences references(const std::vector<std::string>& arns) const {
    if (options_.layout == Layout::bundle) {
      const auto& arn = arns.front();
      return {.csr = json_key(arn, Part::csr),
              .private_key = json_key(arn, Part::private_key),
              .fullchain = json_key(arn, Part::fullchain)};
    }
    return {.csr = arns.at(1), .private_key = arns.at(0), .fullchain = arns.at(2)};
  }

  Task<Result<Value>> current(std::string name) {
    Api::Which which{.name = std::move(name), .version_id = {}, .stage = current_stage};
    auto value = co_await api_.value(std::move(which));
    if (value) co_return std::move(*value);
    auto error = std::move(value.error().error);
    if (error.kind == Error::Kind::not_found) error.detail = "nothing is stored for it";
    co_return fail(std::move(error));
  }

  Task<Result<Material>> load_bundle(Fqdn domain) {
    auto value = co_await current(secret_name(options_.prefix, domain, Part::bundle));
    if (!value) co_return fail(std::move(value.error()));
    co_return material_in(value->text, "read " + domain.text());
  }

  Task<Result<Material>> load_separate(Fqdn domain) {
    Error damage;
    for (int attempt = 0; attempt < read_attempts; ++attempt) {
      auto chain = co_await current(secret_name(options_.prefix, domain, Part::fullchain));
      if (!chain) co_return fail(std::move(chain.error()));
      Answer<Value> key;
      Answer<Value> csr;
      std::vector<Task<void>> tasks;
      tasks.push_back(
          read(secret_name(options_.prefix, domain, Part::private_key), chain->version_id, &key));
      tasks.push_back(
          read(secret_name(options_.prefix, domain, Part::csr), chain->version_id, &csr));
      co_await runtime::together(std::move(tasks));
      if (key && csr) {
        co_return Material{.csr = csr->text.reveal(),
                           .private_key = std::move(key->text),
                           .fullchain = chain->text.reveal()};
      }
      damage = std::move((key ? csr : key).error().error);
      if (damage.kind != Error::Kind::not_found) co_return fail(std::move(damage));
    }
    co_return fail(Error::Kind::rejected, "read " + domain.text(),
                   "the stored version is damaged: " + damage.message());
  }

  Task<void> read(std::string name, std::string version_id, Answer<Value>* answer) {
    Api::Which which{.name = std::move(name), .version_id = std::move(version_id), .stage = {}};
    *answer = co_await api_.value(std::move(which));
  }

  SecretsManagerOptions options_;
  Api api_;
  SecretSet secrets_;
  AccountSecret account_;
};

}  // namespace
}  // namespace certherd::vault::secrets_manager

namespace certherd::vault {

std::unique_ptr<SecretsManagerVault> make_secrets_manager(aws::Session& session,
                                                          SecretsManagerOptions options,
                                                          runtime::Budget& budget) {
  return std::make_unique<secrets_manager::SecretsManager>(session, std::move(options), budget);
}

}  // namespace certherd::vault
