#include "deploy/fastly/documents.hpp"

#include <algorithm>
#include <boost/json.hpp>

#include "crypto/x509.hpp"

namespace certherd::deploy::fastly {
namespace {

namespace json = boost::json;

tl::unexpected<Error> unreadable(std::string why) {
  return fail(Error::Kind::transient, "read the answer of Fastly",
              "it is not what Fastly's API answers: " + std::move(why));
}

const json::object* object_in(const json::object& object, std::string_view name) {
  const auto* const value = object.if_contains(name);
  return value == nullptr ? nullptr : value->if_object();
}

std::string text_in(const json::object* object, std::string_view name) {
  const auto* const value = object == nullptr ? nullptr : object->if_contains(name);
  const auto* const text = value == nullptr ? nullptr : value->if_string();
  return text == nullptr ? std::string() : std::string(*text);
}

bool flag_in(const json::object* object, std::string_view name) {
  const auto* const value = object == nullptr ? nullptr : object->if_contains(name);
  return value != nullptr && value->is_bool() && value->get_bool();
}

/// Ids of a relationship, to one object or to several.
std::vector<std::string> related(const json::object& object, std::string_view name) {
  std::vector<std::string> ids;
  const auto* const relationships = object_in(object, "relationships");
  const auto* const relation = relationships == nullptr ? nullptr : object_in(*relationships, name);
  const auto* const data = relation == nullptr ? nullptr : relation->if_contains("data");
  if (data == nullptr) return ids;
  if (const auto* const one = data->if_object()) ids.push_back(text_in(one, "id"));
  if (const auto* const several = data->if_array()) {
    for (const auto& each : *several) ids.push_back(text_in(each.if_object(), "id"));
  }
  return ids;
}

std::string first(std::vector<std::string> ids) { return ids.empty() ? "" : std::move(ids[0]); }

void read(const json::object& object, Key* key) {
  const auto* const attributes = object_in(object, "attributes");
  key->id = text_in(&object, "id");
  key->name = text_in(attributes, "name");
  key->public_key_sha1 = text_in(attributes, "public_key_sha1");
}

void read(const json::object& object, Activation* activation) {
  activation->id = text_in(&object, "id");
  activation->certificate = first(related(object, "tls_certificate"));
  activation->domain = first(related(object, "tls_domain"));
  activation->mutual_authentication = first(related(object, "mutual_authentication"));
}

void read(const json::object& object, Certificate* certificate) {
  const auto* const attributes = object_in(object, "attributes");
  certificate->id = text_in(&object, "id");
  certificate->name = text_in(attributes, "name");
  certificate->serial =
      crypto::serial_from_decimal(text_in(attributes, "serial_number")).value_or(Serial());
  certificate->not_after = parse_time(text_in(attributes, "not_after"));
  for (auto& domain : related(object, "tls_domains"))
    certificate->domains.insert(std::move(domain));
}

void read(const json::object& object, BulkCertificate* certificate) {
  const auto* const attributes = object_in(object, "attributes");
  certificate->id = text_in(&object, "id");
  certificate->not_before = parse_time(text_in(attributes, "not_before"));
  certificate->not_after = parse_time(text_in(attributes, "not_after"));
  for (auto& domain : related(object, "tls_domains"))
    certificate->domains.insert(std::move(domain));
}

void read(const json::object& object, Configuration* configuration) {
  const auto* const attributes = object_in(object, "attributes");
  configuration->id = text_in(&object, "id");
  configuration->name = text_in(attributes, "name");
  configuration->bulk = flag_in(attributes, "bulk");
  configuration->is_default = flag_in(attributes, "default");
}

/// What else the document holds about an object of its data.
template <typename T>
void include(const json::object&, T*) {}

void include(const json::object& document, Certificate* certificate) {
  const auto* const value = document.if_contains("included");
  const auto* const included = value == nullptr ? nullptr : value->if_array();
  if (included == nullptr) return;
  for (const auto& each : *included) {
    const auto* const object = each.if_object();
    if (text_in(object, "type") != "tls_activation") continue;
    Activation activation;
    read(*object, &activation);
    if (activation.certificate == certificate->id) {
      certificate->activations.push_back(std::move(activation));
    }
  }
}

std::int64_t number_in(const json::object& object, std::string_view name) {
  const auto* const value = object.if_contains(name);
  return value != nullptr && value->is_int64() ? value->get_int64() : 0;
}

Result<json::object> read_document(std::string_view text) {
  json::error_code code;
  auto value = json::parse(text, code);
  if (code || !value.is_object()) return unreadable("no JSON object");
  return std::move(value.get_object());
}

json::object identifier(std::string_view type, const std::string& id) {
  return {{"data", {{"type", type}, {"id", id}}}};
}

json::object data_of(std::string_view type, const std::string& id) {
  json::object data = {{"type", type}};
  if (!id.empty()) data.emplace("id", id);
  return data;
}

std::string document(json::object data) {
  return json::serialize(json::object{{"data", std::move(data)}});
}

}  // namespace

template <typename T>
Result<Page<T>> read_page(std::string_view text) {
  auto document = read_document(text);
  if (!document) return fail(std::move(document.error()));
  const auto* const value = document->if_contains("data");
  const auto* const data = value == nullptr ? nullptr : value->if_array();
  if (data == nullptr) return unreadable("no list");
  Page<T> page;
  page.objects.reserve(data->size());
  for (const auto& each : *data) {
    const auto* const object = each.if_object();
    if (object == nullptr || text_in(object, "id").empty())
      return unreadable("an object has no id");
    read(*object, &page.objects.emplace_back());
    include(*document, &page.objects.back());
  }
  if (const auto* const meta = object_in(*document, "meta")) {
    page.last = number_in(*meta, "current_page") >= number_in(*meta, "total_pages");
  }
  return page;
}

template <typename T>
Result<T> read_object(std::string_view text) {
  auto document = read_document(text);
  if (!document) return fail(std::move(document.error()));
  const auto* const data = object_in(*document, "data");
  if (text_in(data, "id").empty()) return unreadable("the object has no id");
  T object;
  read(*data, &object);
  return object;
}

template Result<Page<Key>> read_page(std::string_view text);
template Result<Page<Certificate>> read_page(std::string_view text);
template Result<Page<Activation>> read_page(std::string_view text);
template Result<Page<BulkCertificate>> read_page(std::string_view text);
template Result<Page<Configuration>> read_page(std::string_view text);
template Result<Key> read_object(std::string_view text);
template Result<Certificate> read_object(std::string_view text);
template Result<Activation> read_object(std::string_view text);
template Result<BulkCertificate> read_object(std::string_view text);

Secret<std::string> key_document(const Secret<std::string>& pem, const std::string& name) {
  auto data = data_of("tls_private_key", {});
  data["attributes"] = {{"key", pem.reveal()}, {"name", name}};
  Secret<std::string> text(json::serialize(json::object{{"data", data}}));
  std::ranges::fill(data["attributes"].as_object()["key"].get_string(), '\0');
  return text;
}

std::string certificate_document(const std::string& id, const std::string& blob,
                                 const std::string& name) {
  auto data = data_of("tls_certificate", id);
  data["attributes"] = {{"cert_blob", blob}, {"name", name}};
  return document(std::move(data));
}

std::string activation_document(const Activation& activation, const std::string& certificate,
                                const std::string& configuration) {
  json::object relationships = {{"tls_certificate", identifier("tls_certificate", certificate)}};
  if (activation.id.empty()) {
    relationships["tls_domain"] = identifier("tls_domain", activation.domain);
    if (!configuration.empty()) {
      relationships["tls_configuration"] = identifier("tls_configuration", configuration);
    }
  }
  // A PATCH that does not name it drops it.
  if (!activation.mutual_authentication.empty()) {
    relationships["mutual_authentication"] =
        identifier("mutual_authentication", activation.mutual_authentication);
  }
  auto data = data_of("tls_activation", activation.id);
  data["relationships"] = std::move(relationships);
  return document(std::move(data));
}

std::string bulk_document(const std::string& id, const std::string& leaf,
                          const std::string& intermediates, const std::string& configuration) {
  auto data = data_of("tls_bulk_certificate", id);
  data["attributes"] = {{"cert_blob", leaf}, {"intermediates_blob", intermediates}};
  if (id.empty()) {
    const json::array configurations = {{{"type", "tls_configuration"}, {"id", configuration}}};
    data["relationships"] = {{"tls_configurations", {{"data", configurations}}}};
  }
  return document(std::move(data));
}

}  // namespace certherd::deploy::fastly
