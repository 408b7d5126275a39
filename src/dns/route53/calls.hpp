#pragma once

#include <map>
#include <string>
#include <tl/expected.hpp>
#include <utility>
#include <vector>

#include "aws/client.hpp"
#include "aws/failure.hpp"
#include "aws/session.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "dns/route53/xml.hpp"
#include "dns/shared_lookups.hpp"
#include "model/fqdn.hpp"
#include "model/identifiers.hpp"
#include "runtime/budget.hpp"
#include "runtime/task.hpp"
#include "runtime/turnstile.hpp"

namespace certherd::dns::route53 {

/// The calls of Route 53's API (AWS API reference, API version 2013-04-01), one function for each.
/// Each attempt draws on the account's budget, whichever section or process makes it, in the order
/// of the urgency. Errors: as to_error() has them. Used on the loop.
class Calls {
 public:
  Calls(aws::Session& session, runtime::Budget& budget, double requests_per_second);

  /// ListHostedZonesByName from a name on, or from the first zone on without one.
  Task<Result<ZonePage>> zones_by_name(Fqdn from, ZoneId from_id, int most);

  /// ListHostedZones; the marker is that of the page before.
  Task<Result<ZonePage>> zones(std::string marker);

  /// GetHostedZone: its name servers.
  Task<Result<std::vector<Fqdn>>> name_servers(ZoneId zone);

  /// ListResourceRecordSets from the TXT set of a name on.
  Task<Result<RecordPage>> record_sets(ZoneId zone, Fqdn from, int most, runtime::Urgency urgency);

  /// ChangeResourceRecordSets. The failure as it is, since its messages tell which names are meant.
  Task<tl::expected<ChangeInfo, aws::Failure>> change_record_sets(ZoneId zone,
                                                                  std::vector<SetChange> changes,
                                                                  runtime::Urgency urgency);

  /// GetChange.
  Task<Result<ChangeInfo>> change(Ticket id);

 private:
  using Query = std::vector<std::pair<std::string, std::string>>;

  Task<Result<http::Response>> get(std::string operation, std::string path, Query query,
                                   runtime::Urgency urgency);
  Task<Status> pass(runtime::Urgency urgency);
  Task<Status> take_change_units(std::size_t units);
  Task<Result<std::string>> find_account(int);

  aws::Client client_;
  runtime::EventLoop& loop_;
  runtime::Budget& budget_;
  double requests_per_second_;
  SharedLookups<int, std::string> account_;  // one only: 0
  std::string stand_in_;                     // for the account number, where STS does not tell it
  Time ask_again_at_;
  std::map<std::string, runtime::Turnstile> turnstiles_;  // by account
};

}  // namespace certherd::dns::route53
