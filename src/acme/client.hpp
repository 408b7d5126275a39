#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "base/secret.hpp"
#include "crypto/private_key.hpp"
#include "model/fqdn.hpp"
#include "model/identifiers.hpp"
#include "model/renewal.hpp"
#include "runtime/task.hpp"

namespace certherd::acme {

/// RFC 8555 section 7.1.1. Empty URLs: the server does not offer it.
struct Directory {
  std::string new_nonce;
  std::string new_account;
  std::string new_order;
  std::string revoke_cert;
  std::string key_change;
  std::string renewal_info;
  std::string terms_of_service;
  std::string website;
  std::vector<std::string> caa_identities;
  std::map<std::string, std::string> profiles;  ///< what each is in the CA's words, by name
  bool external_account_required = false;
  std::optional<Time> date;  ///< when the CA sent it, by the CA's clock
};

/// RFC 8555 section 7.1.2.
struct AccountInfo {
  AccountUrl url;
  std::string status;  ///< valid, deactivated or revoked
  std::vector<std::string> contact;
  std::string orders;    ///< URL of its orders list; empty where there is none
  bool created = false;  ///< false: the key was known already
};

/// What a CA with accounts of its own kind gave out to bind an ACME account to one of them (RFC
/// 8555 section 7.3.4).
struct ExternalAccount {
  std::string kid;
  Secret<std::string> hmac_key;  ///< its octets, no longer in base64url
};

struct NewAccount {
  std::vector<std::string> contact;  ///< mailto: URLs
  bool terms_of_service_agreed = false;
  bool only_return_existing = false;        ///< a key without an account: accountDoesNotExist
  std::optional<ExternalAccount> external;  ///< only looked at when the account is made
};

struct NewOrder {
  std::vector<Fqdn> names;
  std::string profile;   ///< one of the directory's; empty: the CA chooses
  std::string replaces;  ///< ARI id of the certificate that this one follows (RFC 9773 section
                         ///< 5); left out where the CA has no renewal information
};

enum class OrderStatus { pending, ready, processing, valid, invalid };

/// RFC 8555 section 7.1.3.
struct Order {
  OrderUrl url;
  OrderStatus status = OrderStatus::pending;
  std::vector<std::string> identifiers;  ///< DNS names, wildcards with their `*.`; sorted
  std::vector<AuthorizationUrl> authorizations;
  FinalizeUrl finalize;
  CertificateUrl certificate;  ///< empty until valid
  std::string profile;         ///< empty where the CA has none
  std::optional<Error> error;  ///< why it is invalid, kind rejected, the problem kept whole
  std::optional<Time> expires;
  std::optional<Time> retry_at;  ///< the server's Retry-After
  std::optional<Time> date;      ///< when the CA sent it, by the CA's clock
};

enum class AuthorizationStatus { pending, valid, invalid, deactivated, expired, revoked };

/// RFC 8555 section 8. Unknown types are kept and left alone.
struct Challenge {
  std::string type;
  ChallengeUrl url;
  std::string token;  ///< checked to be base64url
  std::string status;
  std::optional<Error> error;
};

/// RFC 8555 section 7.1.4.
struct Authorization {
  AuthorizationUrl url;
  AuthorizationStatus status = AuthorizationStatus::pending;
  Fqdn identifier;  ///< without `*.`
  bool wildcard = false;
  std::vector<Challenge> challenges;
  std::optional<Time> retry_at;

  /// Its dns-01 challenge, if offered.
  const Challenge* dns_01() const;
};

/// RFC 9773 section 4.2.
struct RenewalInfo {
  RenewalWindow window;
  std::optional<Time> retry_at;  ///< when to ask again; nothing: the CA did not say
};

struct Chain {
  std::string pem;                         ///< leaf first
  std::vector<CertificateUrl> alternates;  ///< other chains for the same leaf
};

/// One account at one CA: a call per exchange of RFC 8555, none of which waits for a state.
/// Retry-After comes back as data. Owned by app, used on the loop, any number of calls at once.
/// Errors of all calls: transient, throttled (retry_at), denied, rejected with the problem kept
/// whole, deadline; not_found when a resource is gone.
class Client {
 public:
  virtual ~Client() = default;

  virtual Task<Result<Directory>> directory() = 0;

  /// newAccount by the account key; the answer's URL signs every later call. An unknown key with
  /// only_return_existing: denied, the problem is_acme("accountDoesNotExist").
  virtual Task<Result<AccountInfo>> new_account(NewAccount account) = 0;

  /// Goes on with an account known from before, without asking.
  virtual void use_account(AccountUrl url) = 0;

  virtual Task<Result<AccountInfo>> fetch_account() = 0;

  /// Gives the account these contacts (mailto: URLs) in place of its old ones.
  virtual Task<Result<AccountInfo>> update_account(std::vector<std::string> contact) = 0;

  /// Ends the account for good: nobody can take it up again (RFC 8555 section 7.3.6).
  virtual Task<Result<AccountInfo>> deactivate_account() = 0;

  /// keyChange (RFC 8555 section 7.3.5). On success `next` signs all later calls and stands behind
  /// all later challenge values; what is under way meanwhile may be refused. Before it returns the
  /// account was asked for by `next`. After a transient error the CA holds either key: new_account
  /// with only_return_existing tells for each.
  /// Errors besides: conflict (`next` has an account already), not_found (the CA offers none).
  virtual Task<Status> change_key(crypto::PrivateKey next) = 0;

  /// Places an order. Not to be repeated blindly: each call may make another one.
  /// Errors besides: misconfigured for a profile that the CA does not offer, naming those it does;
  /// conflict when `replaces` was followed by another order already (alreadyReplaced).
  virtual Task<Result<Order>> new_order(NewOrder order) = 0;

  /// The account's order URLs, newest page last; empty where the server keeps no list (Boulder).
  virtual Task<Result<std::vector<OrderUrl>>> list_orders() = 0;

  virtual Task<Result<Order>> fetch_order(OrderUrl url) = 0;
  virtual Task<Result<Authorization>> fetch_authorization(AuthorizationUrl url) = 0;

  /// Tells the CA that the challenge value stands. Harmless when said twice.
  virtual Task<Result<Challenge>> answer(ChallengeUrl url) = 0;

  /// `csr` is DER in base64url. Spends a certificate. The order's own URL is not part of the
  /// answer everywhere, so it is given.
  virtual Task<Result<Order>> finalize(OrderUrl order, FinalizeUrl url, std::string csr) = 0;

  virtual Task<Result<Chain>> download(CertificateUrl url) = 0;

  /// When the CA wants the certificate with this ARI id to be renewed (RFC 9773 section 4.1). Not
  /// signed, and no account is needed. Errors besides: not_found when the CA has no renewal
  /// information, or does not know the certificate.
  virtual Task<Result<RenewalInfo>> renewal_info(std::string ari_id) = 0;

  /// The same for many certificates, a few at a time: what renewal_info() gives for each, in their
  /// order.
  virtual Task<std::vector<Result<RenewalInfo>>> renewal_infos(std::vector<std::string> ari_ids);

  /// Revokes a certificate (DER) by the account, which must have ordered it or be authorized for
  /// all its names. `reason` is a code of RFC 5280 section 5.3.1. Errors besides: conflict when it
  /// is revoked already, not_found when the CA revokes nothing.
  virtual Task<Status> revoke(std::string certificate_der, std::optional<int> reason) = 0;

  /// The same by the certificate's own key; no account is needed.
  virtual Task<Status> revoke_by_key(std::string certificate_der, crypto::PrivateKey key,
                                     std::optional<int> reason) = 0;

  /// SHA-256 of the key authorization in base64url: the TXT value (RFC 8555 section 8.4).
  virtual TxtValue challenge_value(const std::string& token) const = 0;
};

}  // namespace certherd::acme
