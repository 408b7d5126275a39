#include "fakes/scripted_acm.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <set>
#include <utility>

#include "crypto/encoding.hpp"
#include "crypto/private_key.hpp"
#include "crypto/x509.hpp"

namespace certherd::fakes {
namespace {

namespace json = boost::json;

// AWS API reference of Certificate Manager, 2015-12-08.
constexpr std::size_t largest_key = 5120;
constexpr std::int64_t most_items = 1000;
constexpr std::size_t names_in_summary = 100;

constexpr std::string_view target_prefix = "CertificateManager.";

const AwsOperations& operations() {
  static const AwsOperations known = {
      {"ImportCertificate",
       {"*Certificate", "*PrivateKey", "CertificateChain", "CertificateArn", "Tags"}},
      {"ListCertificates", {"*Includes", "*MaxItems", "NextToken"}},
      {"DescribeCertificate", {"*CertificateArn"}},
      {"GetCertificate", {"*CertificateArn"}},
      {"ListTagsForCertificate", {"*CertificateArn"}},
      {"DeleteCertificate", {"*CertificateArn"}},
  };
  return known;
}

/// ACM user guide, API rate quotas: in a second.
int quota_of(std::string_view operation) {
  return operation == "ImportCertificate" || operation == "ListCertificates" ? 1 : 10;
}

const std::set<std::string>& key_algorithms() {
  static const std::set<std::string> known = {"RSA_1024",    "RSA_2048",      "RSA_3072",
                                              "RSA_4096",    "EC_prime256v1", "EC_secp384r1",
                                              "EC_secp521r1"};
  return known;
}

/// As DescribeCertificate writes it.
std::string algorithm_of(KeyType type) {
  switch (type) {
    case KeyType::ecdsa_p256:
      return "EC_prime256v1";
    case KeyType::ecdsa_p384:
      return "EC_secp384r1";
    case KeyType::rsa_2048:
      return "RSA-2048";
    case KeyType::rsa_3072:
      return "RSA-3072";
    case KeyType::rsa_4096:
      return "RSA-4096";
    case KeyType::ed25519:
      break;
  }
  return "";
}

/// The type of the key in a certificate, by the size and the beginning of its public half (RFC 5480
/// section 2, RFC 8017 appendix A.1).
std::string algorithm_in(const crypto::CertificateInfo& info) {
  constexpr std::size_t p256 = 91;
  constexpr std::size_t p384 = 120;
  constexpr std::size_t rsa_3072 = 422;
  constexpr std::size_t rsa_4096 = 550;
  switch (info.public_key.size()) {
    case p256:
      return algorithm_of(KeyType::ecdsa_p256);
    case p384:
      return algorithm_of(KeyType::ecdsa_p384);
    case rsa_3072:
      return algorithm_of(KeyType::rsa_3072);
    case rsa_4096:
      return algorithm_of(KeyType::rsa_4096);
    default:
      return algorithm_of(KeyType::rsa_2048);
  }
}

crypto::CertificateInfo info_of(const std::string& leaf) {
  return crypto::read_chain(leaf).value().front();
}

/// "0a:1b", as ACM writes serials.
std::string with_colons(const std::string& serial) {
  std::string text;
  for (std::size_t i = 0; i < serial.size(); i += 2) {
    if (i > 0) text += ':';
    text += serial.substr(i, 2);
  }
  return text;
}

json::array list_of(const std::vector<std::string>& texts) {
  json::array list;
  for (const auto& text : texts) list.emplace_back(text);
  return list;
}

http::Response no_such_certificate(const std::string& arn) {
  return aws_refusal("ResourceNotFoundException", "Could not find certificate " + arn + ".");
}

/// The PEM in a member; nothing, and a failed test, when it is no base64.
std::optional<std::string> blob(const json::object& request, std::string_view name) {
  auto text = crypto::from_base64(aws_text(request, name));
  if (!text) return std::nullopt;
  return std::move(*text);
}

}  // namespace

ScriptedAcm::Fault ScriptedAcm::refusal(std::string_view code, std::string_view message,
                                        int status) {
  return {.after_its_work = false, .answer = aws_refusal(code, message, status)};
}

ScriptedAcm::Fault ScriptedAcm::truncated() {
  auto cut_off = aws_response({});
  cut_off.body = R"({"CertificateArn":"arn:aws:ac)";
  return {.after_its_work = true, .answer = std::move(cut_off)};
}

ScriptedAcm::ScriptedAcm(aws::Credentials credentials, std::function<Time()> now)
    : credentials_(std::move(credentials)), now_(std::move(now)) {}

Task<Result<http::Response>> ScriptedAcm::send(http::Request request, Time /*deadline*/) {
  if (delay_) co_await delay_();
  auto response = answer(request);
  if (response) co_return std::move(*response);
  co_return fail(Error::Kind::transient, "POST " + request.url, "the connection broke off");
}

std::optional<http::Response> ScriptedAcm::answer(const http::Request& request) {
  if (is_for_sts(request)) return answer_caller_identity(request, credentials_, now_(), false);
  AwsCall call;
  auto refused =
      read_aws_call(request, target_prefix, "acm", operations(), credentials_, now_(), &call);
  if (refused) return refused;
  calls_.push_back({.operation = call.operation, .request = call.request, .at = now_()});
  const auto number = static_cast<int>(calls_.size());
  if (interruption_ && interruption_->at == number) {
    const auto action = std::move(interruption_->action);
    interruption_.reset();
    action();
  }
  if (disturbance_ && disturbance_->at == number) {
    const auto happening = std::move(disturbance_->fault);
    disturbance_.reset();
    was_disturbed_ = true;
    if (happening.after_its_work) (void)carry_out(call.operation, call.request);
    return happening.answer;
  }
  if (is_over_quota(call.operation)) {
    ++throttled_;
    return aws_refusal("ThrottlingException", "Rate exceeded");
  }
  return carry_out(call.operation, call.request);
}

void ScriptedAcm::disturb(int nth, Fault fault) {
  was_disturbed_ = false;
  disturbance_ =
      Disturbance{.at = static_cast<int>(calls_.size()) + nth, .fault = std::move(fault)};
}

void ScriptedAcm::before(int nth, std::function<void()> action) {
  interruption_ =
      Interruption{.at = static_cast<int>(calls_.size()) + nth, .action = std::move(action)};
}

std::string ScriptedAcm::put_by_hand(const Material& material,
                                     std::map<std::string, std::string> tags) {
  const auto parts = crypto::split_chain(material.fullchain).value();
  auto arn = new_arn();
  certificates_[arn] = {.leaf = parts.leaf, .chain = parts.others, .tags = std::move(tags)};
  return arn;
}

int ScriptedAcm::count(std::string_view operation) const {
  return static_cast<int>(std::ranges::count(calls_, operation, &Call::operation));
}

http::Response ScriptedAcm::carry_out(const std::string& operation, const json::object& request) {
  if (operation == "ImportCertificate") return import(request);
  if (operation == "ListCertificates") return list(request);
  const auto arn = aws_text(request, "CertificateArn");
  if (!certificates_.contains(arn)) return no_such_certificate(arn);
  if (operation == "DescribeCertificate") return describe(arn);
  if (operation == "GetCertificate") return get(arn);
  if (operation == "ListTagsForCertificate") return list_tags(arn);
  return remove(arn);
}

http::Response ScriptedAcm::import(const json::object& request) {
  const auto leaf = blob(request, "Certificate");
  const auto key_pem = blob(request, "PrivateKey");
  const auto chain = blob(request, "CertificateChain");
  if (!leaf || !key_pem || !chain) return aws_unexpected("what is imported is no base64");
  if (key_pem->size() > largest_key) return aws_unexpected("the key is too large");
  const auto key = crypto::PrivateKey::from_pem(Secret<std::string>(*key_pem));
  const auto leaves = crypto::read_chain(*leaf);
  if (!key) return aws_unexpected("the key cannot be read");
  if (!leaves || leaves->size() != 1) return aws_unexpected("Certificate is not one certificate");
  std::vector<Fqdn> names;
  for (const auto& name : leaves->front().names) names.push_back(Fqdn::literal(name));
  const auto fits = crypto::check_issued(*leaf + *chain, key->public_key(), names, now_());
  if (!fits) return aws_unexpected(fits.error().message());
  if (algorithm_of(key->type()).empty()) return aws_unexpected("no such type of a key");

  const auto arn = aws_text(request, "CertificateArn");
  if (!arn.empty()) {
    const auto found = certificates_.find(arn);
    if (found == certificates_.end()) return no_such_certificate(arn);
    auto& present = found->second;
    if (request.contains("Tags")) return aws_unexpected("tags with an ARN");
    if (present.type != "IMPORTED") return aws_unexpected("it was not imported: " + arn);
    if (algorithm_in(info_of(present.leaf)) != algorithm_of(key->type())) {
      return aws_unexpected("another type of a key under " + arn);
    }
    present.leaf = *leaf;
    present.chain = *chain;
    ++present.imports;
    return aws_response({{"CertificateArn", arn}});
  }
  Certificate made{.leaf = *leaf, .chain = *chain, .listed_from = now_() + list_lag_};
  if (const auto* const tags = request.if_contains("Tags")) {
    if (const auto fault = fault_in_aws_tags(tags->as_array()); !fault.empty()) {
      return aws_unexpected(fault);
    }
    for (const auto& tag : tags->as_array()) {
      made.tags[aws_text(tag.as_object(), "Key")] = aws_text(tag.as_object(), "Value");
    }
  }
  auto made_arn = new_arn();
  certificates_[made_arn] = std::move(made);
  return aws_response({{"CertificateArn", made_arn}});
}

http::Response ScriptedAcm::list(const json::object& request) const {
  std::set<std::string> types;
  for (const auto& type : request.at("Includes").at("keyTypes").as_array()) {
    types.emplace(type.as_string());
  }
  if (types != key_algorithms()) return aws_unexpected("not all types of keys are listed");
  const auto most = request.at("MaxItems").as_int64();
  if (most < 1 || most > most_items) return aws_unexpected("MaxItems");
  auto next = certificates_.upper_bound(aws_text(request, "NextToken"));
  json::array summaries;
  std::string last;
  const auto size = std::min(page_size_, static_cast<std::size_t>(most));
  for (; next != certificates_.end() && summaries.size() < size; ++next) {
    const auto& [arn, certificate] = *next;
    last = arn;
    if (certificate.listed_from > now_()) continue;
    auto names = info_of(certificate.leaf).names;
    const bool more = names.size() > names_in_summary;
    if (more) names.resize(names_in_summary);
    summaries.push_back({{"CertificateArn", arn},
                         {"DomainName", names.front()},
                         {"SubjectAlternativeNameSummaries", list_of(names)},
                         {"HasAdditionalSubjectAlternativeNames", more},
                         {"Type", certificate.type},
                         {"InUse", !certificate.in_use_by.empty()}});
  }
  json::object reply = {{"CertificateSummaryList", summaries}};
  if (next != certificates_.end()) reply.emplace("NextToken", last);
  return aws_response(reply);
}

http::Response ScriptedAcm::describe(const std::string& arn) const {
  const auto& certificate = certificates_.at(arn);
  const auto info = info_of(certificate.leaf);
  return aws_response(
      {{"Certificate", json::object{{"CertificateArn", arn},
                                    {"DomainName", info.names.front()},
                                    {"SubjectAlternativeNames", list_of(info.names)},
                                    {"Serial", with_colons(info.serial.text())},
                                    {"KeyAlgorithm", algorithm_in(info)},
                                    {"InUseBy", list_of(certificate.in_use_by)},
                                    {"Type", certificate.type}}}});
}

http::Response ScriptedAcm::get(const std::string& arn) const {
  const auto& certificate = certificates_.at(arn);
  return aws_response({{"Certificate", certificate.leaf}, {"CertificateChain", certificate.chain}});
}

http::Response ScriptedAcm::list_tags(const std::string& arn) const {
  json::array tags;
  for (const auto& [key, value] : certificates_.at(arn).tags) {
    tags.push_back({{"Key", key}, {"Value", value}});
  }
  return aws_response({{"Tags", tags}});
}

http::Response ScriptedAcm::remove(const std::string& arn) {
  if (!certificates_.at(arn).in_use_by.empty()) {
    return aws_refusal("ResourceInUseException", "Certificate " + arn + " is in use.");
  }
  certificates_.erase(arn);
  return aws_response({});
}

/// Counts the call that has just come too.
bool ScriptedAcm::is_over_quota(std::string_view operation) const {
  const auto since = now_() - std::chrono::seconds(1);
  int count = 0;
  for (auto call = calls_.rbegin(); call != calls_.rend() && call->at > since; ++call) {
    if (call->operation == operation) ++count;
  }
  return count > quota_of(operation);
}

std::string ScriptedAcm::new_arn() {
  return fmt::format("arn:aws:acm:{}:{}:certificate/00000000-0000-0000-0000-{:012}", aws_region,
                     aws_account, ++arns_);
}

}  // namespace certherd::fakes
