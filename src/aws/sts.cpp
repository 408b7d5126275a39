#include "aws/sts.hpp"

#include <algorithm>
#include <pugixml.hpp>
#include <string_view>

#include "aws/sigv4.hpp"
#include "base/time.hpp"

namespace certherd::aws {
namespace {

tl::unexpected<Error> unreadable() {
  return fail(Error::Kind::transient, "read the answer of STS",
              "it is incomplete, or not of AWS: if this goes on, check the endpoint of STS");
}

/// The element at the end of that path from the root on; null when the answer is cut off.
pugi::xml_node element(const pugi::xml_document& document, std::string_view path) {
  return document.first_element_by_path(std::string(path).c_str());
}

bool load(pugi::xml_document* document, const std::string& body) {
  return static_cast<bool>(document->load_buffer(body.data(), body.size()));
}

}  // namespace

Call sts_call(std::string operation, std::vector<std::pair<std::string, std::string>> parameters) {
  Call call;
  call.body = "Action=" + uri_encode(operation) + "&Version=2011-06-15";
  for (const auto& [name, value] : parameters) {
    call.body += "&" + uri_encode(name) + "=" + uri_encode(value);
  }
  call.headers = {{"Content-Type", "application/x-www-form-urlencoded; charset=utf-8"}};
  call.operation = std::move(operation);
  return call;
}

Task<Result<Credentials>> fetch_sts_credentials(Ground ground, Credentials by, Call call) {
  Session session(*ground.loop, *ground.offload, *ground.random, *ground.http, *ground.settings,
                  std::move(by));
  session.set_skew(*ground.skew);
  Client sts(session, {Service::sts});
  auto reply = co_await sts.send(std::move(call));
  *ground.skew = session.skew();
  if (!reply) co_return fail(std::move(reply.error().error));
  const Secret<std::string> body(std::move(reply->body));
  co_return read_sts_credentials(body.reveal());
}

Result<Credentials> read_sts_credentials(const std::string& body) {
  pugi::xml_document document;
  if (!load(&document, body)) return unreadable();
  auto given = element(document, "AssumeRoleResponse/AssumeRoleResult/Credentials");
  if (!given) {
    given = element(
        document, "AssumeRoleWithWebIdentityResponse/AssumeRoleWithWebIdentityResult/Credentials");
  }
  Credentials credentials;
  credentials.access_key_id = given.child_value("AccessKeyId");
  credentials.secret_access_key = Secret<std::string>(given.child_value("SecretAccessKey"));
  credentials.session_token = Secret<std::string>(given.child_value("SessionToken"));
  credentials.expires_at = parse_time(given.child_value("Expiration"));
  const bool whole = !credentials.access_key_id.empty() && !credentials.secret_access_key.empty() &&
                     !credentials.session_token->empty() && credentials.expires_at;
  if (!whole) return unreadable();
  return credentials;
}

Result<std::string> read_sts_account(const std::string& body) {
  pugi::xml_document document;
  if (!load(&document, body)) return unreadable();
  std::string account =
      element(document, "GetCallerIdentityResponse/GetCallerIdentityResult/Account").child_value();
  const bool is_number =
      !account.empty() && std::ranges::all_of(account, [](char c) { return c >= '0' && c <= '9'; });
  if (!is_number) return unreadable();
  return account;
}

}  // namespace certherd::aws
