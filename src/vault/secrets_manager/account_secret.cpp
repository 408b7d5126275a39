#include "vault/secrets_manager/account_secret.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <utility>

#include "crypto/encoding.hpp"
#include "vault/secrets_manager/names.hpp"
#include "vault/secrets_manager/tags.hpp"

namespace certherd::vault::secrets_manager {
namespace {

namespace json = boost::json;

Secret<std::string> text_of(const AccountDocument& document) {
  json::array contact;
  for (const auto& url : document.contact) contact.emplace_back(url);
  json::object object = {{"directory", document.directory},   {"key", document.key.reveal()},
                         {"thumbprint", document.thumbprint}, {"url", document.url.text()},
                         {"status", document.status},         {"contact", std::move(contact)}};
  Secret<std::string> text(json::serialize(object));
  std::ranges::fill(object["key"].get_string(), '\0');
  return text;
}

std::string member(const json::object& object, std::string_view name) {
  const auto* const value = object.if_contains(name);
  const auto* const text = value == nullptr ? nullptr : value->if_string();
  return text == nullptr ? std::string() : std::string(*text);
}

Result<AccountDocument> document_in(const Value& value) {
  boost::system::error_code code;
  auto parsed = json::parse(value.text.reveal(), code);
  auto* const object = code ? nullptr : parsed.if_object();
  auto* const key = object == nullptr ? nullptr : object->if_contains("key");
  if (key == nullptr || !key->is_string()) {
    return fail(Error::Kind::rejected, "read the account",
                "the stored version is damaged: it is no JSON object with a key");
  }
  AccountDocument document{.directory = member(*object, "directory"),
                           .key = Secret<std::string>(std::string(key->get_string())),
                           .thumbprint = member(*object, "thumbprint"),
                           .url = AccountUrl(member(*object, "url")),
                           .status = member(*object, "status"),
                           .revision = value.version_id};
  std::ranges::fill(key->get_string(), '\0');
  const auto* const contact = object->if_contains("contact");
  if (contact != nullptr && contact->is_array()) {
    for (const auto& url : contact->get_array()) {
      if (url.is_string()) document.contact.emplace_back(url.get_string());
    }
  }
  return document;
}

/// 64 characters that name the document and what it builds on: saying the same again gives the same
/// version, and a document that comes back later gives another one.
std::string token_for(const AccountDocument& document) {
  std::string content = document.revision;
  for (const auto& part :
       {document.directory, document.thumbprint, document.url.text(), document.status}) {
    content += '\n';
    content += part;
  }
  for (const auto& url : document.contact) content += "\n" + url;
  return crypto::hex(crypto::sha256(content));
}

tl::unexpected<Error> superseded(const std::string& name) {
  return fail(Error::Kind::conflict, "save " + name, "another machine has changed it meanwhile");
}

}  // namespace

Result<std::string> AccountSecret::name_of(const CaName& ca) const {
  auto name = fmt::format("{}_account/{}", prefix_, ca);
  auto allowed = check_name(name);
  if (!allowed) return fail(std::move(allowed.error()).during("name the secret of the account"));
  return name;
}

Task<Result<std::optional<AccountDocument>>> AccountSecret::load_account(CaName ca) {
  const auto op = fmt::format("vault: load the account at [ca.{}]", ca);
  auto name = name_of(ca);
  if (!name) co_return fail(std::move(name.error()).during(op));
  Api::Which which{.name = *name, .version_id = {}, .stage = current_stage};
  auto value = co_await api_.value(std::move(which));
  if (!value) {
    auto error = std::move(value.error().error);
    if (error.kind == Error::Kind::not_found) co_return std::optional<AccountDocument>();
    co_return fail(std::move(error).during(op));
  }
  auto document = document_in(*value);
  if (!document) co_return fail(std::move(document.error()).during(op));
  co_return std::move(*document);
}

Task<Result<std::string>> AccountSecret::save_account(CaName ca, AccountDocument document) {
  const auto op = fmt::format("vault: save the account at [ca.{}]", ca);
  auto name = name_of(ca);
  if (!name) co_return fail(std::move(name.error()).during(op));
  const bool is_first = document.revision.empty();
  auto saved = is_first ? co_await create(std::move(*name), std::move(ca), std::move(document))
                        : co_await change(std::move(*name), std::move(document));
  if (!saved) co_return fail(std::move(saved.error()).during(op));
  co_return saved;
}

Task<Result<std::string>> AccountSecret::create(std::string name, CaName ca,
                                                AccountDocument document) {
  const auto token = token_for(document);
  Api::NewSecret secret{.name = name,
                        .value = text_of(document),
                        .version_id = token,
                        .kms_key_id = kms_key_id_,
                        .tags = {{std::string(managed_by_key), std::string(managed_by_value)},
                                 {"ca", tag_value(ca.text())},
                                 {"directory", tag_value(document.directory)}}};
  auto created = co_await api_.create(std::move(secret));
  if (created) co_return token;
  if (created.error().code == "ResourceExistsException") co_return superseded(name);
  co_return fail(std::move(created.error().error).during("create " + name));
}

Task<Result<std::string>> AccountSecret::change(std::string name, AccountDocument document) {
  auto present = co_await api_.describe(name);
  if (!present) co_return fail(std::move(present.error().error));
  if (*present && !is_ours((*present)->tags)) {
    co_return fail(Error::Kind::misconfigured, "claim " + name,
                   fmt::format("it is there and is not tagged {}={}, so it is somebody else's",
                               managed_by_key, managed_by_value));
  }
  const auto token = token_for(document);
  const auto current = *present ? (*present)->holder(current_stage) : std::string();
  if (current == token) co_return token;
  if (current != document.revision) co_return superseded(name);

  Api::NewVersion version{
      .name = name, .value = text_of(document), .version_id = token, .stage = pending_stage};
  auto staged = co_await api_.put(std::move(version));
  if (!staged) co_return fail(std::move(staged.error().error).during("stage " + name));
  Api::Move move{.name = name, .to = token, .from = current};
  auto moved = co_await api_.move_current(std::move(move));
  if (moved) co_return token;
  if (moved.error().code != "InvalidParameterException") {
    co_return fail(std::move(moved.error().error).during("switch " + name));
  }
  // Not there any more: by another machine's doing, or by ours, and the reply was lost.
  present = co_await api_.describe(name);
  if (present && *present && (*present)->holder(current_stage) == token) co_return token;
  co_return superseded(name);
}

}  // namespace certherd::vault::secrets_manager
