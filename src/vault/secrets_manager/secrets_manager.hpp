#pragma once

#include <memory>
#include <string>

#include "aws/session.hpp"
#include "runtime/budget.hpp"
#include "vault/account_vault.hpp"
#include "vault/vault.hpp"

namespace certherd::vault {

struct SecretsManagerOptions {
  /// One secret for each part, or one for all of them.
  enum class Layout { separate, bundle };

  std::string prefix;  ///< as secrets_manager::check_prefix() allows it
  Layout layout = Layout::separate;
  std::string kms_key_id;  ///< for secrets that are made; empty: the account's own key
};

class SecretsManagerVault : public Vault, public AccountVault {};

/// AWS Secrets Manager. Separate: `<prefix><domain>/private_key`, `/csr` and `/fullchain`, whose
/// versions share their id and are switched in this order after all three have been staged. Bundle:
/// `<prefix><domain>/bundle`, one JSON object with domain, serial, private_key, csr and fullchain,
/// switched at one instant. References are ARNs; with the bundle `ARN:key::`, as Amazon ECS spells
/// one key of a JSON secret. The account of a CA is in `<prefix>_account/<ca>`. Secrets that are
/// not tagged managed-by=certherd are left alone.
///
/// Version keys are serials (secrets_manager::version_id()). Session and budget outlive it.
std::unique_ptr<SecretsManagerVault> make_secrets_manager(aws::Session& session,
                                                          SecretsManagerOptions options,
                                                          runtime::Budget& budget);

}  // namespace certherd::vault
