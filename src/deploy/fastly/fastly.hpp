#pragma once

#include <memory>
#include <string>

#include "deploy/fastly/api.hpp"
#include "deploy/target.hpp"
#include "runtime/offload.hpp"

namespace certherd::deploy {

struct FastlyOptions {
  fastly::ApiOptions api;
  std::string configuration_id;  ///< of TLS; empty: the customer's default one. Bulk needs it
  bool bulk = false;             ///< Platform TLS
};

/// Fastly. What we upload is named "certherd: <domain>", and nothing else is changed or removed;
/// but the activation of a domain of ours is moved to our certificate, whoever made it.
///
/// Custom TLS: a key is uploaded once. A certificate with the same names takes the place of the
/// former one, whose activations stay; with other names it is a new one, to which the activations
/// are moved. So no name is without an activation at any moment once it has one.
///
/// Platform TLS (`bulk`): no activations; TLS is on for all names of a certificate, some time
/// after the upload. Its objects have neither name nor serial: ours is the one with exactly the
/// same names, and what is installed cannot be told (observe()).
std::unique_ptr<Target> make_fastly(runtime::EventLoop& loop, runtime::Offload& offload,
                                    std::unique_ptr<http::Client> client, runtime::Budget& budget,
                                    FastlyOptions options);

}  // namespace certherd::deploy
