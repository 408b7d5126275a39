#include "acme/authorization.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>

#include "acme/object_reader.hpp"
#include "acme/problem.hpp"
#include "acme/token.hpp"

namespace certherd::acme {
namespace {

namespace json = boost::json;

constexpr std::size_t most_challenges = 100;

constexpr std::array<std::pair<std::string_view, AuthorizationStatus>, 6> statuses = {{
    {"pending", AuthorizationStatus::pending},
    {"valid", AuthorizationStatus::valid},
    {"invalid", AuthorizationStatus::invalid},
    {"deactivated", AuthorizationStatus::deactivated},
    {"expired", AuthorizationStatus::expired},
    {"revoked", AuthorizationStatus::revoked},
}};

AuthorizationStatus read_status(ObjectReader& reader) {
  const auto text = reader.text("status");
  for (const auto& [name, status] : statuses) {
    if (name == text) return status;
  }
  reader.fault(fmt::format("has the unknown status \"{}\"", text));
  return AuthorizationStatus::pending;
}

Fqdn read_identifier(ObjectReader& reader) {
  const auto* object = reader.optional_object("identifier");
  if (object == nullptr) {
    reader.fault("has no \"identifier\"");
    return {};
  }
  ObjectReader identifier(*object, "identifier");
  const auto type = identifier.text("type");
  const auto value = identifier.text("value");
  if (auto status = identifier.status(); !status) reader.fault(status.error().detail);
  if (type != "dns") reader.fault(fmt::format("is for a \"{}\", not for a DNS name", type));
  auto name = Fqdn::parse(value);
  if (name) return std::move(*name);
  reader.fault(fmt::format("has a bad identifier: {}", name.error().detail));
  return {};
}

}  // namespace

const Challenge* Authorization::dns_01() const {
  const auto found = std::ranges::find(challenges, "dns-01", &Challenge::type);
  return found == challenges.end() ? nullptr : &*found;
}

Result<Challenge> parse_challenge(const json::object& object) {
  ObjectReader reader(object, "challenge");
  Challenge challenge;
  challenge.type = reader.text("type");
  if (challenge.type == "dns-01") {
    challenge.url = ChallengeUrl(reader.url("url"));
    challenge.token = reader.text("token");
    // It is hashed into a TXT value, and RFC 8555 section 8.4 allows no other character.
    if (!is_token(challenge.token)) reader.fault("has a \"token\" that is not base64url");
  } else {
    challenge.url = ChallengeUrl(reader.optional_url("url"));
  }
  challenge.status = reader.text("status");
  if (const auto* error = reader.optional_object("error")) {
    challenge.error = validation_error("challenge " + challenge.type, *error);
  }
  if (auto status = reader.status(); !status) return fail(std::move(status.error()));
  return challenge;
}

Result<Authorization> parse_authorization(const json::object& object, AuthorizationUrl url) {
  ObjectReader reader(object, "authorization");
  Authorization authorization;
  authorization.url = std::move(url);
  authorization.status = read_status(reader);
  const Fqdn name = read_identifier(reader);
  // RFC 8555 section 7.1.4 keeps the `*.` out of the identifier; a server that leaves it in
  // means the same.
  authorization.identifier = name.without_wildcard();
  authorization.wildcard = reader.flag("wildcard") || name.is_wildcard();
  for (const auto& element : reader.array("challenges", most_challenges)) {
    if (!element.is_object()) {
      reader.fault("has a challenge that is no object");
      break;
    }
    auto challenge = parse_challenge(element.get_object());
    if (!challenge) return fail(std::move(challenge.error()));
    authorization.challenges.push_back(std::move(*challenge));
  }
  if (auto status = reader.status(); !status) return fail(std::move(status.error()));
  return authorization;
}

}  // namespace certherd::acme
