#pragma once

#include "crypto/private_key.hpp"
#include "runtime/offload.hpp"
#include "store/store.hpp"

namespace certherd::fleet {

/// A new key that was never reported as compromised. Errors: transient; misconfigured when the
/// source draws such keys again and again.
Task<Result<crypto::PrivateKey>> draw_key(runtime::Offload* offload, crypto::KeySource* source,
                                          store::Store* store, KeyType type);

}  // namespace certherd::fleet
