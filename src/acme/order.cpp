#include "acme/order.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>

#include "acme/object_reader.hpp"
#include "acme/problem.hpp"
#include "acme/urls.hpp"

namespace certherd::acme {
namespace {

namespace json = boost::json;

// Let's Encrypt takes 100 names in one certificate, and no CA more.
constexpr std::size_t most_names = 100;

constexpr std::array<std::pair<std::string_view, OrderStatus>, 5> statuses = {{
    {"pending", OrderStatus::pending},
    {"ready", OrderStatus::ready},
    {"processing", OrderStatus::processing},
    {"valid", OrderStatus::valid},
    {"invalid", OrderStatus::invalid},
}};

OrderStatus read_status(ObjectReader& reader) {
  const auto text = reader.text("status");
  for (const auto& [name, status] : statuses) {
    if (name == text) return status;
  }
  reader.fault(fmt::format("has the unknown status \"{}\"", text));
  return OrderStatus::pending;
}

std::string read_identifier(const json::value& value, ObjectReader& reader) {
  if (!value.is_object()) {
    reader.fault("has an identifier that is no object");
    return {};
  }
  ObjectReader identifier(value.get_object(), "identifier");
  const auto type = identifier.text("type");
  auto name = identifier.text("value");
  if (auto status = identifier.status(); !status) {
    reader.fault(fmt::format("has a bad identifier: {}", status.error().detail));
    return {};
  }
  if (type != "dns") return fmt::format("{}:{}", type, name);
  auto fqdn = Fqdn::parse(name);
  if (fqdn) return fqdn->text();
  reader.fault(fmt::format("has a bad identifier: {}", fqdn.error().detail));
  return {};
}

}  // namespace

Result<Order> parse_order(const json::object& object, OrderUrl url) {
  ObjectReader reader(object, "order");
  Order order;
  order.url = std::move(url);
  order.status = read_status(reader);
  for (const auto& element : reader.array("identifiers", most_names)) {
    order.identifiers.push_back(read_identifier(element, reader));
  }
  std::ranges::sort(order.identifiers);
  for (const auto& element : reader.array("authorizations", most_names)) {
    const auto text = as_text(element).value_or("");
    if (auto checked = check_url(text); !checked) reader.fault("has a bad authorization URL");
    order.authorizations.emplace_back(std::string(text));
  }
  order.finalize = FinalizeUrl(reader.url("finalize"));
  order.certificate = CertificateUrl(reader.optional_url("certificate"));
  order.profile = reader.optional_text("profile");
  order.expires = reader.time("expires");
  if (const auto* error = reader.optional_object("error")) {
    order.error = validation_error("order", *error);
  }
  if (order.identifiers.empty()) reader.fault("has no identifiers");
  if (order.status == OrderStatus::valid && order.certificate.empty()) {
    reader.fault("is valid but has no \"certificate\"");
  }
  if (auto status = reader.status(); !status) return fail(std::move(status.error()));
  return order;
}

std::string new_order_payload(const NewOrder& order) {
  json::array identifiers;
  identifiers.reserve(order.names.size());
  for (const auto& name : order.names) {
    identifiers.push_back(json::object{{"type", "dns"}, {"value", name.text()}});
  }
  json::object payload = {{"identifiers", std::move(identifiers)}};
  if (!order.profile.empty()) payload["profile"] = order.profile;
  if (!order.replaces.empty()) payload["replaces"] = order.replaces;
  return json::serialize(payload);
}

bool is_for(const Order& order, const std::vector<Fqdn>& names) {
  std::vector<std::string> asked;
  asked.reserve(names.size());
  for (const auto& name : names) asked.push_back(name.text());
  std::ranges::sort(asked);
  return order.identifiers == asked;
}

}  // namespace certherd::acme
