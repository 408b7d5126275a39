#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "dns/caa_lookup.hpp"
#include "dns/visibility.hpp"
#include "model/fqdn.hpp"
#include "model/identifiers.hpp"
#include "runtime/event_loop.hpp"
#include "runtime/random.hpp"
#include "runtime/task.hpp"

namespace certherd::dns {

/// Where a challenge name leads.
struct ChallengePath {
  std::vector<Fqdn> names;  ///< the challenge name first, then each CNAME's target
  Fqdn origin;              ///< apex of the zone around the challenge name
  Fqdn zone;                ///< apex of the zone around the last name

  const Fqdn& record() const { return names.back(); }
};

/// What one name server of a zone says, over one transport.
struct ServerWord {
  std::string server;    ///< "ns1.example.net (192.0.2.1:53, UDP)"
  std::string finding;   ///< why it does not serve the zone, in words; empty when it does
  bool excused = false;  ///< only this machine cannot ask it there
};

/// Who serves a zone, by all who have a say in it.
struct ZoneSurvey {
  std::vector<ServerWord> words;       ///< of every server that the zone or its parent names
  std::vector<ServerAddress> servers;  ///< their addresses
  std::vector<std::string> own;        ///< its NS by its own servers; empty when none of them told
  std::vector<std::string> delegated;  ///< its NS by its parent's; empty when not known
  std::string undelegated;     ///< which server of the parent says that there is no such zone
  std::string parent_unknown;  ///< why the parent did not tell, in words
};

/// Looks at the public DNS before anything is published in it. Owned by app, used on the loop.
/// Findings on zones and CAA sets are kept for five minutes and shared by all names.
class Inspector {
 public:
  /// Errors: misconfigured when no resolver is known.
  static Result<std::unique_ptr<Inspector>> make(runtime::EventLoop& loop, runtime::Random& random,
                                                 ResolverOptions options);
  ~Inspector();

  /// Follows the CNAMEs of a challenge name. Errors: as Visibility::locate(), without asking who
  /// serves the zones.
  Task<Result<ChallengePath>> trace(Fqdn challenge_name);

  /// Asks the zone's and its parent's name servers. Errors: not_found when it has no NS at all,
  /// transient when no resolver replied.
  Task<Result<ZoneSurvey>> survey(Fqdn zone);

  /// As CaaLookup::of().
  Task<Result<CaaSet>> caa(Fqdn name);

  /// The TXT values that stand at a name of that zone, by the first of its servers that tells; by
  /// the resolvers where [resolver] check asks nobody else. Errors: not_found, transient; rejected
  /// where there are more than can be read.
  Task<Result<std::vector<TxtValue>>> values(Fqdn record, Fqdn zone);

 private:
  class Impl;
  explicit Inspector(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace certherd::dns
