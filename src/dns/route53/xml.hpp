#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "dns/provider.hpp"
#include "dns/route53/record_set.hpp"
#include "model/fqdn.hpp"
#include "model/identifiers.hpp"

namespace certherd::dns::route53 {

/// What replies of Route 53's API say (AWS API reference, API version 2013-04-01). The readers take
/// nothing that is cut off, no XML, or too large: `transient`, since only the way here can do that.
///
/// Names are as Route 53 spells them: some are no Fqdn.

struct ListedZone {
  ZoneId id;
  std::string name;
  bool is_private = false;
};

/// One page of ListHostedZonesByName or ListHostedZones.
struct ZonePage {
  std::vector<ListedZone> zones;
  bool truncated = false;
  std::string next_name;    ///< NextDNSName, of ListHostedZonesByName
  std::string next_id;      ///< NextHostedZoneId, of ListHostedZonesByName
  std::string next_marker;  ///< of ListHostedZones
};
Result<ZonePage> read_zone_page(std::string_view body);

struct ListedSet {
  std::string name;
  std::string type;
  bool simple = true;  ///< no routing policy and no alias
  RecordSet set;
};

/// One page of ListResourceRecordSets.
struct RecordPage {
  std::vector<ListedSet> sets;
  bool truncated = false;
  std::string next_name;
};
Result<RecordPage> read_record_page(std::string_view body);

/// The change of ChangeResourceRecordSets or GetChange.
struct ChangeInfo {
  Ticket id;
  ChangeState state = ChangeState::pending;
};
Result<ChangeInfo> read_change(std::string_view body);

/// The name servers of GetHostedZone's delegation set, by name; a private zone has none.
Result<std::vector<Fqdn>> read_name_servers(std::string_view body);

/// One element Change of a batch.
struct SetChange {
  enum class Action { create, remove };
  Action action = Action::create;
  Fqdn name;
  RecordSet set;

  bool operator==(const SetChange&) const = default;
};

/// The body of ChangeResourceRecordSets.
std::string change_request(const std::vector<SetChange>& changes);

}  // namespace certherd::dns::route53
