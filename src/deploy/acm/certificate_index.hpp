#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "deploy/acm/api.hpp"
#include "model/fqdn.hpp"
#include "runtime/event_loop.hpp"
#include "runtime/wakeup.hpp"

namespace certherd::deploy::acm {

/// By this tag a certificate is ours to change.
inline constexpr std::string_view managed_by_key = "managed-by";
inline constexpr std::string_view managed_by_value = "certherd";
/// By this one it is a domain's.
inline constexpr std::string_view domain_key = "domain";

/// What a domain's certificate is tagged with by us.
Tags own_tags(const Fqdn& domain);

/// Which imported certificates are ours, by domain. All are listed at once, and their tags are read
/// when a domain is asked for that is among their names; that holds for 10 minutes. It may know of
/// certificates that are gone. Used on the loop; the API outlives it.
class CertificateIndex {
 public:
  CertificateIndex(Api& api, runtime::EventLoop& loop) : api_(api), loop_(loop), filled_(loop) {}

  /// ARNs in a fixed order; more than one where somebody made another, or a reply was lost.
  Task<Answer<std::vector<std::string>>> find(Fqdn domain);

  /// We have imported it. Lists of the next minutes may lack it.
  void add(const std::string& arn, const Fqdn& domain);
  /// It is gone.
  void forget(const std::string& arn);
  /// What is known may be wrong: the next call lists anew.
  void discard();

 private:
  struct Entry {
    std::optional<std::string> domain;  ///< its tag, empty: not ours; nothing: not read yet
  };
  struct Own {
    Fqdn domain;
    Time imported_at;
  };
  struct Round {
    bool over = false;
    bool discarded = false;
    std::optional<aws::Failure> failure;
  };
  class Filling;

  bool is_fresh() const;
  Task<Answer<void>> fill();
  Task<Answer<std::vector<Summary>>> list_all();
  void take(const std::vector<Summary>& listed);
  void enter(const std::string& arn, const Own& own);
  std::set<std::string> candidates(const Fqdn& domain) const;

  Api& api_;
  runtime::EventLoop& loop_;
  runtime::Wakeup filled_;
  std::shared_ptr<Round> filling_;  // shared with those who wait for it: they may be cancelled
  std::optional<Time> filled_at_;
  std::map<std::string, Entry> entries_;  ///< by ARN
  std::map<std::string, std::set<std::string>> by_name_;
  std::set<std::string> with_more_names_;
  std::map<std::string, Own> own_;  ///< imported by us within the last minutes
};

}  // namespace certherd::deploy::acm
