#pragma once

#include <string>

#include "vault/account_vault.hpp"
#include "vault/secrets_manager/api.hpp"

namespace certherd::vault::secrets_manager {

/// The account of a CA as one secret, `<prefix>_account/<ca>`, a JSON object. The first writer is
/// the one whose CreateSecret goes through; a change is staged, and switched only while the version
/// that it builds on is current, so that of two changes one is refused.
class AccountSecret final : public AccountVault {
 public:
  AccountSecret(Api& api, std::string prefix, std::string kms_key_id)
      : api_(api), prefix_(std::move(prefix)), kms_key_id_(std::move(kms_key_id)) {}

  Task<Result<std::optional<AccountDocument>>> load_account(CaName ca) override;
  Task<Result<std::string>> save_account(CaName ca, AccountDocument document) override;

 private:
  Result<std::string> name_of(const CaName& ca) const;
  Task<Result<std::string>> create(std::string name, CaName ca, AccountDocument document);
  Task<Result<std::string>> change(std::string name, AccountDocument document);

  Api& api_;
  std::string prefix_;
  std::string kms_key_id_;
};

}  // namespace certherd::vault::secrets_manager
