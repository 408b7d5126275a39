#pragma once

#include <map>
#include <memory>
#include <string>

#include "aws/access.hpp"
#include "aws/session.hpp"
#include "deploy/target.hpp"
#include "runtime/budget.hpp"
#include "runtime/offload.hpp"

namespace certherd::deploy {

struct AcmOptions {
  std::map<std::string, std::string> tags;  ///< put on at import, besides our own
};

/// AWS Certificate Manager of one account and region. A domain has one imported certificate, tagged
/// managed-by=certherd and domain=NAME, and its new versions are imported under the same ARN, so
/// that whoever uses it needs no change. Where there are several of a domain, those that somebody
/// uses are kept up to date, and clean_up() deletes the others. All that is not tagged so is left
/// alone.
///
/// Session, offload and budget outlive it, but for what is `owned`, which ends with it.
std::unique_ptr<Target> make_acm(aws::Session& session, runtime::Offload& offload,
                                 runtime::Budget& budget, AcmOptions options,
                                 aws::Access owned = {});

}  // namespace certherd::deploy
