#include "store/codec_lists.hpp"

#include "store/codec.hpp"

namespace certherd::store {

std::string encode_names(const std::vector<Fqdn>& names) { return codec::to_text(names); }
Result<std::vector<Fqdn>> decode_names(std::string_view text) {
  return codec::from_text<std::vector<Fqdn>>(text);
}

std::string encode_targets(const std::vector<TargetName>& targets) {
  return codec::to_text(targets);
}
Result<std::vector<TargetName>> decode_targets(std::string_view text) {
  return codec::from_text<std::vector<TargetName>>(text);
}

std::string encode_endpoints(const std::vector<Endpoint>& endpoints) {
  return codec::to_text(endpoints);
}
Result<std::vector<Endpoint>> decode_endpoints(std::string_view text) {
  return codec::from_text<std::vector<Endpoint>>(text);
}

std::string encode_texts(const std::vector<std::string>& texts) { return codec::to_text(texts); }
Result<std::vector<std::string>> decode_texts(std::string_view text) {
  return codec::from_text<std::vector<std::string>>(text);
}

std::string encode_map(const std::map<std::string, std::string>& map) {
  return codec::to_text(map);
}
Result<std::map<std::string, std::string>> decode_map(std::string_view text) {
  return codec::from_text<std::map<std::string, std::string>>(text);
}

Result<Fqdn> decode_name(std::string_view text) {
  Fqdn name;
  codec::Fault fault;
  if (!codec::Codec<Fqdn>::decode(text, name, fault)) {
    return fail(Error::Kind::rejected, "", std::move(fault.text));
  }
  return name;
}

}  // namespace certherd::store
