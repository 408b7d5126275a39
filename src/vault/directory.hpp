#pragma once

#include <filesystem>
#include <memory>

#include "runtime/offload.hpp"
#include "vault/vault.hpp"

namespace certherd::vault {

/// Files: `<path>/<domain>/{csr,private_key,fullchain}.pem`, a leading `*.` written `_wildcard.`.
/// `<path>/<domain>` is a link to `.versions/<domain>/<version key>`, switched by one rename;
/// earlier versions are kept. Files are 0600 and folders 0700 by creation, and synced to disk.
std::unique_ptr<Vault> make_directory(runtime::Offload& offload, std::filesystem::path path);

}  // namespace certherd::vault
