#include "deploy/kubernetes/section.hpp"

#include <optional>
#include <utility>

#include "config/secret_source.hpp"
#include "deploy/kubernetes/kubeconfig.hpp"
#include "deploy/kubernetes/kubernetes.hpp"
#include "deploy/kubernetes/names.hpp"
#include "deploy/kubernetes/pod.hpp"
#include "http/curl_client.hpp"
#include "http/url.hpp"
#include "runtime/process.hpp"

namespace certherd::deploy {
namespace {

namespace fs = std::filesystem;

/// Which cluster, as the section says it. With neither a kubeconfig nor a server, the pod's.
struct Place {
  fs::path kubeconfig;
  std::string context;
  std::string server;
  std::optional<config::SecretSource> token;
  fs::path trust;
};

Result<kubernetes::Cluster> named_cluster(const Place& place) {
  kubernetes::Cluster cluster;
  cluster.server = place.server;
  if (!place.trust.empty()) {
    auto text = kubernetes::read_small_file(place.trust);
    if (!text) return fail(std::move(text.error()));
    cluster.trust_pem = std::move(*text);
  }
  cluster.read = [source = *place.token]() -> Result<kubernetes::Credential> {
    auto token = source.read();
    if (!token) return fail(std::move(token.error()));
    kubernetes::Credential credential;
    credential.token = kubernetes::trimmed(*token);
    return credential;
  };
  return cluster;
}

class KubernetesSection final : public TargetSection {
 public:
  KubernetesSection(Place place, KubernetesOptions options)
      : place_(std::move(place)), options_(std::move(options)) {}

  // Kubernetes looks at neither; what reads Secrets (ingress controllers) takes all of these.
  Acceptance accepts() const override { return {.keys = every_key_type()}; }

  std::set<std::string> secret_variables() const override {
    if (place_.token && !place_.token->env.empty()) return {place_.token->env};
    return {};
  }

  Result<std::unique_ptr<Target>> open(const Surroundings& surroundings) const override {
    const auto pod = kubernetes::own_pod();
    auto cluster = place_.server.empty()
                       ? place_.kubeconfig.empty()
                             ? kubernetes::cluster_of(pod)
                             : kubernetes::read_kubeconfig(place_.kubeconfig, place_.context)
                       : named_cluster(place_);
    if (!cluster) return fail(std::move(cluster.error()));
    auto options = options_;
    options.api.server = cluster->server;
    auto& own = options.api.namespace_;
    if (own.empty()) own = cluster->namespace_;
    if (own.empty()) own = kubernetes::namespace_of(pod);
    if (own.empty()) own = "default";
    if (auto checked = kubernetes::check_namespace(own); !checked) {
      return fail(std::move(checked.error()));
    }
    auto& loop = surroundings.loop;
    auto connect = [&loop, trust = cluster->trust_pem,
                    agent = surroundings.user_agent](const kubernetes::Credential& credential) {
      return http::make_curl_client(loop, {.user_agent = agent,
                                           .trust_pem = trust,
                                           .certificate_pem = credential.certificate_pem,
                                           .key_pem = credential.key_pem});
    };
    return make_kubernetes(loop, std::move(connect), source_of(std::move(*cluster), surroundings),
                           std::move(options));
  }

 private:
  static std::unique_ptr<kubernetes::CredentialSource> source_of(kubernetes::Cluster cluster,
                                                                 const Surroundings& surroundings) {
    auto& loop = surroundings.loop;
    if (!cluster.exec) {
      return kubernetes::make_read_credentials(loop, surroundings.offload, std::move(cluster.read));
    }
    cluster.exec->withheld = surroundings.withheld;
    auto run = [&loop](runtime::Command command, Time deadline) {
      return runtime::run_command(&loop, std::move(command), deadline);
    };
    return kubernetes::make_exec_credentials(loop, std::move(run), std::move(*cluster.exec));
  }

  Place place_;
  KubernetesOptions options_;
};

Place read_place(config::Section& section, const fs::path& folder) {
  Place place;
  const auto path = [&](std::string_view key) {
    const auto text = section.named(key);
    return text.empty() ? fs::path() : (folder / text).lexically_normal();
  };
  place.kubeconfig = path("kubeconfig");
  place.context = section.named("context");
  place.server = section.named("server");
  while (place.server.ends_with('/')) place.server.pop_back();
  place.token = config::read_secret_source(section, "token", folder);
  place.trust = path("trust");

  if (!place.kubeconfig.empty() && !place.server.empty()) {
    section.fault("server", "name the cluster either by `kubeconfig` or by `server`");
  }
  if (place.kubeconfig.empty() && !place.context.empty()) {
    section.fault("context", "a context is one of a `kubeconfig`: name that too");
  }
  if (place.server.empty() && (place.token || !place.trust.empty())) {
    section.fault(place.token ? "token" : "trust", "this goes with `server`: name that too");
  }
  if (place.server.empty()) return place;
  if (!place.token) {
    section.fault("token", R"(must say where the token is: { env = "NAME" } or { file = "PATH" })");
  }
  if (const auto address = http::check_url(place.server); !address) {
    section.fault("server", address.error().detail);
  }
  return place;
}

}  // namespace

std::shared_ptr<const TargetSection> read_kubernetes(config::Section& section,
                                                     const fs::path& folder) {
  auto place = read_place(section, folder);
  KubernetesOptions options;
  options.api.namespace_ = section.named("namespace");
  if (!options.api.namespace_.empty()) {
    if (auto checked = kubernetes::check_namespace(options.api.namespace_); !checked) {
      section.fault("namespace", checked.error().detail);
    }
  }
  options.name = section.text("name").value_or(options.name);
  if (auto name = kubernetes::secret_name(options.name, Fqdn::literal("*.example.com")); !name) {
    section.fault("name", name.error().detail);
  }
  for (auto& [key, value] : section.text_map("labels")) options.labels[key] = std::move(value);
  if (auto checked = kubernetes::check_labels(options.labels); !checked) {
    section.fault("labels", checked.error().detail);
  }
  options.api.timeout = section.duration("timeout").value_or(options.api.timeout);
  section.done();
  return std::make_shared<KubernetesSection>(std::move(place), std::move(options));
}

}  // namespace certherd::deploy
