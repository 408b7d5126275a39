#include "fakes/fastly_documents.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <utility>

namespace certherd::fakes::fastly {
namespace {

namespace json = boost::json;

/// To the millisecond, as they have it everywhere but at bulk certificates.
std::string precise(Time time) {
  const auto text = format_time(time);
  const auto millis = to_micros(time) / 1000 % 1000;
  return fmt::format("{}.{:03}Z", std::string_view(text).substr(0, text.size() - 1), millis);
}

json::object identifier(std::string_view type, std::string_view id) {
  return {{"id", id}, {"type", type}};
}

json::object related(std::string_view type, std::string_view id) {
  return {{"data", identifier(type, id)}};
}

json::object object(std::string_view type, std::string_view id, json::object attributes,
                    json::object relationships = {}) {
  json::object whole = identifier(type, id);
  whole.emplace("attributes", std::move(attributes));
  if (!relationships.empty()) whole.emplace("relationships", std::move(relationships));
  return whole;
}

http::Response response(int status, std::string_view type, const json::object& document) {
  http::Response response;
  response.status = status;
  response.headers = {{"content-type", std::string(type)}};
  response.body = json::serialize(document);
  return response;
}

std::pair<std::string_view, int> kind_of(KeyType type) {
  switch (type) {
    case KeyType::ecdsa_p256:
      return {"ECDSA", 256};
    case KeyType::ecdsa_p384:
      return {"ECDSA", 384};
    default:
      return {"RSA", 2048};
  }
}

}  // namespace

http::Response respond(int status, const json::object& document) {
  return response(status, "application/vnd.api+json", document);
}

http::Response respond_with(int status, json::object object) {
  return respond(status, {{"data", std::move(object)}});
}

http::Response refuse(const Refusal& refusal) {
  const json::object error = {{"title", refusal.title},
                              {"detail", refusal.detail},
                              {"status", std::to_string(refusal.status)}};
  return respond(refusal.status, {{"errors", json::array{error}}});
}

http::Response refuse_plainly(int status, std::string_view message, std::string_view detail) {
  return response(status, "application/json", {{"msg", message}, {"detail", detail}});
}

http::Response no_such_record(const Asked& asked) {
  return refuse_plainly(404, "Record not found",
                        fmt::format("Couldn't find {}/{}", asked.path, asked.id));
}

json::object relation(std::string_view type, const std::vector<std::string>& ids) {
  json::array list;
  for (const auto& id : ids) list.push_back(identifier(type, id));
  return {{"data", std::move(list)}};
}

json::object render(const Key& key) {
  const auto [type, length] = kind_of(key.type);
  return object("tls_private_key", key.id,
                {{"key_length", length},
                 {"key_type", type},
                 {"name", key.name},
                 {"created_at", precise(key.created_at)},
                 {"replace", false},
                 {"public_key_sha1", key.public_key_sha1}});
}

json::object render(const Certificate& certificate) {
  const auto& leaf = certificate.leaf;
  return object("tls_certificate", certificate.id,
                {{"created_at", precise(certificate.created_at)},
                 {"issued_to", leaf.issued_to},
                 {"issuer", leaf.issuer},
                 {"name", certificate.name},
                 {"not_after", precise(leaf.not_after)},
                 {"not_before", precise(leaf.not_before)},
                 {"replace", false},
                 {"serial_number", leaf.serial_number},
                 {"signature_algorithm", leaf.signature_algorithm},
                 {"updated_at", precise(certificate.updated_at)}},
                {{"tls_domains", relation("tls_domain", leaf.names)}});
}

json::object render(const Activation& activation) {
  json::object relationships = {
      {"tls_certificate", related("tls_certificate", activation.certificate)},
      {"tls_configuration", related("tls_configuration", activation.configuration)},
      {"tls_domain", related("tls_domain", activation.domain)}};
  if (!activation.mutual_authentication.empty()) {
    relationships.emplace("mutual_authentication",
                          related("mutual_authentication", activation.mutual_authentication));
  }
  return object("tls_activation", activation.id, {{"created_at", precise(activation.created_at)}},
                std::move(relationships));
}

json::object render(const BulkCertificate& bulk) {
  return object("tls_bulk_certificate", bulk.id,
                {{"not_after", format_time(bulk.leaf.not_after)},
                 {"not_before", format_time(bulk.leaf.not_before)},
                 {"created_at", format_time(bulk.created_at)},
                 {"updated_at", format_time(bulk.updated_at)},
                 {"replace", false}},
                {{"tls_configurations", relation("tls_configuration", bulk.configurations)},
                 {"tls_domains", relation("tls_domain", bulk.leaf.names)}});
}

json::object render(const Configuration& configuration) {
  return object("tls_configuration", configuration.id,
                {{"bulk", configuration.bulk},
                 {"default", configuration.is_default},
                 {"http_protocols", json::array{"http/1.1", "http/2"}},
                 {"tls_protocols", json::array{"1.2", "1.3"}},
                 {"name", configuration.name}},
                {{"dns_records", relation("dns_record", {"151.101.2.132"})}});
}

}  // namespace certherd::fakes::fastly
