#include "acme/account.hpp"

#include <boost/json.hpp>

#include "acme/object_reader.hpp"
#include "acme/urls.hpp"
#include "crypto/jws.hpp"

namespace certherd::acme {
namespace {

namespace json = boost::json;

constexpr std::size_t most_contacts = 100;
constexpr std::size_t most_orders_a_page = 10'000;

/// RFC 8555 section 7.3.4: the account's public key under the MAC that the CA knows; no nonce.
json::value binding(const ExternalAccount& external, const std::string& url,
                    const std::string& account_jwk) {
  const json::object header = {{"alg", "HS256"}, {"kid", external.kid}, {"url", url}};
  return json::parse(
      crypto::sign_jws_hs256(external.hmac_key, json::serialize(header), account_jwk));
}

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

std::string new_account_payload(const NewAccount& account, const std::string& url,
                                const std::string& account_jwk) {
  json::object payload;
  if (!account.contact.empty()) {
    payload["contact"] = json::array(account.contact.begin(), account.contact.end());
  }
  if (account.terms_of_service_agreed) payload["termsOfServiceAgreed"] = true;
  if (account.only_return_existing) payload["onlyReturnExisting"] = true;
  if (account.external) {
    payload["externalAccountBinding"] = binding(*account.external, url, account_jwk);
  }
  return json::serialize(payload);
}

std::string contact_payload(const std::vector<std::string>& contact) {
  return json::serialize(json::object{{"contact", json::array(contact.begin(), contact.end())}});
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
