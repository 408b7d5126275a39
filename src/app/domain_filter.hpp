#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "fleet/ports.hpp"
#include "store/store.hpp"

namespace certherd::app {

/// Picks domains by what stands in the inventory: `owner=web state!=ok names=*.example.com`.
///
/// Terms stand between spaces and must all hold. KEY=GLOB holds when the value, or one of several,
/// matches; `!=` when none does. `*` in GLOB stands for anything; a GLOB with spaces stands between
/// quotation marks. KEY is a column of the inventory, `state`, or metadata; `metadata.KEY` is
/// metadata in any case. ca, dns, vault, targets and key are what holds for the domain, by
/// [defaults] where it says nothing. certificate.ca, certificate.issuer, certificate.key,
/// certificate.not_after and certificate.serial are of the present certificate: what it is, and not
/// what the inventory wants; empty without one. Names may be given in Unicode, serials in any
/// spelling of parse_serial().
class DomainFilter {
 public:
  /// Errors: misconfigured, naming the term.
  static Result<DomainFilter> parse(std::string_view text);

  /// Those of `rows` for which all terms hold. Errors: misconfigured when a key is neither a
  /// column nor metadata of any of them: most likely a slip.
  Result<std::vector<store::DomainRow>> select(std::vector<store::DomainRow> rows,
                                               const fleet::Defaults& defaults, Time now) const;

 private:
  struct Term {
    std::string key;
    std::string glob;
    bool metadata = false;  ///< the key is one of metadata in any case
    bool wanted = true;     ///< false: `!=`
  };

  static Result<Term> parse_term(std::string_view text);
  Status check_keys(const std::vector<store::DomainRow>& rows) const;
  static bool holds(const Term& term, const store::DomainRow& row, const fleet::Defaults& defaults,
                    Time now);

  std::vector<Term> terms_;
};

}  // namespace certherd::app
