#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

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
  struct Present {
    Serial serial;
    std::set<std::string> names;
    std::string id;
  };

  void note(const Fqdn& domain, const Leaf& leaf, std::string id);
  /// Of these, all of which have the domain among their names.
  Task<Status> remove_former(Fqdn domain, std::set<std::string> names,
                             std::vector<BulkCertificate> others);

  Api& api_;
  std::string configuration_;
  DomainKeys keys_;
  std::map<Fqdn, Present> present_;  ///< what this process has installed, until clean-up
};

}  // namespace certherd::deploy::fastly
