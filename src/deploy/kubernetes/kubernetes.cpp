#include "deploy/kubernetes/kubernetes.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "crypto/private_key.hpp"
#include "crypto/x509.hpp"
#include "deploy/kubernetes/names.hpp"

namespace certherd::deploy {
namespace {

using kubernetes::Answer;
using kubernetes::StoredSecret;

// Somebody else writes it meanwhile, every time that we look.
constexpr int most_looks = 4;

bool is_ours(const StoredSecret& secret, const Fqdn& domain) {
  return secret.label(kubernetes::managed_by_label) == kubernetes::managed_by_value &&
         secret.annotation(kubernetes::domain_annotation) == domain.text();
}

/// The serial of the certificate that stands in it; empty when none can be read.
std::string serial_in(const StoredSecret& secret) {
  const auto chain = crypto::read_chain(secret.certificate);
  return chain ? chain->front().serial.text() : std::string();
}

/// Whether its key is the certificate's, so that it can be served.
bool is_whole(const StoredSecret& secret) {
  const auto chain = crypto::read_chain(secret.certificate);
  const auto key = crypto::PrivateKey::from_pem(secret.key);
  return chain && key && chain->front().public_key == key->public_key();
}

bool has_same_content(const StoredSecret& secret, const Material& material) {
  return secret.certificate == material.fullchain &&
         secret.key.reveal() == material.private_key.reveal();
}

/// Whether it holds another certificate by the same serial, which no CA may issue.
bool clashes(const StoredSecret& secret, const Material& material, const std::string& serial) {
  if (serial_in(secret) != serial) return false;
  const auto there = crypto::split_chain(secret.certificate);
  const auto ours = crypto::split_chain(material.fullchain);
  return !there || !ours || there->leaf_der != ours->leaf_der;
}

class Kubernetes final : public Target {
 public:
  Kubernetes(runtime::EventLoop& loop, kubernetes::Connect connect,
             std::unique_ptr<kubernetes::CredentialSource> source, KubernetesOptions options)
      : pattern_(std::move(options.name)),
        labels_(std::move(options.labels)),
        api_(loop, std::move(connect), std::move(source), std::move(options.api)) {
    labels_[std::string(kubernetes::managed_by_label)] = kubernetes::managed_by_value;
  }

  Task<Result<std::optional<Installation>>> observe(Fqdn domain) override {
    auto found = co_await look(domain);
    if (!found) co_return fail(std::move(found.error()).during("observe " + domain.text()));
    const auto& secret = *found;
    // The annotation says what we have written, the certificate what is served.
    if (!secret || !is_ours(*secret, domain) || !is_whole(*secret)) co_return std::nullopt;
    co_return Installation{.version_key = serial_in(*secret)};
  }

  Task<Result<Receipt>> install(Fqdn domain, Material material, std::string version_key) override {
    Receipt receipt{Installed::installed, domain, version_key};
    auto outcome = co_await put(domain, std::move(material), std::move(version_key));
    if (!outcome) co_return fail(std::move(outcome.error()).during("install " + domain.text()));
    receipt.outcome = *outcome;
    co_return receipt;
  }

  Task<Status> clean_up(Receipt) override { co_return Status(); }

  Task<Status> retire(Receipt receipt) override {
    const auto op = "retire " + receipt.domain.text();
    auto done = co_await take_off(std::move(receipt));
    if (!done) co_return fail(std::move(done.error()).during(op));
    co_return done;
  }

  Task<Status> check() override {
    // It need not be there: reading is tried, and writing is asked for.
    auto found = co_await api_.get("certherd-check");
    if (!found) co_return fail(std::move(found.error().error));
    for (const std::string verb : {"create", "patch"}) {
      auto allowed = co_await api_.check_right(verb);
      if (!allowed) co_return fail(std::move(allowed.error().error));
    }
    co_return Status();
  }

  Task<void> stop() override { co_return; }

 private:
  Task<Result<std::optional<StoredSecret>>> look(Fqdn domain) {
    auto name = kubernetes::secret_name(pattern_, domain);
    if (!name) co_return fail(std::move(name.error()));
    auto found = co_await api_.get(std::move(*name));
    if (!found) co_return fail(std::move(found.error().error));
    co_return std::move(*found);
  }

  Task<Result<Installed>> put(Fqdn domain, Material material, std::string version_key) {
    auto name = kubernetes::secret_name(pattern_, domain);
    if (!name) co_return fail(std::move(name.error()));
    for (int looks = 0; looks < most_looks; ++looks) {
      auto found = co_await api_.get(*name);
      if (!found) co_return fail(std::move(found.error().error));
      const auto& secret = *found;
      if (secret && !is_ours(*secret, domain)) co_return fail(not_ours(*secret, *name, domain));
      if (secret && is_right(*secret, material, version_key)) co_return Installed::unchanged;
      if (secret && clashes(*secret, material, version_key)) {
        co_return fail(Error::Kind::rejected, "write Secret " + full(*name),
                       fmt::format("another certificate with the serial {} is there", version_key));
      }
      kubernetes::AppliedSecret wanted{
          .name = *name,
          .namespace_ = api_.name_space(),
          .resource_version = secret ? secret->resource_version : std::string(),
          .labels = labels_,
          .annotations = {{std::string(kubernetes::domain_annotation), domain.text()},
                          {std::string(kubernetes::serial_annotation), version_key}},
          .certificate = material.fullchain,
          .key = material.private_key};
      auto written = co_await api_.apply(std::move(wanted));
      if (written) co_return Installed::installed;
      if (!written.error().look_again) co_return fail(std::move(written.error().error));
    }
    co_return fail(goes_on_changing(*name));
  }

  Task<Status> take_off(Receipt receipt) {
    auto name = kubernetes::secret_name(pattern_, receipt.domain);
    if (!name) co_return fail(std::move(name.error()));
    for (int looks = 0; looks < most_looks; ++looks) {
      auto found = co_await api_.get(*name);
      if (!found) co_return fail(std::move(found.error().error));
      if (!*found || !is_ours(**found, receipt.domain)) co_return Status();
      auto version = serial_in(**found);
      if (version.empty()) version = (*found)->annotation(kubernetes::serial_annotation);
      if (!receipt.version_key.empty() && version != receipt.version_key) co_return Status();
      auto removed = co_await api_.remove(*name, std::move(**found));
      if (removed) co_return Status();
      if (!removed.error().look_again) co_return fail(std::move(removed.error().error));
    }
    co_return fail(goes_on_changing(*name));
  }

  bool is_right(const StoredSecret& secret, const Material& material,
                const std::string& version_key) const {
    return secret.annotation(kubernetes::serial_annotation) == version_key &&
           has_same_content(secret, material) &&
           std::ranges::all_of(labels_, [&secret](const auto& label) {
             return secret.labels.contains(label.first) &&
                    secret.labels.at(label.first) == label.second;
           });
  }

  std::string full(const std::string& name) const { return api_.name_space() + "/" + name; }

  Error not_ours(const StoredSecret& secret, const std::string& name, const Fqdn& domain) const {
    const auto manager = secret.label(kubernetes::managed_by_label);
    std::string words;
    if (manager == kubernetes::managed_by_value) {
      const auto other = secret.annotation(kubernetes::domain_annotation);
      words = fmt::format(
          "the Secret {} is that of {}: let `name` give each domain another one, and each target a "
          "namespace or `name` of its own",
          full(name), other.empty() ? "another domain" : other);
    } else {
      auto whose = manager;
      if (whose.empty()) whose = fmt::format("{}", fmt::join(secret.managers, ", "));
      words = fmt::format(
          "the Secret {} is there and was not made by certherd{}: delete it, so that certherd "
          "makes "
          "it, or choose another `name`",
          full(name), whose.empty() ? "" : fmt::format(" (it is managed by {})", whose));
    }
    return fail(Error::Kind::conflict, fmt::format("write the Secret of {}", domain),
                std::move(words))
        .value();
  }

  Error goes_on_changing(const std::string& name) const {
    return fail(Error::Kind::conflict, "write Secret " + full(name),
                "somebody else goes on changing it: find out who does (kubectl get --show-managed-"
                "fields) and keep them from it")
        .value();
  }

  std::string pattern_;
  std::map<std::string, std::string> labels_;
  kubernetes::Api api_;
};

}  // namespace

std::unique_ptr<Target> make_kubernetes(runtime::EventLoop& loop, kubernetes::Connect connect,
                                        std::unique_ptr<kubernetes::CredentialSource> source,
                                        KubernetesOptions options) {
  return std::make_unique<Kubernetes>(loop, std::move(connect), std::move(source),
                                      std::move(options));
}

}  // namespace certherd::deploy
