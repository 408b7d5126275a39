#include "sim/fake_ca.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

#include "acme/problem.hpp"
#include "crypto/csr.hpp"
#include "crypto/encoding.hpp"
#include "crypto/jws.hpp"
#include "crypto/x509.hpp"

namespace certherd::sim {
namespace {

using namespace std::chrono_literals;

/// Of all roots, so that ARI ids are the same in each run. It signs for nobody else.
Secret<std::string> root_key() {
  return Secret<std::string>(
      "-----BEGIN PRIVATE KEY-----\n"
      "MC4CAQAwBQYDK2VwBCIEIAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8g\n-----END PRIVATE "
      "KEY-----\n");
}

Error error_of(Error::Kind kind, std::string op, std::string detail) {
  Error error;
  error.kind = kind;
  error.op = std::move(op);
  error.detail = std::move(detail);
  return error;
}

constexpr std::string_view challenge_prefix = "https://ca.test/challenge/";
constexpr std::string_view certificate_suffix = "/certificate";

std::string url(std::string_view kind, std::uint64_t number) {
  return fmt::format("https://ca.test/{}/{}", kind, number);
}

}  // namespace

Error refusal(std::string op, int status, std::string_view type, std::string_view detail, Time now,
              const http::Headers& headers) {
  http::Response response;
  response.status = status;
  response.headers = headers;
  response.headers.emplace_back("content-type", "application/problem+json");
  response.body = boost::json::serialize(boost::json::object{
      {"type", fmt::format("urn:ietf:params:acme:error:{}", type)}, {"detail", detail}});
  return acme::to_error(std::move(op), response, now);
}

FakeCa::FakeCa(runtime::Clock& clock, runtime::Random& random, Lookup lookup)
    : clock_(clock),
      random_(random),
      lookup_(std::move(lookup)),
      line_(clock, random),
      ca_("fake root", clock.now(), crypto::PrivateKey::from_pem(root_key()).value()),
      own_{.thumbprint = "own", .account = AccountUrl(url("account", 0))} {
  directory_.new_account = "https://ca.test/new-account";
  directory_.new_order = "https://ca.test/new-order";
  directory_.revoke_cert = "https://ca.test/revoke";
  directory_.key_change = "https://ca.test/key-change";
  acme::AccountInfo own;
  own.url = own_.account;
  own.status = "valid";
  accounts_.emplace(own_.thumbprint, std::move(own));
}

Task<std::optional<Error>> FakeCa::exchange(std::string op) {
  ++calls_;
  end_validations();
  forget_old();
  return line_.there(std::move(op));
}

Error FakeCa::unknown(std::string op) const {
  return error_of(Error::Kind::not_found, std::move(op), "the CA knows no such thing");
}

Task<Result<acme::Directory>> FakeCa::directory() { co_return directory_; }

Task<Result<acme::AccountInfo>> FakeCa::new_account(acme::NewAccount account) {
  return find_or_make_account(&own_, std::move(account));
}

Task<Result<acme::AccountInfo>> FakeCa::find_or_make_account(Signer* signer,
                                                             acme::NewAccount account) {
  if (auto fault = co_await exchange("newAccount")) co_return fail(std::move(*fault));
  auto found = accounts_.find(signer->thumbprint);
  const bool known = found != accounts_.end();
  if (!known && account.only_return_existing) {
    co_return fail(refusal("newAccount", 400, "accountDoesNotExist", "no account has this key"));
  }
  if (known && found->second.status != "valid") {
    co_return fail(refusal("newAccount", 403, "unauthorized", "the account was deactivated"));
  }
  if (!known) {
    acme::AccountInfo made;
    made.url = AccountUrl(url("account", next_++));
    made.status = "valid";
    made.contact = std::move(account.contact);
    found = accounts_.emplace(signer->thumbprint, std::move(made)).first;
  }
  auto shown = found->second;
  shown.created = !known;
  if (auto fault = co_await line_.back("newAccount")) co_return fail(std::move(*fault));
  signer->account = shown.url;
  co_return shown;
}

std::optional<Error> FakeCa::denied(const Signer& signer, std::string op) const {
  const auto found = accounts_.find(signer.thumbprint);
  if (found == accounts_.end() || found->second.url != signer.account) {
    return refusal(std::move(op), 403, "unauthorized", "the key is not the account's");
  }
  if (found->second.status == "valid") return std::nullopt;
  return refusal(std::move(op), 403, "unauthorized", "the account was deactivated");
}

Task<Result<acme::AccountInfo>> FakeCa::change_account(
    const Signer* signer, std::string op, std::function<void(acme::AccountInfo&)> change) {
  if (auto fault = co_await exchange(op)) co_return fail(std::move(*fault));
  if (auto refused = denied(*signer, op)) co_return fail(std::move(*refused));
  auto& account = accounts_.at(signer->thumbprint);
  change(account);
  if (auto fault = co_await line_.back(op)) co_return fail(std::move(*fault));
  co_return account;
}

Task<Result<acme::AccountInfo>> FakeCa::fetch_account() {
  return change_account(&own_, "account", [](acme::AccountInfo&) {});
}

Task<Result<acme::AccountInfo>> FakeCa::update_account(std::vector<std::string> contact) {
  return change_account(&own_, "update account",
                        [contact](acme::AccountInfo& account) { account.contact = contact; });
}

Task<Result<acme::AccountInfo>> FakeCa::deactivate_account() {
  return change_account(&own_, "deactivate account",
                        [](acme::AccountInfo& account) { account.status = "deactivated"; });
}

Task<Status> FakeCa::change_key(crypto::PrivateKey next) {
  return roll_over(&own_, std::move(next));
}

Task<Status> FakeCa::roll_over(Signer* signer, crypto::PrivateKey next) {
  if (directory_.key_change.empty()) {
    co_return fail(error_of(Error::Kind::not_found, "keyChange", "the CA offers no keyChange"));
  }
  if (auto fault = co_await exchange("keyChange")) co_return fail(std::move(*fault));
  if (auto refused = denied(*signer, "keyChange")) co_return fail(std::move(*refused));
  auto thumbprint = crypto::jwk_thumbprint(next);
  if (accounts_.contains(thumbprint)) {
    co_return fail(refusal("keyChange", 409, "conflict", "the new key has an account already"));
  }
  auto account = accounts_.extract(signer->thumbprint);
  account.key() = thumbprint;
  accounts_.insert(std::move(account));
  if (auto fault = co_await line_.back("keyChange")) co_return fail(std::move(*fault));
  signer->thumbprint = std::move(thumbprint);
  co_return Status{};
}

Task<Result<acme::Order>> FakeCa::new_order(acme::NewOrder wanted) {
  if (auto fault = co_await exchange("newOrder")) co_return fail(std::move(*fault));
  if (!wanted.profile.empty() && !directory_.profiles.contains(wanted.profile)) {
    co_return fail(refusal("newOrder", 400, "invalidProfile", "no such profile"));
  }
  if (directory_.renewal_info.empty()) wanted.replaces.clear();
  last_replaces_ = wanted.replaces;
  last_profile_ = wanted.profile;
  if (const auto refused = refused_orders_.find(wanted.names.front());
      refused != refused_orders_.end()) {
    co_return fail(refused->second);
  }
  if (!wanted.replaces.empty() && refused_predecessors_) co_return fail(*refused_predecessors_);
  if (replaced_.contains(wanted.replaces)) {
    co_return fail(refusal("newOrder", 409, "alreadyReplaced", "it was replaced before"));
  }
  std::vector<std::string> names;
  names.reserve(wanted.names.size());
  for (const auto& name : wanted.names) names.push_back(name.text());
  std::ranges::sort(names);
  if (auto refused = limited(names, wanted.replaces)) co_return fail(std::move(*refused));
  if (const auto* same = order_again(names)) {
    auto shown = same->shown;
    shown.date = clock_.now();
    if (auto fault = co_await line_.back("newOrder")) co_return fail(std::move(*fault));
    co_return shown;
  }
  if (order_watch_) order_watch_(wanted.names);
  const auto number = next_++;
  Order order;
  order.replaces = wanted.replaces;
  order.shown.profile = wanted.profile;
  order.shown.url = OrderUrl(url("order", number));
  order.shown.finalize = FinalizeUrl(url("finalize", number));
  order.shown.identifiers = std::move(names);
  for (const auto& name : wanted.names) {
    const auto& authorization = authorization_for(name).shown;
    const bool valid = authorization.status == acme::AuthorizationStatus::valid;
    if (!valid || lists_valid_) order.shown.authorizations.push_back(authorization.url);
  }
  auto& listed = order.shown.authorizations;
  for (std::size_t i = listed.size(); shuffles_ && i > 1; --i) {
    std::swap(listed[i - 1], listed[random_.uniform(0, i - 1)]);
  }
  order.shown.date = clock_.now();
  auto shown = order.shown;
  if (forgets_after_) ages_.emplace_back(clock_.now(), order.shown.url.text());
  orders_.emplace(order.shown.url.text(), std::move(order));
  if (auto fault = co_await line_.back("newOrder")) co_return fail(std::move(*fault));
  co_return shown;
}

std::optional<Error> FakeCa::limited(const std::vector<std::string>& names,
                                     const std::string& replaces) {
  if (!limits_) return std::nullopt;
  const auto window = window_of(replaces);
  const bool in_window = window && window->start <= clock_.now() && clock_.now() < window->end;
  const auto refusal = limits_->new_order(own_.account.text(), names, in_window, clock_.now());
  if (!refusal) return std::nullopt;
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(refusal->retry_in).count();
  return sim::refusal("newOrder", 429, "rateLimited", refusal->detail, clock_of_client_->now(),
                      {{"retry-after", std::to_string(seconds)}});
}

FakeCa::Authorization& FakeCa::authorization_for(const Fqdn& name) {
  if (reused_ > 0) {
    for (auto& [text, known] : authorizations_) {
      const bool same = known.shown.identifier == name.without_wildcard() &&
                        known.shown.wildcard == name.is_wildcard() &&
                        known.shown.status == acme::AuthorizationStatus::valid;
      if (same && random_.uniform(1, 100) <= static_cast<std::uint64_t>(reused_)) return known;
    }
  }
  const auto own = next_++;
  Authorization made;
  made.shown.url = AuthorizationUrl(url("authz", own));
  made.shown.identifier = name.without_wildcard();
  made.shown.wildcard = name.is_wildcard();
  acme::Challenge challenge;
  challenge.type = offers_dns_01_ ? "dns-01" : "http-01";
  challenge.url = ChallengeUrl(url("challenge", own));
  challenge.token = fmt::format("token-{}", own);
  challenge.status = "pending";
  made.shown.challenges.push_back(std::move(challenge));
  auto text = made.shown.url.text();
  return authorizations_.emplace(std::move(text), std::move(made)).first->second;
}

FakeCa::Order* FakeCa::order_again(const std::vector<std::string>& names) {
  if (!hands_out_again_) return nullptr;
  for (auto& [text, order] : orders_) {
    if (order.shown.identifiers != names) continue;
    settle(order);
    const auto status = order.shown.status;
    if (status == acme::OrderStatus::pending || status == acme::OrderStatus::ready) return &order;
  }
  return nullptr;
}

Task<Result<std::vector<OrderUrl>>> FakeCa::list_orders() {
  if (auto fault = co_await exchange("orders")) co_return fail(std::move(*fault));
  std::vector<OrderUrl> urls;
  if (keeps_list_) {
    for (const auto& [text, order] : orders_) urls.emplace_back(text);
  }
  co_return urls;
}

void FakeCa::fail_validations() {
  for (auto& [url, authorization] : authorizations_) {
    const bool over = !authorization.valid_from || *authorization.valid_from <= clock_.now();
    if (!over) authorization.succeeds = false;
  }
}

/// Ends the validations whose time has come, whoever asks about them.
void FakeCa::end_validations() {
  while (!validations_.empty() && validations_.begin()->first <= clock_.now()) {
    const auto [when, text] = *validations_.begin();
    validations_.erase(validations_.begin());
    const auto found = authorizations_.find(text);
    if (found == authorizations_.end()) continue;
    auto& [shown, valid_from, succeeds] = found->second;
    shown.status = succeeds ? acme::AuthorizationStatus::valid : acme::AuthorizationStatus::invalid;
    if (succeeds) continue;
    shown.challenges.front().error =
        error_of(Error::Kind::rejected, "dns-01", "no such TXT value was found");
    if (limits_) limits_->failed(own_.account.text(), shown.identifier.text(), when);
  }
}

void FakeCa::settle(Order& order) {
  end_validations();
  auto& shown = order.shown;
  shown.date = clock_.now();
  if (order.issued_from) {
    const bool there = clock_.now() >= *order.issued_from;
    shown.status = there ? acme::OrderStatus::valid : acme::OrderStatus::processing;
    if (there)
      shown.certificate = CertificateUrl(shown.url.text() + std::string(certificate_suffix));
    return;
  }
  bool all_valid = true;
  for (const auto& authorization_url : shown.authorizations) {
    const auto status = authorizations_.at(authorization_url.text()).shown.status;
    all_valid = all_valid && status == acme::AuthorizationStatus::valid;
    if (status == acme::AuthorizationStatus::invalid) shown.status = acme::OrderStatus::invalid;
  }
  if (shown.status == acme::OrderStatus::pending && all_valid) {
    shown.status = acme::OrderStatus::ready;
  }
}

Task<Result<acme::Order>> FakeCa::fetch_order(OrderUrl order_url) {
  if (auto fault = co_await exchange("order")) co_return fail(std::move(*fault));
  auto found = orders_.find(order_url.text());
  if (found == orders_.end()) co_return fail(unknown("order"));
  settle(found->second);
  co_return found->second.shown;
}

Task<Result<acme::Authorization>> FakeCa::fetch_authorization(AuthorizationUrl authorization_url) {
  if (auto fault = co_await exchange("authorization")) co_return fail(std::move(*fault));
  auto found = authorizations_.find(authorization_url.text());
  if (found == authorizations_.end()) co_return fail(unknown("authorization"));
  co_return found->second.shown;
}

Task<Result<acme::Challenge>> FakeCa::answer(ChallengeUrl challenge_url) {
  return answer_by(&own_, std::move(challenge_url));
}

Task<Result<acme::Challenge>> FakeCa::answer_by(const Signer* signer, ChallengeUrl challenge_url) {
  if (auto fault = co_await exchange("challenge")) co_return fail(std::move(*fault));
  const auto own = challenge_url.text().starts_with(challenge_prefix)
                       ? authorizations_.find("https://ca.test/authz/" +
                                              challenge_url.text().substr(challenge_prefix.size()))
                       : authorizations_.end();
  if (own != authorizations_.end()) {
    auto& authorization = own->second;
    auto& challenge = authorization.shown.challenges.front();
    if (!authorization.valid_from) {
      const auto& identifier = authorization.shown.identifier;
      const auto least = static_cast<std::uint64_t>(validates_within_.first.count());
      const auto most = static_cast<std::uint64_t>(validates_within_.second.count());
      authorization.valid_from = clock_.now() + Duration(random_.uniform(least, most));
      authorization.succeeds =
          !refused_.contains(identifier) &&
          lookup_(identifier.challenge_name(), value_of(*signer, challenge.token));
      validations_.emplace(*authorization.valid_from, authorization.shown.url.text());
    }
    auto shown = challenge;
    if (auto fault = co_await line_.back("challenge")) co_return fail(std::move(*fault));
    co_return shown;
  }
  co_return fail(unknown("challenge"));
}

Task<Result<acme::Order>> FakeCa::finalize(OrderUrl order_url, FinalizeUrl, std::string csr) {
  if (auto fault = co_await exchange("finalize")) co_return fail(std::move(*fault));
  auto found = orders_.find(order_url.text());
  if (found == orders_.end()) co_return fail(unknown("finalize"));
  auto& order = found->second;
  settle(order);
  if (!refused_finalize_.empty()) {
    auto refused = std::move(refused_finalize_.front());
    refused_finalize_.pop_front();
    co_return fail(std::move(refused));
  }
  if (order.shown.status != acme::OrderStatus::ready) {
    co_return fail(refusal("finalize", 403, "orderNotReady", "the order is not ready"));
  }
  auto der = crypto::from_base64url(csr);
  const crypto::Pki& pki = paper_ == nullptr ? crypto::openssl_pki() : *paper_;
  auto request = der ? pki.read_csr(*der) : Result<crypto::CsrInfo>(fail(der.error()));
  if (!request) co_return fail(std::move(request.error()));
  if (request->names != order.shown.identifiers) {
    co_return fail(error_of(Error::Kind::rejected, "finalize", "the CSR has other names"));
  }
  if (watch_) co_await watch_(order_url, csr, *request, order.replaces);
  order.issued_from = clock_.now() + std::chrono::milliseconds(random_.uniform(0, 3'000));
  order.chain =
      issue(request->names, request->public_key, clock_.now() - 1h, clock_.now() + validity_);
  if (limits_) limits_->issued(request->names, clock_.now());
  if (!order.replaces.empty()) replaced_.insert(order.replaces);
  settle(order);
  if (auto fault = co_await line_.back("finalize")) co_return fail(std::move(*fault));
  co_return order.shown;
}

std::string FakeCa::issue(const std::vector<std::string>& names, const std::string& public_key,
                          Time not_before, Time not_after) {
  const auto serial = first_serial_ + static_cast<std::size_t>(issued_);
  auto chain = paper_ == nullptr ? ca_.issue(public_key, names, serial, not_before, not_after)
                                 : paper_->issue(public_key, names, serial, not_before, not_after);
  ++issued_;
  ++issued_for_[names];
  if (gives_windows_) {
    const auto ari_id = ari_id_of(chain, serial);
    expiries_.emplace(not_after, ari_id);
    given_.insert_or_assign(
        ari_id, Given{.names = names, .not_before = not_before, .not_after = not_after});
  }
  return chain;
}

/// As RFC 9773 section 4.1 has it. Reading a certificate takes long, and all have one issuer.
std::string FakeCa::ari_id_of(const std::string& chain, std::uint64_t serial) {
  if (paper_ != nullptr) return paper_->read_chain(chain).value().front().ari_id;
  if (key_id_.empty()) {
    const auto id = crypto::read_chain(chain).value().front().ari_id;
    key_id_ = id.substr(0, id.find('.') + 1);
  }
  std::string octets;
  for (auto rest = serial; rest > 0; rest >>= 8U) {
    octets.insert(octets.begin(), static_cast<char>(rest & 0xFFU));
  }
  // The integer of DER has a sign.
  if (octets.empty() || (static_cast<unsigned char>(octets.front()) & 0x80U) != 0) {
    octets.insert(octets.begin(), '\0');
  }
  return key_id_ + crypto::base64url(octets);
}

std::string FakeCa::give(const std::vector<Fqdn>& names, const std::string& public_key,
                         Time not_before, Time not_after) {
  std::vector<std::string> texts;
  texts.reserve(names.size());
  for (const auto& name : names) texts.push_back(name.text());
  std::ranges::sort(texts);
  if (limits_) limits_->issued(texts, not_before);
  return issue(texts, public_key, not_before, not_after);
}

Task<Result<acme::Chain>> FakeCa::download(CertificateUrl certificate_url) {
  if (auto fault = co_await exchange("certificate")) co_return fail(std::move(*fault));
  const auto suffix = certificate_url.text().find(certificate_suffix);
  const auto found = orders_.find(certificate_url.text().substr(0, suffix));
  if (found != orders_.end() && !found->second.shown.certificate.empty()) {
    const auto& order = found->second;
    const auto& own = order.shown.certificate.text();
    acme::Chain chain;
    if (certificate_url == order.shown.certificate) {
      chain.pem = order.chain;
      for (const auto& [root, other] : alternates_) chain.alternates.emplace_back(own + "/" + root);
      co_return chain;
    }
    if (lost_alternates_ > 0) {
      lost_alternates_ -= 1;
      co_return fail(error_of(Error::Kind::transient, "certificate", "the connection broke off"));
    }
    const auto& other = alternates_.at(certificate_url.text().substr(own.size() + 1));
    const auto leaf = order.chain.substr(0, order.chain.size() - ca_.root_pem().size());
    chain.pem = leaf + other.cross_sign(ca_);
    co_return chain;
  }
  co_return fail(unknown("certificate"));
}

std::optional<RenewalWindow> FakeCa::window_of(const std::string& ari_id) const {
  if (const auto set = windows_.find(ari_id); set != windows_.end()) return set->second;
  const auto given = given_.find(ari_id);
  if (given == given_.end()) return std::nullopt;
  const auto& [names, not_before, not_after, recalled_at, explanation] = given->second;
  if (recalled_at) {
    return RenewalWindow{
        .start = *recalled_at - 1h, .end = *recalled_at - 30min, .explanation_url = explanation};
  }
  const auto lifetime = not_after - not_before;
  const auto share = lifetime < std::chrono::days(10) ? lifetime / 2 : lifetime * 2 / 3;
  const auto middle = not_before + share;
  return RenewalWindow{
      .start = middle - lifetime / 100, .end = middle + lifetime / 100, .explanation_url = {}};
}

int FakeCa::recall(double share, std::string explanation) {
  int recalled = 0;
  for (const auto& [end, ari_id] : expiries_) {
    auto& given = given_.at(ari_id);
    if (given.not_after <= clock_.now() || replaced_.contains(ari_id)) continue;
    if (random_.fraction() >= share) continue;
    given.recalled_at = clock_.now();
    given.explanation = explanation;
    recalled += 1;
  }
  return recalled;
}

int FakeCa::recalled_left() const {
  return static_cast<int>(std::ranges::count_if(expiries_, [this](const auto& entry) {
    return given_.at(entry.second).recalled_at && !replaced_.contains(entry.second);
  }));
}

std::optional<FakeCa::Given> FakeCa::given(const std::string& ari_id) const {
  const auto found = given_.find(ari_id);
  if (found == given_.end()) return std::nullopt;
  return found->second;
}

void FakeCa::forget_old() {
  if (!forgets_after_) return;
  while (!ages_.empty() && ages_.front().first < clock_.now() - *forgets_after_) {
    const auto old = orders_.find(ages_.front().second);
    ages_.pop_front();
    if (old == orders_.end()) continue;
    for (const auto& url : old->second.shown.authorizations) authorizations_.erase(url.text());
    orders_.erase(old);
  }
  while (!expiries_.empty() && expiries_.begin()->first < clock_.now()) {
    given_.erase(expiries_.begin()->second);
    replaced_.erase(expiries_.begin()->second);
    expiries_.erase(expiries_.begin());
  }
}

Task<Result<acme::RenewalInfo>> FakeCa::renewal_info(std::string ari_id) {
  std::vector<std::string> ari_ids = {std::move(ari_id)};
  auto answers = co_await renewal_infos(std::move(ari_ids));
  co_return std::move(answers.front());
}

// Each may break off, but they take their time together: a fleet asks a hundred thousand in a day.
Task<std::vector<Result<acme::RenewalInfo>>> FakeCa::renewal_infos(
    std::vector<std::string> ari_ids) {
  renewal_batches_ += 1;
  renewal_questions_ += static_cast<int>(ari_ids.size());
  calls_ += static_cast<int>(ari_ids.size());
  end_validations();
  forget_old();
  auto faults = co_await line_.there_together(ari_ids.size());
  std::vector<Result<acme::RenewalInfo>> answers;
  answers.reserve(ari_ids.size());
  for (std::size_t i = 0; i < ari_ids.size(); ++i) {
    if (faults[i]) {
      answers.emplace_back(fail(line_.fault("renewalInfo")));
    } else if (auto window = window_of(ari_ids[i])) {
      answers.emplace_back(acme::RenewalInfo{
          .window = std::move(*window), .retry_at = clock_of_client_->now() + asked_again_after_});
    } else {
      answers.emplace_back(fail(unknown("renewalInfo")));
    }
  }
  co_return answers;
}

Task<Status> FakeCa::revoke(std::string certificate_der, std::optional<int> reason) {
  return revoke_by(std::move(certificate_der), std::nullopt, reason);
}

Task<Status> FakeCa::revoke_by_key(std::string certificate_der, crypto::PrivateKey key,
                                   std::optional<int> reason) {
  return revoke_by(std::move(certificate_der), std::move(key), reason);
}

Task<Status> FakeCa::revoke_by(std::string certificate_der, std::optional<crypto::PrivateKey> key,
                               std::optional<int> reason) {
  if (auto fault = co_await exchange("revokeCert")) co_return fail(std::move(*fault));
  const auto certificate = crypto::read_certificate(certificate_der);
  if (!certificate) co_return fail(certificate.error());
  const bool ours = std::ranges::any_of(orders_, [&certificate](const auto& entry) {
    const auto chain = crypto::read_chain(entry.second.chain);
    return chain && chain->front().fingerprint == certificate->fingerprint;
  });
  if (!ours) co_return fail(unknown("revokeCert"));
  if (key && key->public_key() != certificate->public_key) {
    co_return fail(refusal("revokeCert", 403, "unauthorized", "the key is another one's"));
  }
  if (reasons_ && !reasons_->contains(reason.value_or(0))) {
    co_return fail(refusal("revokeCert", 400, "badRevocationReason", "not for this reason"));
  }
  if (!revoked_.emplace(certificate->fingerprint, reason.value_or(0)).second) {
    co_return fail(refusal("revokeCert", 400, "alreadyRevoked", "it was revoked before"));
  }
  if (auto fault = co_await line_.back("revokeCert")) co_return fail(std::move(*fault));
  co_return Status{};
}

void FakeCa::offer_alternate(std::string_view root) {
  alternates_.emplace(std::string(root), crypto::LocalCa(root, clock_.now()));
}

std::optional<int> FakeCa::revoked(const Fingerprint& certificate) const {
  const auto found = revoked_.find(certificate);
  if (found == revoked_.end()) return std::nullopt;
  return found->second;
}

TxtValue FakeCa::value_of(const Signer& signer, const std::string& token) {
  return TxtValue(crypto::base64url(crypto::sha256(token + "." + signer.thumbprint)));
}

TxtValue FakeCa::challenge_value(const std::string& token) const { return value_of(own_, token); }

int FakeCa::issued_for(const std::vector<std::string>& names) const {
  const auto found = issued_for_.find(names);
  return found == issued_for_.end() ? 0 : found->second;
}

/// One key at a FakeCa. What is no matter of accounts goes through once the signer is known.
class FakeAccountClient final : public acme::Client {
 public:
  FakeAccountClient(FakeCa& ca, const crypto::PrivateKey& key)
      : ca_(ca), signer_{.thumbprint = crypto::jwk_thumbprint(key), .account = {}} {}

  Task<Result<acme::Directory>> directory() override { return ca_.directory(); }
  Task<Result<acme::AccountInfo>> new_account(acme::NewAccount account) override {
    return ca_.find_or_make_account(&signer_, std::move(account));
  }
  void use_account(AccountUrl url) override { signer_.account = std::move(url); }
  Task<Result<acme::AccountInfo>> fetch_account() override {
    return ca_.change_account(&signer_, "account", [](acme::AccountInfo&) {});
  }
  Task<Result<acme::AccountInfo>> update_account(std::vector<std::string> contact) override {
    return ca_.change_account(&signer_, "update account",
                              [contact](acme::AccountInfo& account) { account.contact = contact; });
  }
  Task<Result<acme::AccountInfo>> deactivate_account() override {
    return ca_.change_account(&signer_, "deactivate account",
                              [](acme::AccountInfo& account) { account.status = "deactivated"; });
  }
  Task<Status> change_key(crypto::PrivateKey next) override {
    return ca_.roll_over(&signer_, std::move(next));
  }
  Task<Result<acme::Order>> new_order(acme::NewOrder wanted) override {
    if (auto refused = ca_.denied(signer_, "newOrder")) co_return fail(std::move(*refused));
    co_return co_await ca_.new_order(std::move(wanted));
  }
  Task<Result<std::vector<OrderUrl>>> list_orders() override {
    if (auto refused = ca_.denied(signer_, "orders")) co_return fail(std::move(*refused));
    co_return co_await ca_.list_orders();
  }
  Task<Result<acme::Order>> fetch_order(OrderUrl url) override {
    if (auto refused = ca_.denied(signer_, "order")) co_return fail(std::move(*refused));
    co_return co_await ca_.fetch_order(std::move(url));
  }
  Task<Result<acme::Authorization>> fetch_authorization(AuthorizationUrl url) override {
    if (auto refused = ca_.denied(signer_, "authorization")) co_return fail(std::move(*refused));
    co_return co_await ca_.fetch_authorization(std::move(url));
  }
  Task<Result<acme::Challenge>> answer(ChallengeUrl url) override {
    if (auto refused = ca_.denied(signer_, "challenge")) co_return fail(std::move(*refused));
    co_return co_await ca_.answer_by(&signer_, std::move(url));
  }
  Task<Result<acme::Order>> finalize(OrderUrl order, FinalizeUrl url, std::string csr) override {
    if (auto refused = ca_.denied(signer_, "finalize")) co_return fail(std::move(*refused));
    co_return co_await ca_.finalize(std::move(order), std::move(url), std::move(csr));
  }
  Task<Result<acme::Chain>> download(CertificateUrl url) override {
    if (auto refused = ca_.denied(signer_, "certificate")) co_return fail(std::move(*refused));
    co_return co_await ca_.download(std::move(url));
  }
  Task<Result<acme::RenewalInfo>> renewal_info(std::string ari_id) override {
    return ca_.renewal_info(std::move(ari_id));
  }
  Task<std::vector<Result<acme::RenewalInfo>>> renewal_infos(
      std::vector<std::string> ari_ids) override {
    return ca_.renewal_infos(std::move(ari_ids));
  }
  Task<Status> revoke(std::string certificate_der, std::optional<int> reason) override {
    if (auto refused = ca_.denied(signer_, "revokeCert")) co_return fail(std::move(*refused));
    co_return co_await ca_.revoke(std::move(certificate_der), reason);
  }
  Task<Status> revoke_by_key(std::string certificate_der, crypto::PrivateKey key,
                             std::optional<int> reason) override {
    return ca_.revoke_by_key(std::move(certificate_der), std::move(key), reason);
  }
  TxtValue challenge_value(const std::string& token) const override {
    return FakeCa::value_of(signer_, token);
  }

 private:
  FakeCa& ca_;
  FakeCa::Signer signer_;
};

std::unique_ptr<acme::Client> FakeCa::client(const crypto::PrivateKey& key) {
  return std::make_unique<FakeAccountClient>(*this, key);
}

}  // namespace certherd::sim
