#include "fakes/fastly_request.hpp"

#include <algorithm>
#include <boost/json.hpp>
#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>
#include <cctype>
#include <optional>
#include <set>

namespace certherd::fakes::fastly {
namespace {

namespace json = boost::json;
using Method = http::Request::Method;
using Names = std::set<std::string>;
using Problem = tl::unexpected<std::string>;

constexpr std::string_view media_type = "application/vnd.api+json";

/// What a document that comes to a collection may hold; what begins with '*' it must hold.
struct Document {
  Names attributes;
  Names relationships;
};

/// Fastly's API reference, "TLS". Nothing: there is no such operation.
struct Collection {
  std::string_view path;
  Kind kind;
  std::string_view type;
  Names list_parameters;
  Names get_parameters = {};
  std::optional<Document> post = {};
  std::optional<Document> patch = {};
  bool may_delete = false;
};

const std::vector<Collection>& collections() {
  static const std::vector<Collection> all = {
      {.path = "/tls/private_keys",
       .kind = Kind::key,
       .type = "tls_private_key",
       .list_parameters = {"filter[in_use]"},
       .post = Document{.attributes = {"*key", "name"}, .relationships = {}},
       .may_delete = true},
      {.path = "/tls/certificates",
       .kind = Kind::certificate,
       .type = "tls_certificate",
       .list_parameters = {"filter[in_use]", "filter[not_after][lte]", "filter[tls_domains.id]",
                           "include", "sort"},
       .post = Document{.attributes = {"*cert_blob", "name", "allow_untrusted_root"},
                        .relationships = {}},
       .patch = Document{.attributes = {"*cert_blob", "name", "allow_untrusted_root"},
                         .relationships = {}},
       .may_delete = true},
      {.path = "/tls/activations",
       .kind = Kind::activation,
       .type = "tls_activation",
       .list_parameters = {"filter[tls_certificate.id]", "filter[tls_configuration.id]",
                           "filter[tls_domain.id]", "include"},
       .get_parameters = {"include"},
       .post = Document{.attributes = {},
                        .relationships = {"*tls_certificate", "*tls_domain", "tls_configuration",
                                          "mutual_authentication"}},
       .patch = Document{.attributes = {},
                         .relationships = {"*tls_certificate", "mutual_authentication"}},
       .may_delete = true},
      {.path = "/tls/domains",
       .kind = Kind::domain,
       .type = "tls_domain",
       .list_parameters = {"filter[in_use]", "filter[tls_certificates.id]",
                           "filter[tls_subscriptions.id]", "include"}},
      {.path = "/tls/configurations",
       .kind = Kind::configuration,
       .type = "tls_configuration",
       .list_parameters = {"filter[bulk]", "include"},
       .get_parameters = {"include"}},
      {.path = "/tls/bulk/certificates",
       .kind = Kind::bulk_certificate,
       .type = "tls_bulk_certificate",
       .list_parameters = {"filter[tls_domains.id][match]", "sort"},
       .post = Document{.attributes = {"*cert_blob", "*intermediates_blob", "allow_untrusted_root"},
                        .relationships = {"*tls_configurations"}},
       .patch =
           Document{.attributes = {"*cert_blob", "*intermediates_blob", "allow_untrusted_root"},
                    .relationships = {}},
       .may_delete = true},
  };
  return all;
}

/// The values that a parameter may have, where they are few. Of `sort` without the '-'.
bool is_value(Kind kind, const std::string& name, const std::string& value) {
  const auto is_list_of = [&value](const Names& known) {
    std::size_t begin = 0;
    while (true) {
      const auto end = std::min(value.find(',', begin), value.size());
      if (!known.contains(value.substr(begin, end - begin))) return false;
      if (end == value.size()) return true;
      begin = end + 1;
    }
  };
  if (name == "filter[in_use]" || name == "filter[bulk]")
    return value == "true" || value == "false";
  if (name == "filter[tls_domains.id][match]") return value.size() > 3;
  if (name == "sort") {
    const auto field = value.starts_with('-') ? value.substr(1) : value;
    return field == "created_at" || field == "not_before" || field == "not_after";
  }
  if (name == "include") {
    switch (kind) {
      case Kind::certificate:
      case Kind::domain:
        return value == "tls_activations";
      case Kind::activation:
        return is_list_of({"tls_certificate", "tls_configuration", "tls_domain"});
      default:
        return value == "dns_records";
    }
  }
  const bool is_number = !value.empty() && value.size() < 7 && value.front() != '0' &&
                         std::ranges::all_of(value, [](char c) { return c >= '0' && c <= '9'; });
  if (name == "page[number]") return is_number;
  if (name == "page[size]") return is_number && std::stoi(value) <= 100;
  return !value.empty();
}

Names with_paging(Names names) {
  names.insert({"page[number]", "page[size]"});
  return names;
}

/// Empty when the members are right.
std::string fault_in(const Names& members, const json::object& object) {
  for (const auto& member : members) {
    if (member.starts_with('*') && !object.contains(member.substr(1))) {
      return member.substr(1) + " is missing";
    }
  }
  for (const auto& entry : object) {
    const std::string name(entry.key());
    if (!members.contains(name) && !members.contains("*" + name)) return name + " is not known";
  }
  return {};
}

std::string fault_in_attributes(const json::object& attributes) {
  for (const auto& [name, value] : attributes) {
    const bool right = name == "allow_untrusted_root"
                           ? value.is_bool()
                           : value.is_string() && !value.as_string().empty();
    if (!right) return std::string(name) + " has no value";
  }
  return {};
}

bool is_text(const json::value& value, std::string_view text) {
  const auto* const string = value.if_string();
  return string != nullptr && *string == text;
}

bool is_identifier(const json::value& value, std::string_view type) {
  const auto* const object = value.if_object();
  if (object == nullptr || !fault_in({"*type", "*id"}, *object).empty()) return false;
  const auto* const id = object->at("id").if_string();
  return id != nullptr && !id->empty() && is_text(object->at("type"), type);
}

std::string fault_in_relationships(const json::object& relationships) {
  for (const auto& [key, value] : relationships) {
    const std::string name(key);
    const auto* const object = value.if_object();
    if (object == nullptr || !fault_in({"*data"}, *object).empty()) return name + " has no data";
    const auto& data = object->at("data");
    if (name != "tls_configurations") {
      if (!is_identifier(data, name)) return name + " does not name an object of its type";
      continue;
    }
    const auto* const list = data.if_array();
    const bool right = list != nullptr && !list->empty() &&
                       std::ranges::all_of(*list, [](const json::value& element) {
                         return is_identifier(element, "tls_configuration");
                       });
    if (!right) return name + " does not name objects of its type";
  }
  return {};
}

const json::object* member(const json::object& object, std::string_view name) {
  static const json::object nothing;
  const auto* const value = object.if_contains(name);
  return value == nullptr ? &nothing : value->if_object();
}

/// Empty when the document is right.
std::string read_document(const std::string& text, const Collection& collection,
                          const Document& document, Asked* asked) {
  json::error_code error;
  const auto parsed = json::parse(text, error);
  if (error || !parsed.is_object()) return "the body is no JSON object";
  if (auto fault = fault_in({"*data"}, parsed.as_object()); !fault.empty()) return fault;
  const auto* const data = parsed.at("data").if_object();
  if (data == nullptr) return "data is no object";
  Names members = {"*type"};
  members.insert(document.attributes.empty() ? "relationships" : "*attributes");
  if (!document.relationships.empty()) members.insert("*relationships");
  if (!asked->id.empty()) members.insert("*id");
  if (auto fault = fault_in(members, *data); !fault.empty()) return fault;
  if (!is_text(data->at("type"), collection.type)) return "data.type is not that of the collection";
  if (!asked->id.empty() && !is_text(data->at("id"), asked->id))
    return "data.id is not that of the path";

  const auto* const attributes = member(*data, "attributes");
  const auto* const relationships = member(*data, "relationships");
  if (attributes == nullptr || relationships == nullptr) return "data is not as it should be";
  for (const auto& fault :
       {fault_in(document.attributes, *attributes), fault_in_attributes(*attributes),
        fault_in(document.relationships, *relationships), fault_in_relationships(*relationships)}) {
    if (!fault.empty()) return fault;
  }
  asked->attributes = *attributes;
  asked->relationships = *relationships;
  return {};
}

}  // namespace

bool Asked::is_read() const { return method == Method::get || method == Method::head; }

std::string Asked::parameter(const std::string& name) const {
  const auto found = parameters.find(name);
  return found == parameters.end() ? std::string() : found->second;
}

std::string Asked::attribute(std::string_view name) const {
  const auto* const value = attributes.if_contains(name);
  return value == nullptr ? std::string() : std::string(value->as_string());
}

std::string Asked::related(std::string_view name) const {
  const auto* const value = relationships.if_contains(name);
  return value == nullptr ? std::string() : std::string(value->at("data").at("id").as_string());
}

std::vector<std::string> Asked::all_related(std::string_view name) const {
  std::vector<std::string> ids;
  for (const auto& element : relationships.at(name).at("data").as_array()) {
    ids.emplace_back(element.at("id").as_string());
  }
  return ids;
}

std::string_view name_of(Method method) {
  switch (method) {
    case Method::get:
      return "GET";
    case Method::head:
      return "HEAD";
    case Method::post:
      return "POST";
    case Method::put:
      return "PUT";
    case Method::patch:
      return "PATCH";
    case Method::delete_:
      return "DELETE";
  }
  return {};
}

std::string target_of(const http::Request& request) {
  const auto scheme = request.url.find("://");
  const auto path = scheme == std::string::npos ? scheme : request.url.find('/', scheme + 3);
  return path == std::string::npos ? std::string() : request.url.substr(path);
}

tl::expected<Asked, std::string> read_request(const http::Request& request) {
  const auto url = boost::urls::parse_uri(request.url);
  if (!url || url->has_fragment()) return Problem("no URL: " + request.url);
  Asked asked;
  asked.method = request.method;
  asked.origin = std::string(url->scheme()) + "://" + std::string(url->encoded_authority());
  const std::string path = url->path();
  const auto collection = std::ranges::find_if(collections(), [&path](const Collection& known) {
    const auto size = known.path.size();
    if (path == known.path) return true;
    return path.starts_with(known.path) && path.size() > size + 1 && path[size] == '/' &&
           path.find('/', size + 1) == std::string::npos;
  });
  if (collection == collections().end()) return Problem("no such path: " + path);
  asked.path = collection->path;
  asked.kind = collection->kind;
  if (path != collection->path) asked.id = path.substr(collection->path.size() + 1);

  if (asked.kind == Kind::domain && !asked.id.empty()) return Problem("no such path: " + path);

  Names allowed;
  if (asked.is_read()) {
    allowed =
        asked.id.empty() ? with_paging(collection->list_parameters) : collection->get_parameters;
  }
  for (const auto& parameter : url->params()) {
    const std::string name = parameter.key;
    const std::string value = parameter.value;
    if (!allowed.contains(name)) return Problem("no such parameter: " + name);
    if (!is_value(asked.kind, name, value))
      return Problem("no such value of " + name + ": " + value);
    if (!asked.parameters.emplace(name, value).second) return Problem("twice: " + name);
  }

  // Without it Fastly overlooks filters and pages, and answers with what was not asked for.
  const auto* const accept = only_header(request, "accept");
  if (accept == nullptr || *accept != media_type) return Problem("Accept is not JSON:API's");

  if (asked.is_read() || asked.method == Method::delete_) {
    if (!request.body.empty()) return Problem("a body with a method that has none");
    if (asked.method == Method::delete_ && (asked.id.empty() || !collection->may_delete)) {
      return Problem("this cannot be deleted: " + path);
    }
    return asked;
  }
  const auto& document = asked.method == Method::post ? collection->post : collection->patch;
  const bool known = asked.method == Method::post
                         ? asked.id.empty() && document
                         : asked.method == Method::patch && !asked.id.empty() && document;
  if (!known) return Problem("no such operation on " + path);
  const auto* const type = only_header(request, "content-type");
  if (type == nullptr || *type != media_type) return Problem("Content-Type is not JSON:API's");
  if (auto fault = read_document(request.body, *collection, *document, &asked); !fault.empty()) {
    return Problem(fault);
  }
  return asked;
}

const std::string* only_header(const http::Request& request, std::string_view name) {
  const std::string* found = nullptr;
  for (const auto& [key, value] : request.headers) {
    const bool same = std::ranges::equal(key, name, [](char left, char right) {
      return std::tolower(static_cast<unsigned char>(left)) == right;
    });
    if (!same) continue;
    if (found != nullptr) return nullptr;
    found = &value;
  }
  return found;
}

}  // namespace certherd::fakes::fastly
