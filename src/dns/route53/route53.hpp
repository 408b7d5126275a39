#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "aws/session.hpp"
#include "base/result.hpp"
#include "dns/provider.hpp"
#include "model/fqdn.hpp"
#include "model/identifiers.hpp"
#include "runtime/budget.hpp"
#include "runtime/task.hpp"

namespace certherd::dns {

struct Route53Options {
  DnsName section;  ///< for messages

  /// Of the account's 5 (Route 53 developer guide, "Quotas on API requests"; newer pages speak of
  /// 10). Each attempt of a call draws on the allowance "route53/ACCOUNT", whatever section makes
  /// it; changes draw on "route53-changes/ACCOUNT" too.
  double requests_per_second = 4.5;

  /// The name servers that the public DNS has for a zone: by them the right one of several hosted
  /// zones of one name is told. Errors: not_found when it has none, and what else comes of it.
  std::function<Task<Result<std::vector<Fqdn>>>(Fqdn)> delegation;
};

/// Hosted zones of Amazon Route 53. Private zones are never looked at. Session and budget outlive
/// it.
///
/// apply() sends one request, and reads record sets only when that is refused. Values of others at
/// a name survive, with their TTL. A ticket is a change of Route 53, or "none" when there was
/// nothing to be changed: then state() has it in sync at once.
std::unique_ptr<Provider> make_route53(aws::Session& session, runtime::Budget& budget,
                                       Route53Options options);

}  // namespace certherd::dns
