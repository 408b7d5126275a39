#pragma once

#include <string>

#include "deploy/fastly/domain_keys.hpp"
#include "deploy/target.hpp"

namespace certherd::deploy::fastly {

/// Certificates of Platform TLS.
class BulkTls {
 public:
  BulkTls(Api& api, std::string configuration)
      : api_(api), configuration_(std::move(configuration)), keys_(api) {}

  Task<Result<std::optional<Installation>>> observe(Fqdn domain);
  Task<Result<Installed>> install(Fqdn domain, Leaf leaf, Material material);
  Task<Status> clean_up(Receipt receipt);
  Task<Status> retire(Receipt receipt);

 private:
  Api& api_;
  std::string configuration_;
  DomainKeys keys_;
};

}  // namespace certherd::deploy::fastly
