#pragma once

#include "base/time.hpp"
#include "model/fqdn.hpp"
#include "model/identifiers.hpp"

namespace certherd {

/// A challenge value that we wrote, or were about to write: a row of the ledger. It leaves the
/// ledger when its removal is confirmed, and only what stands there is ever touched.
struct TxtRecord {
  DnsName dns;
  ZoneId zone;
  Fqdn name;
  TxtValue value;
  IssuanceId issuance{};

  auto operator<=>(const TxtRecord&) const = default;
};

}  // namespace certherd
