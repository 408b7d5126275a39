#pragma once

#include <string>
#include <string_view>

#include "model/fqdn.hpp"

namespace certherd::app {

/// What a check came to.
struct Verdict {
  enum class Status { ok, warning, failed };
  Status status = Status::ok;
  std::string finding;  ///< what was seen, with the servers that were asked and what they said
  std::string remedy;   ///< what to do about it; empty when ok

  bool operator==(const Verdict&) const = default;
};

/// One check of one thing.
struct Finding {
  Fqdn domain;          ///< of the inventory; empty: it concerns a section of the config
  std::string check;    ///< "delegation"; docs/output.md lists them
  std::string subject;  ///< the name or the section that was looked at
  Verdict verdict;
};

/// "ok", "warning", "failed".
std::string_view to_string(Verdict::Status status);

}  // namespace certherd::app
