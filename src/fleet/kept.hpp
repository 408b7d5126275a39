#pragma once

#include <map>

#include "crypto/pki.hpp"
#include "model/certificate.hpp"
#include "model/material.hpp"
#include "store/store.hpp"
#include "vault/vault.hpp"

namespace certherd::fleet {

/// What the vault keeps of a certificate, once it has been seen to be that and fit for use: chain
/// and key belong together, and nobody else is known to have the key.
/// Errors: those of Vault::load(); rejected, saying what does not fit, or that the certificate's
/// key was compromised.
Task<Result<Material>> load_kept(const crypto::Pki* pki, vault::Vault* vault, store::Store* store,
                                 Certificate certificate);

/// The key that the vault keeps, if it is the one whose public half (DER) is given.
/// Errors: those of Vault::load(); not_found when the vault keeps another one.
Task<Result<crypto::PrivateKey>> load_key(const crypto::Pki* pki, vault::Vault* vault, Fqdn domain,
                                          std::string public_key);

/// The key of the domain's present certificate, for the next one: of this type, and not
/// compromised as far as anybody knows. Nothing where there is none like that. Errors: those of
/// Vault::load(), the store's.
Task<Result<std::optional<crypto::PrivateKey>>> find_kept_key(
    const crypto::Pki* pki, std::map<VaultName, vault::Vault*> vaults, store::Store* store,
    Fqdn domain, KeyType type);

}  // namespace certherd::fleet
