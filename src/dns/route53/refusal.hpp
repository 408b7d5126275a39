#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "dns/provider.hpp"
#include "model/fqdn.hpp"

namespace certherd::dns::route53 {

/// What Route 53 has against one name of a batch.
struct Objection {
  std::string words;
  bool for_good = false;  ///< whatever values stand at the name
};

/// Finds the names of a batch in the messages by which it was refused: with or without a trailing
/// dot, quoted or not. The first objection to a name counts, or the first that is for good.
std::map<Fqdn, Objection> objections(const std::vector<std::string>& messages,
                                     const std::set<Fqdn>& names);

/// The error of one change to which Route 53 has that objection: op is the value, the detail says
/// what can be done.
Error refused(const TxtChange& change, const std::string& words);

}  // namespace certherd::dns::route53
