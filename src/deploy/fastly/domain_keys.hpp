#pragma once

#include <map>
#include <string>

#include "deploy/fastly/key_index.hpp"
#include "deploy/fastly/leaf.hpp"
#include "model/fqdn.hpp"

namespace certherd::deploy::fastly {

/// What our keys and certificates for a domain are called at Fastly. Others are never changed.
std::string label_of(const Fqdn& domain);

/// The keys that we keep at Fastly for domains. Errors: the Api's.
class DomainKeys {
 public:
  explicit DomainKeys(Api& api) : api_(api), index_(api) {}

  /// Sees to it that the leaf's key is there; uploaded once, however often it is asked for.
  Task<Status> ensure(Fqdn domain, Leaf leaf, Secret<std::string> pem);

  /// The leaf is what the domain has now.
  void note(const Fqdn& domain, const Leaf& leaf);

  /// Removes the domain's keys that no certificate uses, where there are several. `former_stands`:
  /// not only the present certificate uses one of them.
  Task<Status> remove_unused(Fqdn domain, bool former_stands);

  /// How many of the domain's keys are used besides that of its present certificate.
  Task<Result<std::size_t>> used_besides_present(Fqdn domain);

  /// Removes those too where there is but one, after a certificate was refused.
  Task<Status> remove_all_unused(Fqdn domain);

  /// Removes all keys of the domain. One that is still used stays.
  Task<Status> remove_all(Fqdn domain);

  /// What is known of the keys may be wrong.
  void doubt() { index_.doubt(); }

 private:
  Task<Status> remove(Key key);

  Api& api_;
  KeyIndex index_;
  std::map<std::string, std::string>
      present_;  ///< SHA-1 of the key in use by label, until clean-up
};

}  // namespace certherd::deploy::fastly
