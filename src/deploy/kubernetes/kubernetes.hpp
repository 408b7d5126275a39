#pragma once

#include <map>
#include <memory>
#include <string>

#include "deploy/kubernetes/api.hpp"
#include "deploy/target.hpp"
#include "runtime/event_loop.hpp"

namespace certherd::deploy {

struct KubernetesOptions {
  kubernetes::ApiOptions api;
  std::string name = "{domain}-tls";               ///< as kubernetes::secret_name() takes it
  std::map<std::string, std::string> labels = {};  ///< of the Secrets, beside ours
};

/// A Secret of the type kubernetes.io/tls for each domain: tls.crt is the full chain, tls.key the
/// key. Written at one instant, by server-side apply. One that is not marked as ours for that
/// domain is left alone (kubernetes::managed_by_label, kubernetes::domain_annotation), and so are
/// fields that somebody else manages.
std::unique_ptr<Target> make_kubernetes(runtime::EventLoop& loop, kubernetes::Connect connect,
                                        std::unique_ptr<kubernetes::CredentialSource> source,
                                        KubernetesOptions options);

}  // namespace certherd::deploy
