#include "deploy/fastly/fastly.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "deploy/fastly/bulk_tls.hpp"
#include "deploy/fastly/custom_tls.hpp"

namespace certherd::deploy {
namespace {

using fastly::Leaf;

/// Names of the leaf that are such; Fastly's own lists may hold others.
std::vector<Fqdn> names_of(const Leaf& leaf) {
  std::vector<Fqdn> names;
  for (const auto& text : leaf.names) {
    if (auto name = Fqdn::parse(text)) names.push_back(std::move(*name));
  }
  return names;
}

template <typename Tls>
class Fastly final : public Target {
 public:
  Fastly(runtime::EventLoop& loop, runtime::Offload& offload, std::unique_ptr<http::Client> client,
         runtime::Budget& budget, FastlyOptions options)
      : offload_(offload),
        client_(std::move(client)),
        configuration_(options.configuration_id),
        bulk_(options.bulk),
        api_(loop, *client_, budget, std::move(options.api)),
        tls_(api_, std::move(options.configuration_id)) {}

  Task<Result<std::optional<Installation>>> observe(Fqdn domain) override {
    const auto op = "observe " + domain.text();
    auto found = co_await tls_.observe(std::move(domain));
    if (!found) co_return fail(std::move(found.error()).during(op));
    co_return found;
  }

  Task<Result<Receipt>> install(Fqdn domain, Material material, std::string version_key) override {
    const auto op = "install " + domain.text();
    auto read = [&material, &version_key] { return fastly::read_leaf(material, version_key); };
    auto leaf = co_await offload_.call(std::move(read));
    if (!leaf) co_return fail(std::move(leaf.error()).during(op));
    Receipt receipt{.domain = domain, .version_key = version_key, .names = names_of(*leaf)};
    auto installed =
        co_await tls_.install(std::move(domain), std::move(*leaf), std::move(material));
    if (!installed) co_return fail(std::move(installed.error()).during(op));
    receipt.outcome = *installed;
    co_return receipt;
  }

  Task<Status> clean_up(Receipt receipt) override {
    const auto op = "clean up after " + receipt.domain.text();
    auto done = co_await tls_.clean_up(std::move(receipt));
    if (!done) co_return fail(std::move(done.error()).during(op));
    co_return done;
  }

  Task<Status> retire(Receipt receipt) override {
    const auto op = "retire " + receipt.domain.text();
    auto done = co_await tls_.retire(std::move(receipt));
    if (!done) co_return fail(std::move(done.error()).during(op));
    co_return done;
  }

  Task<Status> check() override {
    auto found = co_await api_.configurations();
    if (!found) co_return fail(std::move(found.error()).during("check"));
    co_return suits(*found);
  }

  Task<void> stop() override { co_return; }

 private:
  Status suits(const std::vector<fastly::Configuration>& found) const {
    const auto wanted = std::ranges::find_if(found, [this](const auto& each) {
      return configuration_.empty() ? each.is_default && !each.bulk : each.id == configuration_;
    });
    if (wanted == found.end() && configuration_.empty()) {
      return fail(Error::Kind::misconfigured, "check",
                  "Fastly has no default TLS configuration for this customer: name one by "
                  "configuration_id");
    }
    if (wanted == found.end()) {
      return fail(Error::Kind::misconfigured, "check",
                  fmt::format("Fastly knows no TLS configuration {} of this customer: take one of "
                              "those under Security, TLS management",
                              configuration_));
    }
    if (wanted->bulk == bulk_) return {};
    return fail(Error::Kind::misconfigured, "check",
                fmt::format("the TLS configuration {} is {} for Platform TLS: set bulk = {}",
                            wanted->id, wanted->bulk ? "one" : "not one", wanted->bulk));
  }

  runtime::Offload& offload_;
  std::unique_ptr<http::Client> client_;
  std::string configuration_;
  bool bulk_;
  fastly::Api api_;
  Tls tls_;
};

}  // namespace

std::unique_ptr<Target> make_fastly(runtime::EventLoop& loop, runtime::Offload& offload,
                                    std::unique_ptr<http::Client> client, runtime::Budget& budget,
                                    FastlyOptions options) {
  if (options.bulk) {
    return std::make_unique<Fastly<fastly::BulkTls>>(loop, offload, std::move(client), budget,
                                                     std::move(options));
  }
  return std::make_unique<Fastly<fastly::CustomTls>>(loop, offload, std::move(client), budget,
                                                     std::move(options));
}

}  // namespace certherd::deploy
