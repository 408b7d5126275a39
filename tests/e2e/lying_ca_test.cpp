#include <fmt/format.h>
#include <gmock/gmock.h>

#include <boost/json.hpp>
#include <map>
#include <mutex>
#include <set>

#include "crypto/csr.hpp"
#include "crypto/encoding.hpp"
#include "crypto/local_ca.hpp"
#include "crypto/private_key.hpp"
#include "end_to_end.hpp"
#include "lies.hpp"
#include "pebble_log.hpp"

namespace certherd::e2e {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;
using testing::HasSubstr;
using Kind = CaRequest::Kind;

/// To whose order each URL of the CA belongs, as its answers told.
class OrderBook {
 public:
  explicit OrderBook(std::string base) : base_(std::move(base)) {}

  /// Empty for what belongs to no order.
  std::string domain_of(const CaRequest& request) {
    const std::scoped_lock lock(mutex_);
    if (request.kind == Kind::new_order) return first_name(request.payload());
    if (request.kind < Kind::order || request.kind > Kind::certificate) return {};
    const auto found = domains_.find(request.path);
    return found == domains_.end() ? std::string() : found->second;
  }

  void learn(const CaRequest& request, const CaAnswer& answer, const std::string& domain) {
    const std::scoped_lock lock(mutex_);
    if (request.kind == Kind::new_order) ++orders_[domain];
    if (request.kind == Kind::finalize) csrs_[domain] = request.payload().at("csr").as_string();
    std::string text = answer.body;
    for (const auto& [name, value] : answer.headers) text += '"' + value + '"';
    for (auto at = text.find(base_); at != std::string::npos; at = text.find(base_, at)) {
      at += base_.size();
      domains_[text.substr(at, text.find('"', at) - at)] = domain;
    }
  }

  int orders_of(const std::string& domain) {
    const std::scoped_lock lock(mutex_);
    return orders_[domain];
  }
  /// The public key of its certificate request.
  std::string key_of(const std::string& domain) {
    const std::scoped_lock lock(mutex_);
    const auto der = crypto::from_base64url(csrs_.at(domain));
    return crypto::read_csr(*der)->public_key;
  }

 private:
  static std::string first_name(const json::object& order) {
    return std::string(order.at("identifiers").at(0).at("value").as_string());
  }

  const std::string base_;
  std::mutex mutex_;
  std::map<std::string, std::string> domains_;  // by path
  std::map<std::string, std::string> csrs_;     // by domain
  std::map<std::string, int> orders_;           // by domain
};

/// A lie told to one domain, and what comes of it.
struct Case {
  Lie lie;
  /// How often a certificate is ordered for it until it has one: once wherever the first order
  /// can be taken up.
  int orders = 1;
};

class LyingCa : public OnStage {
 protected:
  void set_up(int domains) {
    set_stage({.domains = domains,
               .environment = {{"PEBBLE_WFE_NONCEREJECT", "0"},
                               {"PEBBLE_AUTHZREUSE", "0"},
                               {"PEBBLE_WFE_ORDERS_PER_PAGE", "50"}}});
    set_proxy();
    // The proxy speaks to Pebble with one voice.
    configure("requests_at_once = 1",
              "requests_at_once = 16\ntimeout = \"3s\"\nfinalize_within = \"5s\"");
    add_inventory();
    book_ = std::make_unique<OrderBook>(proxy_->base_url());
  }

  /// Tells domain i the i-th lie; later domains hear the truth.
  void tell(std::vector<Case> cases) {
    auto hook = [this, cases = std::move(cases)](const CaRequest& request,
                                                 const CaProxy::Forward& forward) {
      const auto domain = book_->domain_of(request);
      const CaProxy::Forward noted = [&] {
        auto answer = forward();
        if (!domain.empty()) book_->learn(request, answer, domain);
        return answer;
      };
      for (std::size_t i = 0; i < cases.size(); ++i) {
        if (domain == site(i) && request.kind == cases[i].lie.at) return cases[i].lie.tell(noted);
      }
      return noted();
    };
    proxy_->set_hook(std::move(hook));
  }

  static std::string site(std::size_t index) {
    return fmt::format("site-{:04}.fleet.test", index + 1);
  }

  /// A certificate of somebody else for a domain.
  std::string forged(std::size_t index, const std::vector<std::string>& names, Duration begins,
                     Duration ends, bool own_key = true) {
    const Time now = loop().clock().now();
    const auto other = crypto::PrivateKey::generate(KeyType::ecdsa_p256);
    const auto key = own_key ? book_->key_of(site(index)) : other->public_key();
    return crypto::LocalCa("Forger", now).issue(key, names, 77, now + begins, now + ends);
  }

  static std::map<std::string, json::object> by_domain(const json::value& document) {
    std::map<std::string, json::object> results;
    for (const auto& result : document.at("results").as_array()) {
      results.emplace(result.at("domain").as_string(), result.as_object());
    }
    return results;
  }

  void expect_lie(const Case& told, const json::object& result) {
    const auto outcome = result.at("outcome").as_string();
    if (told.lie.kind.empty()) {
      EXPECT_EQ(outcome, "issued") << json::serialize(result);
      return;
    }
    EXPECT_NE(outcome, "issued") << json::serialize(result);
    const auto& error = result.at("error");
    if (!error.is_object()) return;
    EXPECT_EQ(error.at("kind").as_string(), told.lie.kind) << error;
    const auto words = json::serialize(error);
    std::cout << told.lie.name << ": " << words << '\n';
    for (const auto& word : told.lie.words) EXPECT_THAT(words, HasSubstr(word));
  }

  std::unique_ptr<OrderBook> book_;
};

std::function<CaAnswer(const CaProxy::Forward&)> with_header(std::string name, std::string value) {
  return [name = std::move(name), value = std::move(value)](const CaProxy::Forward& forward) {
    auto answer = forward();
    set_header(answer, name, value);
    return answer;
  };
}

std::function<CaAnswer(const CaProxy::Forward&)> after_forward(
    std::function<CaAnswer(CaAnswer)> change) {
  return
      [change = std::move(change)](const CaProxy::Forward& forward) { return change(forward()); };
}

std::vector<Case> lies_in_orders() {
  return {
      // The first attempt looks for the order whose answer could not be used, and finds it.
      {{"an order for another name",
        Kind::new_order,
        edited([](json::object& order) {
          order["identifiers"].as_array()[0].as_object()["value"] = "bank.example";
        }),
        "",
        {}}},
      {{"an order without its URL",
        Kind::new_order,
        after_forward([](CaAnswer answer) {
          remove_header(answer, "Location");
          return answer;
        }),
        "",
        {}}},
      {{"half an order",
        Kind::new_order,
        after_forward([](CaAnswer answer) {
          answer.body.resize(answer.body.size() / 2);
          return answer;
        }),
        "",
        {}}},
      {{"a web page for an order",
        Kind::new_order,
        after_forward([](const CaAnswer&) { return html_answer(200); }),
        "",
        {}}},
      {{"an order on plain HTTP",
        Kind::new_order,
        with_header("Location", "http://ca.example/my-order/1"),
        "",
        {}}},
      {{"a hundred thousand authorizations",
        Kind::new_order,
        edited([](json::object& order) {
          order["authorizations"] = json::array(100'000, "https://ca.example/a");
        }),
        "",
        {}}},
      {{"an authorization in a file",
        Kind::new_order,
        edited([](json::object& order) {
          order["authorizations"] = json::array({"file:///etc/passwd"});
        }),
        "",
        {}}},
      {{"no answer after the order was made",
        Kind::new_order,
        after_forward([](const CaAnswer&) { return hang_up(); }),
        "",
        {}}},
      {{"a limit of a century",
        Kind::new_order,
        [](const CaProxy::Forward&) {
          auto answer = problem_answer("rateLimited", "too many certificates", 429);
          set_header(answer, "Retry-After", "99999999999");
          return answer;
        },
        "throttled",
        {"too many certificates"}},
       0},
  };
}

std::vector<Case> lies_in_authorizations() {
  const auto token = [](std::string text) {
    return edited([text = std::move(text)](json::object& authorization) {
      for (auto& challenge : authorization["challenges"].as_array()) {
        challenge.as_object()["token"] = text;
      }
    });
  };
  return {
      {{"an authorization for another name",
        Kind::authorization,
        edited([](json::object& object) {
          object["identifier"].as_object()["value"] = "bank.example";
        }),
        "transient",
        {"bank.example", "not in this order"}}},
      {{"a token that is a path",
        Kind::authorization,
        token("../../etc/passwd"),
        "transient",
        {"\\\"token\\\"", "base64url"}}},
      {{"a token of two lines",
        Kind::authorization,
        token("abc\nX-Evil: 1"),
        "transient",
        {"base64url"}}},
      {{"no dns-01",
        Kind::authorization,
        edited([](json::object& authorization) {
          for (auto& challenge : authorization["challenges"].as_array()) {
            challenge.as_object()["type"] = "http-01";
          }
        }),
        "rejected",
        {"no dns-01", "http-01"}},
       2},
      {{"a status that nobody knows",
        Kind::authorization,
        edited([](json::object& object) { object["status"] = "perhaps"; }),
        "transient",
        {"perhaps"}}},
      {{"brackets",
        Kind::authorization,
        replaced("application/json", nested_json(100'000)),
        "transient",
        {"too deep"}}},
      {{"no answer to the challenge",
        Kind::challenge,
        [n = std::make_shared<std::atomic<int>>(0)](const CaProxy::Forward& forward) {
          auto answer = forward();
          return n->fetch_add(1) == 0 ? hang_up() : answer;
        },
        "",
        {}}},
      {{"a picture for the challenge",
        Kind::challenge,
        replaced("image/png", "\x89PNG"),
        "transient",
        {"image/png"}}},
      {{"silence",
        Kind::challenge,
        [](const CaProxy::Forward&) -> CaAnswer {
          CaAnswer answer;
          set_header(answer, "Content-Length", "100");
          answer.more = [n = 0]() mutable {
            std::this_thread::sleep_for(200ms);
            return n++ < 100 ? std::string("{") : std::string();
          };
          return answer;
        },
        "deadline",
        {"no whole answer within 3s"}}},
  };
}

TEST_F(LyingCa, OfOrdersAndAuthorizationsFailsOneDomainEachAndLosesNothing) {
  auto cases = lies_in_orders();
  auto more = lies_in_authorizations();
  std::ranges::move(more, std::back_inserter(cases));
  constexpr int honest = 3;
  set_up(static_cast<int>(cases.size()) + honest);
  tell(cases);
  const auto ended = run({"--json", "run", "--once"});
  EXPECT_EQ(ended.status, 1) << ended.err;
  const auto results = by_domain(ended.json());
  for (std::size_t i = 0; i < cases.size(); ++i) {
    SCOPED_TRACE(cases[i].lie.name);
    expect_lie(cases[i], results.at(site(i)));
  }
  for (std::size_t i = cases.size(); i < cases.size() + honest; ++i) {
    EXPECT_EQ(results.at(site(i)).at("outcome").as_string(), "issued") << site(i);
  }

  tell({});
  for (std::size_t i = 0; i < cases.size(); ++i) {
    if (cases[i].lie.kind.empty()) continue;
    SCOPED_TRACE(cases[i].lie.name);
    const auto again = run({"--json", "issue", site(i)});
    const bool limited = cases[i].lie.kind == "throttled";
    EXPECT_EQ(again.status, limited ? 1 : 0) << again.err;
    if (!limited) continue;
    const auto result = by_domain(again.json()).at(site(i));
    const auto until = std::string(result.at("error").at("retry_at").as_string());
    EXPECT_LT(*parse_time(until), loop().clock().now() + 24h * 8);
  }
  for (std::size_t i = 0; i < cases.size(); ++i) {
    EXPECT_EQ(book_->orders_of(site(i)), cases[i].orders) << cases[i].lie.name;
  }
  // Nothing that the CA made was lost: as many certificates as domains, but for the limited one.
  EXPECT_EQ(read_pebble_log(pebble_log()).issued.size(), cases.size() + honest - 1);
}

/// Served instead of the certificate.
CaAnswer chain_answer(std::string pem) {
  CaAnswer answer;
  set_header(answer, "Content-Type", "application/pem-certificate-chain");
  answer.body = std::move(pem);
  return answer;
}

TEST_F(LyingCa, OfCertificatesInstallsNothingWrongAndLosesNoKey) {
  constexpr std::size_t count = 14;
  set_up(count + 1);
  const auto chain = [this](std::size_t index, std::vector<std::string> names, Duration begins,
                            Duration ends, bool own_key = true) {
    return [=, this](const CaProxy::Forward&) {
      return chain_answer(forged(index, names, begins, ends, own_key));
    };
  };
  // For the certificate the issuance gives up at the fifth wrong one, and orders anew.
  const std::vector<Case> cases = {
      {{"another key",
        Kind::certificate,
        chain(0, {site(0)}, -1h, 24h, false),
        "rejected",
        {"another key"}},
       2},
      {{"another name",
        Kind::certificate,
        chain(1, {"bank.example"}, -1h, 24h),
        "rejected",
        {"lacks " + site(1)}},
       2},
      {{"one name more",
        Kind::certificate,
        chain(2, {site(2), "bank.example"}, -1h, 24h),
        "rejected",
        {"names bank.example too"}},
       2},
      {{"expired",
        Kind::certificate,
        chain(3, {site(3)}, -48h, -24h),
        "misconfigured",
        {"expired at", "clock of this machine says"}}},
      {{"not yet valid",
        Kind::certificate,
        chain(4, {site(4)}, 24h * 365, 24h * 400),
        "misconfigured",
        {"not valid before", "clock of this machine says"}}},
      {{"no certificate",
        Kind::certificate,
        [](const CaProxy::Forward&) { return chain_answer("-----BEGIN CERTIFICATE-----\nAA"); },
        "transient",
        {}}},
      {{"a private key",
        Kind::certificate,
        after_forward([](CaAnswer answer) {
          const auto key = crypto::PrivateKey::generate(KeyType::ecdsa_p256);
          answer.body += key->to_pem().reveal();
          return answer;
        }),
        "transient",
        {"other than a CERTIFICATE block"}}},
      {{"a foreign issuer",
        Kind::certificate,
        after_forward([this](CaAnswer answer) {
          answer.body.erase(answer.body.find("-----END") + 26);
          answer.body += crypto::LocalCa("Stranger", loop().clock().now()).root_pem();
          return answer;
        }),
        "rejected",
        {"not signed by the next"}},
       2},
      {{"a web page",
        Kind::certificate,
        after_forward([](const CaAnswer&) { return html_answer(200); }),
        "transient",
        {"text/html instead of a certificate chain"}}},
      {{"bytes",
        Kind::certificate,
        replaced("application/octet-stream", std::string(1000, '\0')),
        "transient",
        {"application/octet-stream"}}},
      {{"a web page for finalize",
        Kind::finalize,
        after_forward([](const CaAnswer&) { return html_answer(200); }),
        "",
        {}}},
      {{"a picture for finalize", Kind::finalize, replaced("image/png", "\x89PNG"), "", {}}},
      {{"no answer to finalize",
        Kind::finalize,
        after_forward([](const CaAnswer&) { return hang_up(); }),
        "",
        {}}},
      {{"always processing",
        Kind::order,
        after_forward([](CaAnswer answer) {
          edit(answer, [](json::object& order) {
            if (order["status"] == "valid") order["status"] = "processing";
          });
          set_header(answer, "Retry-After", "31536000");
          return answer;
        }),
        "deadline",
        {"has not issued within 5s"}}},
  };
  ASSERT_EQ(cases.size(), count);
  std::vector<std::string> served;  // before, from whoever set up the edge
  for (std::size_t i = 0; i < count; ++i) {
    served.push_back(content_of(path("edge") / site(i) / "fullchain.pem"));
  }
  tell(cases);
  const auto ended = run({"--json", "run", "--once"});
  EXPECT_EQ(ended.status, 1) << ended.err;
  const auto results = by_domain(ended.json());
  for (std::size_t i = 0; i < count; ++i) {
    SCOPED_TRACE(cases[i].lie.name);
    expect_lie(cases[i], results.at(site(i)));
    if (!cases[i].lie.kind.empty()) {
      EXPECT_FALSE(std::filesystem::exists(path("vault") / site(i)));
      EXPECT_EQ(content_of(path("edge") / site(i) / "fullchain.pem"), served[i]);
    }
  }
  EXPECT_EQ(results.at(site(count)).at("outcome").as_string(), "issued");

  tell({});
  std::size_t orders = 1;
  for (std::size_t i = 0; i < count; ++i) {
    SCOPED_TRACE(cases[i].lie.name);
    if (!cases[i].lie.kind.empty()) {
      const auto again = run({"--json", "issue", site(i)});
      EXPECT_EQ(again.status, 0) << again.err;
    }
    EXPECT_EQ(book_->orders_of(site(i)), cases[i].orders);
    orders += static_cast<std::size_t>(cases[i].orders);
  }
  EXPECT_EQ(read_pebble_log(pebble_log()).issued.size(), orders);
}

}  // namespace
}  // namespace certherd::e2e
