#include "store/codec.hpp"

namespace certherd::store::codec {

bool Codec<Fqdn>::decode(const boost::json::value& json, Fqdn& value, Fault& fault) {
  const auto* text = json.if_string();
  if (text == nullptr) return fault.at("value", "is no text");
  return decode(std::string_view(*text), value, fault);
}

bool Codec<Fqdn>::decode(std::string_view text, Fqdn& value, Fault& fault) {
  if (text.empty()) {
    value = Fqdn();
    return true;
  }
  auto parsed = Fqdn::parse(text);
  if (!parsed) return fault.at("value", parsed.error().detail);
  // Names are compared as texts, so one that is not in its stored form would be nobody's.
  if (parsed->text() != text) return fault.at("value", "is not in its stored form");
  value = std::move(*parsed);
  return true;
}

bool Codec<Endpoint>::decode(const boost::json::value& json, Endpoint& value, Fault& fault) {
  std::string text;
  if (!Codec<std::string>::decode(json, text, fault)) return false;
  auto parsed = Endpoint::parse(text);
  if (!parsed) return fault.at("value", parsed.error().detail);
  value = std::move(*parsed);
  return true;
}

Result<boost::json::value> parse(std::string_view text, Document& document) {
  boost::json::parse_options options;
  // Texts of outside servers are kept as they came, and an error holds errors of its parts: what
  // could be written must be readable again.
  options.allow_invalid_utf8 = true;
  options.max_depth = 512;
  boost::system::error_code code;
  auto json = boost::json::parse(text, code, document.storage(), options);
  if (code) {
    return fail(Error::Kind::rejected, "", fmt::format("is no JSON: {}", code.message()));
  }
  return json;
}

}  // namespace certherd::store::codec
