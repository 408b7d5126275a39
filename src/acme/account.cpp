#include "acme/account.hpp"

#include <boost/json.hpp>

#include "acme/object_reader.hpp"
#include "acme/urls.hpp"

namespace certherd::acme {
namespace {

namespace json = boost::json;

constexpr std::size_t most_contacts = 100;
constexpr std::size_t most_orders_a_page = 10'000;

}  // namespace

Result<AccountInfo> parse_account(const json::object& object, AccountUrl url) {
  ObjectReader reader(object, "account");
  AccountInfo account;
  account.url = std::move(url);
  account.status = reader.text("status");
  account.contact = reader.texts("contact", most_contacts);
  account.orders = reader.optional_url("orders");
  if (auto status = reader.status(); !status) return fail(std::move(status.error()));
  return account;
}

std::string new_account_payload(const NewAccount& account) {
  json::object payload;
  if (!account.contact.empty()) {
    payload["contact"] = json::array(account.contact.begin(), account.contact.end());
  }
  if (account.terms_of_service_agreed) payload["termsOfServiceAgreed"] = true;
  if (account.only_return_existing) payload["onlyReturnExisting"] = true;
  return json::serialize(payload);
}

Result<std::vector<OrderUrl>> parse_orders_page(const json::object& object) {
  ObjectReader reader(object, "list of orders");
  std::vector<OrderUrl> orders;
  for (auto& url : reader.texts("orders", most_orders_a_page)) {
    if (auto checked = check_url(url); !checked) return fail(std::move(checked.error()));
    orders.emplace_back(std::move(url));
  }
  if (auto status = reader.status(); !status) return fail(std::move(status.error()));
  return orders;
}

}  // namespace certherd::acme
