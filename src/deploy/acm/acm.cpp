#include "deploy/acm/acm.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>
#include <vector>

#include "base/log.hpp"
#include "crypto/private_key.hpp"
#include "crypto/x509.hpp"
#include "deploy/acm/api.hpp"
#include "deploy/acm/certificate_index.hpp"
#include "deploy/acm/failure.hpp"

namespace certherd::deploy::acm {
namespace {

using Kind = Error::Kind;

constexpr std::size_t largest_key = 5120;  // bytes; AWS API reference, ImportCertificate

// How long an import whose reply was lost may take to be seen. AWS says nothing of imports; of
// certificates that it issues itself it names "several seconds" (AWS API reference,
// DescribeCertificate).
constexpr std::chrono::seconds seen_within(10);

struct Algorithm {
  KeyType type;
  std::string_view name;  ///< AWS API reference, CertificateDetail
};
constexpr std::array algorithms = {
    Algorithm{KeyType::ecdsa_p256, "EC_prime256v1"}, Algorithm{KeyType::ecdsa_p384, "EC_secp384r1"},
    Algorithm{KeyType::rsa_2048, "RSA_2048"},        Algorithm{KeyType::rsa_3072, "RSA_3072"},
    Algorithm{KeyType::rsa_4096, "RSA_4096"},
};

std::string_view algorithm_of(KeyType type) {
  const auto* const found = std::ranges::find(algorithms, type, &Algorithm::type);
  return found == algorithms.end() ? to_string(type) : found->name;
}

/// How `key` of the config calls it; empty where it does not.
std::string_view key_choice_of(std::string_view algorithm) {
  const auto* const found = std::ranges::find(algorithms, algorithm, &Algorithm::name);
  return found == algorithms.end() ? std::string_view() : to_string(found->type);
}

/// A certificate as ACM takes it.
struct Prepared {
  crypto::ChainParts chain;
  KeyType key_type;
};

Result<Prepared> prepare(const Material& material) {
  if (material.private_key.reveal().size() > largest_key) {
    return fail(Kind::misconfigured, "read the key",
                fmt::format("it has {} bytes, and Certificate Manager takes {} at most: set `key` "
                            "to another type, and issue again",
                            material.private_key.reveal().size(), largest_key));
  }
  auto key = crypto::PrivateKey::from_pem(material.private_key);
  if (!key) return fail(std::move(key.error()));
  auto chain = crypto::split_chain(material.fullchain);
  if (!chain) return fail(std::move(chain.error()));
  return Prepared{.chain = std::move(*chain), .key_type = key->type()};
}

/// Those that count among a domain's: that somebody uses or, where nobody uses any, the first.
std::vector<Description> in_force(std::vector<Description> certificates) {
  std::vector<Description> used;
  for (const auto& certificate : certificates) {
    if (!certificate.in_use_by.empty()) used.push_back(certificate);
  }
  if (!used.empty() || certificates.empty()) return used;
  certificates.resize(1);
  return certificates;
}

/// What a person does where ACM does not take the new certificate under that ARN.
std::string way_out(const Description& certificate) {
  if (certificate.in_use_by.empty()) {
    return fmt::format(
        "delete it, since nobody uses it (aws acm delete-certificate --certificate-arn {}), and "
        "deploy again",
        certificate.arn);
  }
  return fmt::format(
      "take it from certherd (aws acm remove-tags-from-certificate --certificate-arn {} --tags "
      "Key={}), deploy again, which imports another one, and let those use that: {}",
      certificate.arn, managed_by_key, fmt::join(certificate.in_use_by, ", "));
}

Error other_key(const Description& certificate, KeyType type) {
  const auto choice = key_choice_of(certificate.key_algorithm);
  Error error;
  error.kind = Kind::misconfigured;
  error.op = "import under " + certificate.arn;
  error.detail = fmt::format(
      "its key is {} and the new one {}, and Certificate Manager does not change that under an "
      "ARN: {}{}",
      certificate.key_algorithm, algorithm_of(type),
      choice.empty() ? "" : fmt::format("set key = \"{}\" and issue again, or ", choice),
      way_out(certificate));
  return error;
}

/// "New certificate is missing one or more Extended Key Usages supported by the currently imported
/// certificate" is how ACM says that.
bool is_about_usages(const aws::Failure& failure) {
  return failure.code == "ValidationException" &&
         (failure.error.detail.find("Usage") != std::string::npos ||
          failure.error.detail.find("xtension") != std::string::npos);
}

class Acm final : public Target {
 public:
  Acm(aws::Session& session, runtime::Offload& offload, runtime::Budget& budget, AcmOptions options,
      aws::Access owned)
      : owned_(std::move(owned)),
        clock_(session.loop().clock()),
        offload_(offload),
        options_(std::move(options)),
        api_(session, budget),
        index_(api_, session.loop()) {}

  Task<Result<std::optional<Installation>>> observe(Fqdn domain) override {
    auto found = co_await look(domain);
    if (!found) co_return fail(std::move(found.error()).during("observe " + domain.text()));
    const auto certificates = in_force(std::move(*found));
    if (certificates.empty()) co_return std::optional<Installation>();
    const auto& serial = certificates.front().serial;
    const bool all_same = std::ranges::all_of(
        certificates, [&serial](const auto& each) { return each.serial == serial; });
    co_return Installation{.version_key = all_same ? serial : std::string()};
  }

  Task<Result<Receipt>> install(Fqdn domain, Material material, std::string version_key) override {
    const auto op = "install " + domain.text();
    Receipt receipt{.outcome = Installed::installed, .domain = domain, .version_key = version_key};
    const auto read = [&material] { return prepare(material); };
    auto prepared = co_await offload_.call(read);
    if (!prepared) co_return fail(std::move(prepared.error()).during(op));
    auto found = co_await look(domain);
    if (!found) co_return fail(std::move(found.error()).during(op));

    Api::NewCertificate content{.arn = {},
                                .leaf = std::move(prepared->chain.leaf),
                                .chain = std::move(prepared->chain.others),
                                .key = std::move(material.private_key),
                                .tags = {}};
    Status done;
    if (found->empty()) {
      done = co_await import_first(domain, std::move(content), std::move(version_key));
    } else {
      auto stale = co_await stale_of(std::move(*found), version_key, prepared->chain.leaf_der);
      if (!stale) co_return fail(std::move(stale.error()).during(op));
      if (stale->empty()) receipt.outcome = Installed::unchanged;
      done = co_await replace(std::move(*stale), std::move(content), prepared->key_type);
    }
    if (!done) co_return fail(std::move(done.error()).during(op));
    co_return receipt;
  }

  Task<Status> clean_up(Receipt receipt) override {
    auto done = co_await delete_duplicates(receipt);
    if (!done) co_return fail(std::move(done.error()).during("clean up " + receipt.domain.text()));
    co_return done;
  }

  Task<Status> retire(Receipt receipt) override {
    auto done = co_await take_off(receipt);
    if (!done) co_return fail(std::move(done.error()).during("retire " + receipt.domain.text()));
    co_return done;
  }

  Task<Status> check() override {
    auto page = co_await api_.list("", 1);
    if (!page) co_return fail(std::move(page.error().error));
    co_return Status();
  }

  Task<void> stop() override { co_return; }

 private:
  /// All of ours for the domain, in a fixed order.
  Task<Result<std::vector<Description>>> look(Fqdn domain) {
    auto arns = co_await index_.find(std::move(domain));
    if (!arns) co_return fail(std::move(arns.error().error));
    std::vector<Description> found;
    for (const auto& arn : *arns) {
      auto certificate = co_await api_.describe(arn);
      if (!certificate) co_return fail(std::move(certificate.error().error));
      if (*certificate) {
        found.push_back(std::move(**certificate));
      } else {
        index_.forget(arn);
      }
    }
    co_return found;
  }

  /// Those in force that do not hold this version yet. Errors: rejected when one has another
  /// content under its serial.
  Task<Result<std::vector<Description>>> stale_of(std::vector<Description> found,
                                                  std::string serial, std::string leaf_der) {
    std::vector<Description> stale;
    for (auto& certificate : in_force(std::move(found))) {
      if (certificate.serial != serial) {
        stale.push_back(std::move(certificate));
        continue;
      }
      auto pem = co_await api_.leaf(certificate.arn);
      if (!pem) co_return fail(std::move(pem.error().error));
      const auto present = crypto::split_chain(pem->value_or(""));
      if (!present || present->leaf_der != leaf_der) {
        co_return fail(Kind::rejected, "compare " + certificate.arn,
                       "it has this serial with another content");
      }
    }
    co_return stale;
  }

  Task<Status> replace(std::vector<Description> stale, Api::NewCertificate content, KeyType type) {
    for (const auto& certificate : stale) {
      if (certificate.key_algorithm != algorithm_of(type)) {
        co_return fail(other_key(certificate, type));
      }
    }
    for (const auto& certificate : stale) {
      auto replacement = content;
      replacement.arn = certificate.arn;
      auto imported = co_await api_.import(std::move(replacement));
      if (imported) continue;
      auto& failure = imported.error();
      if (may_have_worked(failure)) index_.discard();
      if (failure.error.kind == Kind::not_found) {
        index_.forget(certificate.arn);
        failure.error.kind = Kind::transient;  // deleted meanwhile: the next one imports it anew
      }
      if (is_about_usages(failure)) {
        failure.error.detail += fmt::format(
            " (Certificate Manager takes no key usage away, and adds no extension, under an ARN: "
            "issue it with the `profile` and the CA of the one before, or {})",
            way_out(certificate));
      }
      co_return fail(std::move(failure.error).during("import under " + certificate.arn));
    }
    co_return Status();
  }

  /// Each import makes a certificate, so one whose outcome is unknown is looked for, and not sent
  /// again: if it is not to be seen yet, the next install() looks first, too.
  Task<Status> import_first(Fqdn domain, Api::NewCertificate content, std::string serial) {
    content.tags = options_.tags;
    for (auto& [key, value] : own_tags(domain)) content.tags.insert_or_assign(key, value);
    auto imported = co_await api_.import(std::move(content));
    if (imported) {
      index_.add(*imported, domain);
      co_return Status();
    }
    auto& failure = imported.error();
    if (!may_have_worked(failure)) co_return fail(std::move(failure.error));
    index_.discard();
    co_await clock_.sleep_for(seen_within);
    auto found = co_await look(domain);
    if (!found) co_return fail(std::move(found.error()));
    const bool is_there = std::ranges::any_of(
        *found, [&serial](const auto& certificate) { return certificate.serial == serial; });
    if (!is_there) {
      index_.discard();
      co_return fail(std::move(failure.error));
    }
    log::info("{} was imported, though the answer was lost", domain);
    co_return Status();
  }

  Task<Status> delete_duplicates(Receipt receipt) {
    const auto arns = co_await index_.find(receipt.domain);
    if (!arns) co_return fail(arns.error().error);
    if (arns->size() < 2) co_return Status();
    auto found = co_await look(receipt.domain);
    if (!found) co_return fail(std::move(found.error()));
    const auto kept = in_force(*found);
    const bool all_installed = std::ranges::all_of(kept, [&receipt](const auto& certificate) {
      return receipt.version_key.empty() || certificate.serial == receipt.version_key;
    });
    if (!all_installed) co_return Status();  // somebody has begun to use another one meanwhile
    for (const auto& certificate : *found) {
      if (std::ranges::count(kept, certificate.arn, &Description::arn) > 0) continue;
      auto removed = co_await remove(certificate);
      if (!removed && removed.error().kind != Kind::conflict) co_return removed;
      if (removed) log::info("{} had a second certificate that nobody used", receipt.domain);
    }
    co_return Status();
  }

  Task<Status> take_off(Receipt receipt) {
    auto found = co_await look(receipt.domain);
    if (!found) co_return fail(std::move(found.error()));
    const auto kept = in_force(*found);
    const auto is_of_receipt = [&receipt](const auto& certificate) {
      return receipt.version_key.empty() || certificate.serial == receipt.version_key;
    };
    // A newer version that stands there has a receipt of its own.
    const bool all = std::ranges::all_of(kept, is_of_receipt);
    Status done;
    for (const auto& certificate : *found) {
      if (!all && !is_of_receipt(certificate)) continue;
      auto removed = co_await remove(certificate);
      if (!removed && done) done = std::move(removed);
    }
    co_return done;
  }

  Task<Status> remove(Description certificate) {
    auto removed = co_await api_.remove(certificate.arn);
    if (removed) {
      index_.forget(certificate.arn);
      co_return Status();
    }
    auto& failure = removed.error();
    if (may_have_worked(failure)) index_.discard();
    if (failure.code == "ResourceInUseException") {
      failure.error.detail =
          fmt::format("it is in use: take it from {} first",
                      certificate.in_use_by.empty()
                          ? "what `aws acm describe-certificate` names as InUseBy"
                          : fmt::format("{}", fmt::join(certificate.in_use_by, ", ")));
    }
    co_return fail(std::move(failure.error).during("delete " + certificate.arn));
  }

  aws::Access owned_;  // what all below may live on
  runtime::Clock& clock_;
  runtime::Offload& offload_;
  AcmOptions options_;
  Api api_;
  CertificateIndex index_;
};

}  // namespace
}  // namespace certherd::deploy::acm

namespace certherd::deploy {

std::unique_ptr<Target> make_acm(aws::Session& session, runtime::Offload& offload,
                                 runtime::Budget& budget, AcmOptions options, aws::Access owned) {
  return std::make_unique<acm::Acm>(session, offload, budget, std::move(options), std::move(owned));
}

}  // namespace certherd::deploy
