#include "fakes/fastly_listing.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <boost/url/encode.hpp>
#include <boost/url/rfc/unreserved_chars.hpp>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "fakes/fastly_documents.hpp"

namespace certherd::fakes::fastly {
namespace {

namespace json = boost::json;

constexpr std::size_t default_page_size = 20;

std::size_t number_or(const std::string& text, std::size_t otherwise) {
  return text.empty() ? otherwise : static_cast<std::size_t>(std::stoi(text));
}

struct Page {
  std::size_t number = 1;
  std::size_t size = default_page_size;
  std::size_t records = 0;

  std::size_t count() const { return std::max<std::size_t>(1, (records + size - 1) / size); }
  std::size_t begin() const { return std::min(records, (number - 1) * size); }
  std::size_t end() const { return std::min(records, number * size); }
};

std::string link(const Asked& asked, std::size_t number, std::size_t size) {
  auto parameters = asked.parameters;
  parameters["page[number]"] = std::to_string(number);
  parameters["page[size]"] = std::to_string(size);
  std::string query;
  for (const auto& [name, value] : parameters) {
    query += fmt::format("{}{}={}", query.empty() ? '?' : '&',
                         boost::urls::encode(name, boost::urls::unreserved_chars),
                         boost::urls::encode(value, boost::urls::unreserved_chars));
  }
  return asked.origin + asked.path + query;
}

/// Meta, and links where the collection has them: the list of keys shows none.
json::object frame(const Asked& asked, const Page& page) {
  json::object document = {{"meta", json::object{{"per_page", page.size},
                                                 {"current_page", page.number},
                                                 {"record_count", page.records},
                                                 {"total_pages", page.count()}}}};
  if (asked.kind == Kind::key) return document;
  const auto to = [&](std::size_t number) { return json::value(link(asked, number, page.size)); };
  document.emplace(
      "links", json::object{{"self", to(page.number)},
                            {"first", to(1)},
                            {"prev", page.number > 1 ? to(page.number - 1) : nullptr},
                            {"next", page.number < page.count() ? to(page.number + 1) : nullptr},
                            {"last", to(page.count())}});
  return document;
}

/// Those of a page, each as `show` writes it; what it includes goes into the array.
template <typename T>
http::Response page_of(const Asked& asked, const std::vector<T>& found,
                       const std::function<json::object(T, json::array*)>& show) {
  const Page page = {.number = number_or(asked.parameter("page[number]"), 1),
                     .size = number_or(asked.parameter("page[size]"), default_page_size),
                     .records = found.size()};
  auto document = frame(asked, page);
  json::array data;
  json::array included;
  for (auto i = page.begin(); i < page.end(); ++i) data.push_back(show(found[i], &included));
  document.emplace("data", std::move(data));
  if (asked.parameters.contains("include")) document.emplace("included", std::move(included));
  return respond(200, document);
}

template <typename T>
http::Response page_of(const Asked& asked, const std::vector<const T*>& found) {
  return page_of<const T*>(asked, found,
                           [](const T* object, json::array*) { return render(*object); });
}

template <typename T, typename Wanted>
std::vector<const T*> select(const std::map<std::string, T>& all, const Wanted& wanted) {
  std::vector<const T*> found;
  for (const auto& [id, object] : all) {
    if (wanted(object)) found.push_back(&object);
  }
  return found;
}

/// The same among those with these ids: fleets are large.
template <typename T, typename Wanted>
std::vector<const T*> select(const std::map<std::string, T>& all, const std::set<std::string>& ids,
                             const Wanted& wanted) {
  std::vector<const T*> found;
  for (const auto& id : ids) {
    if (wanted(all.at(id))) found.push_back(&all.at(id));
  }
  return found;
}

/// Filters that are true or false.
bool agrees(const Asked& asked, const std::string& name, bool is) {
  const auto wanted = asked.parameter(name);
  return wanted.empty() || wanted == (is ? "true" : "false");
}

/// A filter by the id of something.
bool agrees(const Asked& asked, const std::string& name, const std::string& id) {
  const auto wanted = asked.parameter(name);
  return wanted.empty() || wanted == id;
}

template <typename T>
void sort(const Asked& asked, std::vector<const T*>* objects) {
  auto field = asked.parameter("sort");
  if (field.empty()) return;
  const bool descending = field.starts_with('-');
  if (descending) field.erase(0, 1);
  const auto time = [&field](const T* object) {
    if (field == "created_at") return object->created_at;
    return field == "not_before" ? object->leaf.not_before : object->leaf.not_after;
  };
  std::ranges::sort(*objects, [&](const T* left, const T* right) {
    if (time(left) == time(right)) return left->id < right->id;
    return descending ? time(right) < time(left) : time(left) < time(right);
  });
}

/// Adds the activations of a certificate or domain to its relationships and to what is included.
void include_activations(const Account& account, const std::vector<std::string>& ids,
                         json::object* object, json::array* included) {
  object->at("relationships").as_object()["tls_activations"] = relation("tls_activation", ids);
  for (const auto& id : ids) included->push_back(render(account.activations().at(id)));
}

json::object render_domain(const Account& account, const std::string& name) {
  const auto certificates = account.certificates_with(name);
  const auto activation = account.activation_of(name);
  std::vector<std::string> activations;
  if (!activation.empty()) activations.push_back(activation);
  return {{"id", name},
          {"type", "tls_domain"},
          {"attributes", json::object()},
          {"relationships",
           json::object{{"tls_activations", relation("tls_activation", activations)},
                        {"tls_certificates",
                         relation("tls_certificate", {certificates.begin(), certificates.end()})},
                        {"tls_subscriptions", relation("tls_subscription", {})}}}};
}

http::Response list_keys(const Account& account, const Asked& asked) {
  return page_of(asked, select(account.keys(), [&](const Key& key) {
                   return agrees(asked, "filter[in_use]", account.is_used(key));
                 }));
}

http::Response list_certificates(const Account& account, const Asked& asked) {
  const auto domain = asked.parameter("filter[tls_domains.id]");
  const auto latest = asked.parameter("filter[not_after][lte]");
  const auto until = parse_time(latest.size() == 10 ? latest + "T00:00:00Z" : latest);
  const auto is_wanted = [&](const Certificate& certificate) {
    if (until && certificate.leaf.not_after > *until) return false;
    return agrees(asked, "filter[in_use]", !account.activations_of(certificate.id).empty());
  };
  auto found = domain.empty()
                   ? select(account.certificates(), is_wanted)
                   : select(account.certificates(), account.certificates_with(domain), is_wanted);
  sort(asked, &found);
  const bool with_activations = asked.parameters.contains("include");
  return page_of<const Certificate*>(
      asked, found, [&](const Certificate* certificate, json::array* included) {
        auto object = render(*certificate);
        const auto ids = account.activations_of(certificate->id);
        if (with_activations) {
          include_activations(account, {ids.begin(), ids.end()}, &object, included);
        }
        return object;
      });
}

/// What is asked for of an activation's certificate, configuration and domain; each once.
void include_parts(const Account& account, const Asked& asked, const Activation& activation,
                   json::array* included) {
  const auto wanted = asked.parameter("include");
  const auto add = [&](std::string_view type, json::object object) {
    const auto same = [&object](const json::value& other) {
      return other.at("id") == object.at("id") && other.at("type") == object.at("type");
    };
    if (wanted.find(type) == std::string::npos || std::ranges::any_of(*included, same)) return;
    included->push_back(std::move(object));
  };
  add("tls_certificate", render(account.certificates().at(activation.certificate)));
  add("tls_configuration", render(account.configurations().at(activation.configuration)));
  add("tls_domain", render_domain(account, activation.domain));
}

http::Response list_activations(const Account& account, const Asked& asked) {
  const auto certificate = asked.parameter("filter[tls_certificate.id]");
  const auto domain = asked.parameter("filter[tls_domain.id]");
  const auto is_wanted = [&](const Activation& activation) {
    return (certificate.empty() || certificate == activation.certificate) &&
           agrees(asked, "filter[tls_configuration.id]", activation.configuration);
  };
  std::vector<const Activation*> found;
  if (!domain.empty()) {
    std::set<std::string> ids = {account.activation_of(domain)};
    ids.erase("");
    found = select(account.activations(), ids, is_wanted);
  } else if (!certificate.empty()) {
    found = select(account.activations(), account.activations_of(certificate), is_wanted);
  } else {
    found = select(account.activations(), is_wanted);
  }
  return page_of<const Activation*>(asked, found,
                                    [&](const Activation* activation, json::array* included) {
                                      include_parts(account, asked, *activation, included);
                                      return render(*activation);
                                    });
}

http::Response list_domains(const Account& account, const Asked& asked) {
  std::vector<std::string> found;
  for (const auto& name : account.domains()) {
    const auto certificate = asked.parameter("filter[tls_certificates.id]");
    const bool is_wanted =
        agrees(asked, "filter[in_use]", !account.activation_of(name).empty()) &&
        (certificate.empty() || account.certificates_with(name).contains(certificate)) &&
        asked.parameter("filter[tls_subscriptions.id]").empty();
    if (is_wanted) found.push_back(name);
  }
  return page_of<std::string>(asked, found, [&](const std::string& name, json::array* included) {
    const auto activation = account.activation_of(name);
    if (asked.parameters.contains("include") && !activation.empty()) {
      included->push_back(render(account.activations().at(activation)));
    }
    return render_domain(account, name);
  });
}

json::object dns_record() {
  return {{"id", "151.101.2.132"},
          {"type", "dns_record"},
          {"attributes", json::object{{"record_type", "A"}, {"region", "global"}}}};
}

http::Response list_configurations(const Account& account, const Asked& asked) {
  const auto is_wanted = [&](const Configuration& configuration) {
    return agrees(asked, "filter[bulk]", configuration.bulk);
  };
  return page_of<const Configuration*>(
      asked, select(account.configurations(), is_wanted),
      [](const Configuration* configuration, json::array* included) {
        if (included->empty()) included->push_back(dns_record());
        return render(*configuration);
      });
}

/// The filter lets all through that have the text somewhere in a name.
http::Response list_bulk(const Account& account, const Asked& asked) {
  const auto part = asked.parameter("filter[tls_domains.id][match]");
  auto found = select(account.bulk_certificates(), [&part](const BulkCertificate& bulk) {
    return std::ranges::any_of(bulk.leaf.names, [&part](const std::string& name) {
      return name.find(part) != std::string::npos;
    });
  });
  sort(asked, &found);
  return page_of(asked, found);
}

http::Response list(const Account& account, const Asked& asked) {
  switch (asked.kind) {
    case Kind::key:
      return list_keys(account, asked);
    case Kind::certificate:
      return list_certificates(account, asked);
    case Kind::activation:
      return list_activations(account, asked);
    case Kind::domain:
      return list_domains(account, asked);
    case Kind::configuration:
      return list_configurations(account, asked);
    case Kind::bulk_certificate:
      return list_bulk(account, asked);
  }
  return no_such_record(asked);
}

template <typename T>
http::Response show(const Asked& asked, const std::map<std::string, T>& all) {
  const auto found = all.find(asked.id);
  return found == all.end() ? no_such_record(asked) : respond_with(200, render(found->second));
}

http::Response show_activation(const Account& account, const Asked& asked) {
  const auto found = account.activations().find(asked.id);
  if (found == account.activations().end()) return no_such_record(asked);
  json::object document = {{"data", render(found->second)}};
  if (asked.parameters.contains("include")) {
    json::array included;
    include_parts(account, asked, found->second, &included);
    document.emplace("included", std::move(included));
  }
  return respond(200, document);
}

http::Response show_configuration(const Account& account, const Asked& asked) {
  const auto found = account.configurations().find(asked.id);
  if (found == account.configurations().end()) return no_such_record(asked);
  json::object document = {{"data", render(found->second)}};
  if (asked.parameters.contains("include")) {
    document.emplace("included", json::array{dns_record()});
  }
  return respond(200, document);
}

}  // namespace

http::Response read(const Account& account, const Asked& asked) {
  if (asked.id.empty()) return list(account, asked);
  switch (asked.kind) {
    case Kind::key:
      return show(asked, account.keys());
    case Kind::certificate:
      return show(asked, account.certificates());
    case Kind::activation:
      return show_activation(account, asked);
    case Kind::configuration:
      return show_configuration(account, asked);
    case Kind::bulk_certificate:
      return show(asked, account.bulk_certificates());
    case Kind::domain:
      break;  // there is no such path
  }
  return no_such_record(asked);
}

}  // namespace certherd::fakes::fastly
