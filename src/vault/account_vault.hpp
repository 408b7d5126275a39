#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "base/secret.hpp"
#include "model/identifiers.hpp"
#include "runtime/task.hpp"

namespace certherd::vault {

/// The account at a CA, as one machine keeps it for others.
struct AccountDocument {
  std::string directory;                  ///< URL of the CA's directory that it belongs to
  Secret<std::string> key;                ///< PEM
  std::string thumbprint;                 ///< of the key: RFC 7638, base64url
  AccountUrl url;                         ///< empty until the CA has answered
  std::string status;                     ///< as the CA calls it; empty until it has answered
  std::vector<std::string> contact = {};  ///< mailto: URLs
  std::string revision = {};  ///< of what is kept, by which a change names what it builds on
};

/// Keeps the account of each CA for all machines that share it. Owned by app, used on the loop.
class AccountVault {
 public:
  virtual ~AccountVault() = default;

  /// Nothing when there is none. Errors: denied, transient, throttled, rejected (damaged), conflict
  /// (somebody else's secret stands there).
  virtual Task<Result<std::optional<AccountDocument>>> load_account(CaName ca) = 0;

  /// Puts the document in the place of the one that has its revision; without a revision it has to
  /// be the first. Gives the new revision. Saying the same again is harmless. Errors: conflict
  /// (another one is there by now: load it), denied, transient, throttled, misconfigured.
  virtual Task<Result<std::string>> save_account(CaName ca, AccountDocument document) = 0;
};

}  // namespace certherd::vault
