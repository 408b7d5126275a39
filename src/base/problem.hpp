#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace certherd {

/// What a server said went wrong, kept whole (RFC 7807; ACME's members are in RFC 8555
/// section 6.7).
struct Problem {
  struct Subproblem {
    std::string type;
    std::string detail;
    std::string identifier;  ///< the name it is about, as the server wrote it

    bool operator==(const Subproblem&) const = default;
  };

  std::string type;  ///< the whole URN; empty when the server gave none
  std::string title;
  std::string detail;
  int status = 0;  ///< the HTTP status; 0 when unknown
  std::string instance;
  std::vector<Subproblem> subproblems;

  bool operator==(const Problem&) const = default;

  /// True for urn:ietf:params:acme:error:`name`.
  bool is_acme(std::string_view name) const;
};

}  // namespace certherd
