#include "vault/secrets_manager/failure.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace certherd::vault::secrets_manager {
namespace {

using Kind = Error::Kind;

struct Meaning {
  std::string_view code;
  Kind kind;
  std::string_view remedy;
};

// LimitExceededException is a quota (secrets of a region, versions of a secret): old versions are
// cleared away by AWS within a day, and a person can have the quota raised, so it waits like a
// limit, and longer than a throttled call. The last four do not answer any call that we make.
constexpr std::array meanings = {
    Meaning{"ResourceExistsException", Kind::conflict, ""},
    Meaning{"ResourceNotFoundException", Kind::not_found, ""},
    Meaning{"InvalidRequestException", Kind::conflict,
            "if it is scheduled for deletion, restore it: aws secretsmanager restore-secret; if "
            "another AWS service manages it, choose another prefix"},
    Meaning{"InvalidParameterException", Kind::misconfigured,
            "check prefix and kms_key_id of the vault"},
    Meaning{"LimitExceededException", Kind::throttled,
            "a quota of Secrets Manager is used up: have it raised (AWS Service Quotas), or remove "
            "secrets that nobody needs"},
    Meaning{"EncryptionFailure", Kind::denied,
            "allow kms:GenerateDataKey and kms:Decrypt on the KMS key, and see that the key is "
            "enabled"},
    Meaning{"DecryptionFailure", Kind::denied,
            "allow kms:Decrypt on the KMS key, and see that the key is enabled"},
    Meaning{"InternalServiceError", Kind::transient, ""},
    Meaning{"PreconditionNotMetException", Kind::conflict, ""},
    Meaning{"MalformedPolicyDocumentException", Kind::misconfigured, ""},
    Meaning{"InvalidNextTokenException", Kind::misconfigured, ""},
    Meaning{"PublicPolicyException", Kind::misconfigured, ""},
};

}  // namespace

aws::Failure explained(aws::Failure failure) {
  const auto* const found = std::ranges::find(meanings, failure.code, &Meaning::code);
  if (found == meanings.end()) {
    if (failure.error.kind == Kind::rejected) failure.error.kind = Kind::misconfigured;
    return failure;
  }
  failure.error.kind = found->kind;
  if (!found->remedy.empty()) {
    failure.error.detail += " (";
    failure.error.detail += found->remedy;
    failure.error.detail += ")";
  }
  return failure;
}

}  // namespace certherd::vault::secrets_manager
