#pragma once

#include <filesystem>
#include <string>

#include "base/result.hpp"
#include "deploy/kubernetes/kubeconfig.hpp"

namespace certherd::deploy::kubernetes {

/// What a container is told of its cluster (Kubernetes documentation, "Accessing the Kubernetes API
/// from a Pod").
struct Pod {
  std::string host;  ///< empty: we are in none
  std::string port;
  std::filesystem::path account = "/var/run/secrets/kubernetes.io/serviceaccount";
};

/// As the environment of this process says.
Pod own_pod();

/// The cluster of the pod, as its service account. Blocks on the disk. Errors: misconfigured.
Result<Cluster> cluster_of(const Pod& pod);

/// The pod's own namespace; empty when we are in none. Blocks on the disk.
std::string namespace_of(const Pod& pod);

}  // namespace certherd::deploy::kubernetes
