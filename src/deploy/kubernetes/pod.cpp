#include "deploy/kubernetes/pod.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <utility>

namespace certherd::deploy::kubernetes {
namespace {

std::string from_environment(const char* name) {
  const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): nobody sets it
  return value == nullptr ? std::string() : std::string(value);
}

}  // namespace

Pod own_pod() {
  Pod pod;
  pod.host = from_environment("KUBERNETES_SERVICE_HOST");
  pod.port = from_environment("KUBERNETES_SERVICE_PORT");
  return pod;
}

Result<Cluster> cluster_of(const Pod& pod) {
  const std::string op = "find the cluster";
  if (pod.host.empty() || pod.port.empty()) {
    return fail(Error::Kind::misconfigured, op,
                "certherd does not run in a pod: set `kubeconfig`, or `server` and `token`");
  }
  Cluster cluster;
  const bool is_ipv6 = pod.host.find(':') != std::string::npos;
  cluster.server =
      fmt::format("https://{}{}{}:{}", is_ipv6 ? "[" : "", pod.host, is_ipv6 ? "]" : "", pod.port);
  auto trust = read_small_file(pod.account / "ca.crt");
  if (!trust) return fail(std::move(trust.error()).during(op));
  cluster.trust_pem = std::move(*trust);
  cluster.read = [file = pod.account / "token"] { return read_token_file(file); };
  return cluster;
}

std::string namespace_of(const Pod& pod) {
  auto text = read_small_file(pod.account / "namespace");
  return text ? trimmed(Secret<std::string>(std::move(*text))).reveal() : std::string();
}

}  // namespace certherd::deploy::kubernetes
