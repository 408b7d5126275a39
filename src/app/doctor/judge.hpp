#pragma once

#include <optional>
#include <string>
#include <vector>

#include "acme/client.hpp"
#include "app/config.hpp"
#include "app/doctor/finding.hpp"
#include "base/result.hpp"
#include "dns/inspector.hpp"
#include "dns/responder/responder.hpp"
#include "model/account.hpp"

/// What the doctor makes of what it saw: functions of that alone.
namespace certherd::app {

/// An error as a verdict, with a remedy by its kind.
Verdict judge_error(const Error& error);

/// One verdict for several about the same subject: the worst status, the findings and remedies of
/// all that have it.
Verdict join(std::vector<Verdict> verdicts);

/// Whether all servers of a zone that the zone or its parent names serve it. Failed where an
/// issuance would not see its challenge value on every one.
Verdict judge_zone(const Fqdn& zone, const Result<dns::ZoneSurvey>& survey);

/// What is known of a CA for judging CAA sets; `directory` is empty when it could not be read.
struct CaaView {
  CaName ca;
  std::optional<acme::Directory> directory;
  std::string account;  ///< URL; empty when there is none yet
};

Verdict judge_caa_of(const Fqdn& name, const Result<dns::CaaSet>& set, const CaaView& view);

/// Whether the values that stand at a challenge name leave room. `ours` stand in the ledger,
/// `stale` are those of them that no issuance needs any more.
Verdict judge_values(const dns::ChallengePath& path, const std::vector<TxtValue>& standing,
                     const std::vector<TxtValue>& ours, const std::vector<TxtValue>& stale);

/// Whether the delegation of a zone leads to where its responder answers.
Verdict judge_responder(const DnsName& section, const dns::ResponderOptions& options,
                        const Fqdn& zone, const std::vector<dns::ServerAddress>& servers);

/// Whether the delegation of the zone `apex`, which holds the record, leads to the hosted zone that
/// would be written. `assigned`: the name servers that the DNS host has given to that zone.
Verdict judge_host(const DnsName& section, const dns::Zone& hosted, const Fqdn& apex,
                   const Result<std::vector<Fqdn>>& assigned,
                   const Result<dns::ZoneSurvey>& survey);

/// This machine's clock against that of a CA, which answered `date` between `sent` and `received`.
Verdict judge_clock(Time sent, Time received, Time date);

/// Whether an order at that CA has an account, or will get one.
Verdict judge_account(const CaName& ca, const CaConfig& config, const acme::Directory& directory,
                      const std::optional<Account>& account);

/// Whether the CA offers the profile of its section.
Verdict judge_profile(const CaName& ca, const CaConfig& config, const acme::Directory& directory);

}  // namespace certherd::app
