#pragma once

#include <string>
#include <vector>

#include "deploy/fastly/domain_keys.hpp"
#include "deploy/target.hpp"

namespace certherd::deploy::fastly {

/// Certificates of custom TLS and their activations.
class CustomTls {
 public:
  CustomTls(Api& api, std::string configuration)
      : api_(api), configuration_(std::move(configuration)), keys_(api) {}

  Task<Result<std::optional<Installation>>> observe(Fqdn domain);
  Task<Result<Installed>> install(Fqdn domain, Leaf leaf, Material material);
  Task<Status> clean_up(Receipt receipt);
  Task<Status> retire(Receipt receipt);

 private:
  Task<Result<std::vector<Certificate>>> ours(Fqdn domain);
  Task<Result<Certificate>> upload(Fqdn domain, Leaf leaf, Material material,
                                   std::vector<Certificate> present);
  /// Sees to it that each name of the leaf is active on the certificate.
  Task<Status> activate_all(Fqdn domain, Leaf leaf, Certificate certificate);
  Task<Status> activate(std::string name, std::string certificate);
  Task<Status> take_back(Fqdn domain, Certificate certificate);
  Task<Status> remove(Certificate certificate);

  Api& api_;
  std::string configuration_;
  DomainKeys keys_;
};

}  // namespace certherd::deploy::fastly
