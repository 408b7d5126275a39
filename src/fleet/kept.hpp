#pragma once

#include "crypto/private_key.hpp"
#include "model/certificate.hpp"
#include "model/material.hpp"
#include "store/store.hpp"
#include "vault/vault.hpp"

namespace certherd::fleet {

/// What the vault keeps of a certificate, once it has been seen to be that and fit for use: chain
/// and key belong together, and nobody else is known to have the key.
/// Errors: those of Vault::load(); rejected, saying what does not fit, or that the certificate's
/// key was compromised.
Task<Result<Material>> load_kept(vault::Vault* vault, store::Store* store, Certificate certificate);

/// The key that the vault keeps, if it is the one whose public half (DER) is given.
/// Errors: those of Vault::load(); not_found when the vault keeps another one.
Task<Result<crypto::PrivateKey>> load_key(vault::Vault* vault, Fqdn domain, std::string public_key);

}  // namespace certherd::fleet
