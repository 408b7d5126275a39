#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "acme/client.hpp"
#include "crypto/csr.hpp"
#include "crypto/local_ca.hpp"
#include "http/client.hpp"
#include "runtime/clock.hpp"
#include "runtime/random.hpp"
#include "sim/boulder_limits.hpp"
#include "sim/line.hpp"
#include "sim/paper_pki.hpp"

namespace certherd::sim {

/// A CA's refusal as the real client tells it: `type` is the part behind
/// urn:ietf:params:acme:error:.
Error refusal(std::string op, int status, std::string_view type, std::string_view detail,
              Time now = {}, const http::Headers& headers = {});

/// An ACME CA in memory, seen through the client's interface: it really looks for the challenge
/// values and really signs, takes its time, and on a bad day fails now and then, also after
/// having done its work. The same for the same random numbers. By itself it speaks for one
/// account that is there from the start; client() gives clients for others.
class FakeCa final : public acme::Client {
 public:
  /// Whether a TXT value is to be seen at a name now.
  using Lookup = std::function<bool(const Fqdn& name, const TxtValue& value)>;

  FakeCa(runtime::Clock& clock, runtime::Random& random, Lookup lookup);

  /// Of a hundred calls, how many break off before, and how many after their work is done.
  void set_faults(int before, int after) {
    auto options = line_.options();
    options.breaks_before = before / 100.0;
    options.breaks_after = after / 100.0;
    line_.set_options(options);
  }
  /// Nobody answers there from now on, or again.
  void set_down(bool down) { line_.set_down_until(down ? Time::max() : Time::min()); }
  Line& line() { return line_; }
  /// How long a validation takes.
  void validate_within(Duration least, Duration most) { validates_within_ = {least, most}; }
  void set_validity(Duration validity) { validity_ = validity; }
  Duration validity() const { return validity_; }
  /// Refuses this name when its authorization is looked at.
  void refuse(const Fqdn& name) { refused_.insert(name); }
  /// And no longer.
  void pardon(const Fqdn& name) { refused_.erase(name); }
  /// Lets every validation under way fail, as when the name server has just gone.
  void fail_validations();
  void offer_no_dns_01() { offers_dns_01_ = false; }
  void keep_no_orders_list() { keeps_list_ = false; }

  void offer_profiles(std::map<std::string, std::string> profiles) {
    directory_.profiles = std::move(profiles);
  }
  /// Another chain for each certificate, up to a root of this name.
  void offer_alternate(std::string_view root);
  /// Breaks off the next so many downloads of other chains.
  void lose_alternates(int downloads) { lost_alternates_ = downloads; }
  /// Refuses every order for this name (its first one) with that error, until allow_orders().
  void refuse_orders(const Fqdn& name, Error error) {
    refused_orders_.insert_or_assign(name, std::move(error));
  }
  void allow_orders() { refused_orders_.clear(); }
  /// Refuses the next finalize with this error and leaves the order as it is.
  void refuse_next_finalize(Error error) { refused_finalize_.push_back(std::move(error)); }
  /// Of a hundred names that were validated before, how many are authorized from the start.
  void reuse_authorizations(int percent) { reused_ = percent; }
  /// Leaves authorizations that are valid out of an order.
  void list_only_what_is_to_do() { lists_valid_ = false; }
  void shuffle_authorizations() { shuffles_ = true; }
  /// Gives out an order for the same names again as long as it can be finalized, as Boulder does.
  void hand_out_orders_again() { hands_out_again_ = true; }
  /// Refuses every order that says what it replaces.
  void refuse_predecessors(Error error) { refused_predecessors_ = std::move(error); }
  /// Calls a certificate, by its ARI id, replaced by somebody else's order.
  void call_replaced(std::string ari_id) { replaced_.insert(std::move(ari_id)); }
  /// What the last order was said to replace.
  const std::string& last_replaces() const { return last_replaces_; }
  const std::string& last_profile() const { return last_profile_; }

  /// Refuses by Boulder's limits from now on; limits() knows how often it had to.
  void keep_limits(BoulderLimits::Options options) { limits_.emplace(options); }
  const BoulderLimits& limits() const { return limits_.value(); }

  /// Of the certificate that it issues first; the next ones have the next ones.
  void number_from(std::size_t serial) { first_serial_ = serial; }

  /// What it says of a certificate, by its ARI id; it knows no others.
  void set_window(std::string ari_id, RenewalWindow window) {
    windows_.insert_or_assign(std::move(ari_id), std::move(window));
  }
  /// From now on it names windows for what it issues, as Boulder does (wfe2 of 2026-08): at two
  /// thirds of the lifetime, a half below ten days, a fiftieth wide; and wants to be asked again
  /// after `again_after`.
  void give_windows(Duration again_after) {
    gives_windows_ = true;
    asked_again_after_ = again_after;
    offer_renewal_info();
  }
  /// A certificate that was got before everything here began; the chain in PEM.
  std::string give(const std::vector<Fqdn>& names, const std::string& public_key, Time not_before,
                   Time not_after);
  /// What it knows of a certificate with a window.
  struct Given {
    std::vector<std::string> names;
    Time not_before{};
    Time not_after{};
    std::optional<Time> recalled_at = {};
    std::string explanation = {};
  };
  std::optional<Given> given(const std::string& ari_id) const;
  /// Wants this share of its good certificates that have no successor replaced at once: their
  /// windows lie in the past from now on, as Boulder has them before it revokes. Gives how many.
  int recall(double share, std::string explanation);
  /// How many of these have no successor yet.
  int recalled_left() const;
  /// Forgets orders that are older, and certificates that have ended: years of a large fleet fit
  /// into memory.
  void forget_after(Duration age) { forgets_after_ = age; }
  /// A client reckons from its own clock when it is to ask again.
  void tell_times_by(const runtime::Clock& clock) { clock_of_client_ = &clock; }
  /// Takes requests of paper from now on, and issues certificates of paper.
  void issue_paper(const PaperPki& paper) { paper_ = &paper; }
  /// Is asked to look at each finalize before it is carried out.
  using Watch = std::function<Task<void>(OrderUrl order, std::string csr, crypto::CsrInfo request,
                                         std::string replaces)>;
  void set_watch(Watch watch) { watch_ = std::move(watch); }
  /// Is told of the names of each order that is placed.
  void set_order_watch(std::function<void(const std::vector<Fqdn>&)> watch) {
    order_watch_ = std::move(watch);
  }

  /// How many times it was asked about renewals.
  int renewal_questions() const { return renewal_questions_; }
  /// How often some were asked together, or one alone.
  int renewal_batches() const { return renewal_batches_; }
  void offer_renewal_info() { directory_.renewal_info = "https://ca.test/renewal-info"; }
  void offer_no_key_change() { directory_.key_change.clear(); }

  /// Revokes for these reasons only; others get badRevocationReason.
  void take_reasons(std::set<int> reasons) { reasons_ = std::move(reasons); }

  /// A client that signs by this key, for accounts that are made, rolled over and ended.
  std::unique_ptr<acme::Client> client(const crypto::PrivateKey& key);

  /// The reason that it was revoked with (0 when none was given); nothing: it was not.
  std::optional<int> revoked(const Fingerprint& certificate) const;

  int orders_placed() const { return static_cast<int>(orders_.size()); }
  int certificates_issued() const { return issued_; }
  /// How many certificates were issued for these names.
  int issued_for(const std::vector<std::string>& names) const;
  int calls() const { return calls_; }

  Task<Result<acme::Directory>> directory() override;
  Task<Result<acme::AccountInfo>> new_account(acme::NewAccount account) override;
  void use_account(AccountUrl) override {}
  Task<Result<acme::AccountInfo>> fetch_account() override;
  Task<Result<acme::AccountInfo>> update_account(std::vector<std::string> contact) override;
  Task<Result<acme::AccountInfo>> deactivate_account() override;
  Task<Status> change_key(crypto::PrivateKey next) override;
  Task<Result<acme::Order>> new_order(acme::NewOrder wanted) override;
  Task<Result<std::vector<OrderUrl>>> list_orders() override;
  Task<Result<acme::Order>> fetch_order(OrderUrl url) override;
  Task<Result<acme::Authorization>> fetch_authorization(AuthorizationUrl url) override;
  Task<Result<acme::Challenge>> answer(ChallengeUrl url) override;
  Task<Result<acme::Order>> finalize(OrderUrl order, FinalizeUrl url, std::string csr) override;
  Task<Result<acme::Chain>> download(CertificateUrl url) override;
  Task<Result<acme::RenewalInfo>> renewal_info(std::string ari_id) override;
  Task<std::vector<Result<acme::RenewalInfo>>> renewal_infos(
      std::vector<std::string> ari_ids) override;
  Task<Status> revoke(std::string certificate_der, std::optional<int> reason) override;
  Task<Status> revoke_by_key(std::string certificate_der, crypto::PrivateKey key,
                             std::optional<int> reason) override;
  TxtValue challenge_value(const std::string& token) const override;

 private:
  friend class FakeAccountClient;

  /// Who signs a request: a key, by its thumbprint, and the account that it is said to be of.
  struct Signer {
    std::string thumbprint;
    AccountUrl account;
  };
  struct Authorization {
    acme::Authorization shown;
    std::optional<Time> valid_from;  ///< when the validation under way will be over
    bool succeeds = false;
  };
  struct Order {
    acme::Order shown;
    std::optional<Time> issued_from;  ///< when the certificate will be there
    std::string chain;
    std::string replaces;
  };

  /// The time an exchange takes, and the fault that strikes it before its work, if any.
  Task<std::optional<Error>> exchange(std::string op);
  std::string issue(const std::vector<std::string>& names, const std::string& public_key,
                    Time not_before, Time not_after);
  std::string ari_id_of(const std::string& chain, std::uint64_t serial);
  void forget_old();
  std::optional<RenewalWindow> window_of(const std::string& ari_id) const;
  void end_validations();
  void settle(Order& order);
  std::optional<Error> limited(const std::vector<std::string>& names, const std::string& replaces);
  Authorization& authorization_for(const Fqdn& name);
  Order* order_again(const std::vector<std::string>& names);
  Task<Result<acme::AccountInfo>> find_or_make_account(Signer* signer, acme::NewAccount account);
  Task<Result<acme::AccountInfo>> change_account(const Signer* signer, std::string op,
                                                 std::function<void(acme::AccountInfo&)> change);
  Task<Status> roll_over(Signer* signer, crypto::PrivateKey next);
  Task<Result<acme::Challenge>> answer_by(const Signer* signer, ChallengeUrl url);
  Task<Status> revoke_by(std::string certificate_der, std::optional<crypto::PrivateKey> key,
                         std::optional<int> reason);
  /// Why this signer may do nothing; nothing when it may.
  std::optional<Error> denied(const Signer& signer, std::string op) const;
  static TxtValue value_of(const Signer& signer, const std::string& token);
  Error unknown(std::string op) const;

  runtime::Clock& clock_;
  runtime::Random& random_;
  Lookup lookup_;
  Line line_;
  crypto::LocalCa ca_;
  const runtime::Clock* clock_of_client_ = &clock_;
  const PaperPki* paper_ = nullptr;                    ///< null: what it issues is real
  std::map<std::string, crypto::LocalCa> alternates_;  ///< by the name of the root
  int lost_alternates_ = 0;
  std::set<Fqdn> refused_;
  std::size_t first_serial_ = 0x1000;
  std::map<Fqdn, Error> refused_orders_;
  std::deque<Error> refused_finalize_;
  std::optional<Error> refused_predecessors_;
  int reused_ = 0;
  bool lists_valid_ = true;
  bool shuffles_ = false;
  bool hands_out_again_ = false;
  std::string last_replaces_;
  std::string last_profile_;
  std::optional<BoulderLimits> limits_;
  bool offers_dns_01_ = true;
  bool keeps_list_ = true;
  int calls_ = 0;
  std::uint64_t next_ = 1;
  acme::Directory directory_;
  Signer own_;
  std::map<std::string, acme::AccountInfo> accounts_;       ///< by the thumbprint of the key
  std::map<Fingerprint, int> revoked_;                      ///< with the reason
  std::optional<std::set<int>> reasons_;                    ///< that it revokes for; nothing: all
  std::unordered_map<std::string, RenewalWindow> windows_;  ///< by ARI id
  int renewal_questions_ = 0;
  int renewal_batches_ = 0;
  bool gives_windows_ = false;
  std::string key_id_;  ///< of the root, as ARI ids begin with it; empty: not read yet
  Duration asked_again_after_ = std::chrono::hours(6);  // as Boulder says
  std::unordered_map<std::string, Given> given_;        ///< by ARI id
  std::multimap<Time, std::string> expiries_;           ///< of those
  std::optional<Duration> forgets_after_;
  std::deque<std::pair<Time, std::string>> ages_;  ///< of orders
  Watch watch_;
  std::function<void(const std::vector<Fqdn>&)> order_watch_;
  std::pair<Duration, Duration> validates_within_{std::chrono::milliseconds(200),
                                                  std::chrono::seconds(5)};
  Duration validity_ = std::chrono::days(90);
  std::set<std::string> replaced_;       ///< ARI ids of certificates with a successor
  std::map<std::string, Order> orders_;  ///< by URL
  std::map<std::string, Authorization> authorizations_;
  std::multimap<Time, std::string> validations_;  ///< under way: when each ends, and its URL
  int issued_ = 0;
  std::map<std::vector<std::string>, int> issued_for_;
};

}  // namespace certherd::sim
