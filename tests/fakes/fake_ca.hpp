#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "acme/client.hpp"
#include "crypto/local_ca.hpp"
#include "runtime/clock.hpp"
#include "runtime/random.hpp"

namespace certherd::fakes {

/// An ACME CA in memory, seen through the client's interface: it really looks for the challenge
/// values and really signs, takes its time, and on a bad day fails now and then, also after
/// having done its work. The same for the same random numbers.
class FakeCa final : public acme::Client {
 public:
  /// Whether a TXT value is to be seen at a name now.
  using Lookup = std::function<bool(const Fqdn& name, const TxtValue& value)>;

  FakeCa(runtime::Clock& clock, runtime::Random& random, Lookup lookup);

  /// Of a hundred calls, how many break off before, and how many after their work is done.
  void set_faults(int before, int after) {
    faults_before_ = before;
    faults_after_ = after;
  }
  /// Refuses this name when its authorization is looked at.
  void refuse(const Fqdn& name) { refused_.insert(name); }
  /// Lets every validation under way fail, as when the name server has just gone.
  void fail_validations();
  void offer_no_dns_01() { offers_dns_01_ = false; }
  void keep_no_orders_list() { keeps_list_ = false; }

  int orders_placed() const { return static_cast<int>(orders_.size()); }
  int certificates_issued() const { return static_cast<int>(issued_for_.size()); }
  /// How many certificates were issued for these names.
  int issued_for(const std::vector<std::string>& names) const;
  int calls() const { return calls_; }

  Task<Result<acme::Directory>> directory() override;
  Task<Result<acme::AccountInfo>> new_account(acme::NewAccount account) override;
  void use_account(AccountUrl) override {}
  Task<Result<acme::AccountInfo>> fetch_account() override;
  Task<Result<acme::Order>> new_order(std::vector<Fqdn> names) override;
  Task<Result<std::vector<OrderUrl>>> list_orders() override;
  Task<Result<acme::Order>> fetch_order(OrderUrl url) override;
  Task<Result<acme::Authorization>> fetch_authorization(AuthorizationUrl url) override;
  Task<Result<acme::Challenge>> answer(ChallengeUrl url) override;
  Task<Result<acme::Order>> finalize(OrderUrl order, FinalizeUrl url, std::string csr) override;
  Task<Result<acme::Chain>> download(CertificateUrl url) override;
  TxtValue challenge_value(const std::string& token) const override;

 private:
  struct Authorization {
    acme::Authorization shown;
    std::optional<Time> valid_from;  ///< when the validation under way will be over
    bool succeeds = false;
  };
  struct Order {
    acme::Order shown;
    std::optional<Time> issued_from;  ///< when the certificate will be there
    std::string chain;
  };

  /// The time an exchange takes, and the fault that strikes it before its work, if any.
  Task<std::optional<Error>> exchange(std::string op);
  std::optional<Error> lost_reply(std::string op);
  void settle(Order& order);
  Error unknown(std::string op) const;

  runtime::Clock& clock_;
  runtime::Random& random_;
  Lookup lookup_;
  crypto::LocalCa ca_;
  std::set<Fqdn> refused_;
  bool offers_dns_01_ = true;
  bool keeps_list_ = true;
  int faults_before_ = 0;
  int faults_after_ = 0;
  int calls_ = 0;
  std::uint64_t next_ = 1;
  std::map<std::string, Order> orders_;  ///< by URL
  std::map<std::string, Authorization> authorizations_;
  std::vector<std::vector<std::string>> issued_for_;
};

}  // namespace certherd::fakes
