#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "model/endpoint.hpp"
#include "model/fqdn.hpp"
#include "model/identifiers.hpp"

/// Lists and maps that stand in one column, as JSON text. Decoding errors: rejected.
namespace certherd::store {

std::string encode_names(const std::vector<Fqdn>& names);
Result<std::vector<Fqdn>> decode_names(std::string_view text);

std::string encode_targets(const std::vector<TargetName>& targets);
Result<std::vector<TargetName>> decode_targets(std::string_view text);

std::string encode_endpoints(const std::vector<Endpoint>& endpoints);
Result<std::vector<Endpoint>> decode_endpoints(std::string_view text);

std::string encode_texts(const std::vector<std::string>& texts);
Result<std::vector<std::string>> decode_texts(std::string_view text);

std::string encode_map(const std::map<std::string, std::string>& map);
Result<std::map<std::string, std::string>> decode_map(std::string_view text);

/// A name in a column of its own; empty gives an empty one.
Result<Fqdn> decode_name(std::string_view text);

}  // namespace certherd::store
