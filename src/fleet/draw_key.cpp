#include "fleet/draw_key.hpp"

namespace certherd::fleet {
namespace {

// To draw one key twice means that chance is broken; more draws would not mend it.
constexpr int most_draws = 3;

}  // namespace

Task<Result<crypto::PrivateKey>> draw_key(runtime::Offload* offload, crypto::KeySource* source,
                                          store::Store* store, KeyType type) {
  const auto generate = [source, type] { return source->generate(type); };
  for (int draws = 0; draws < most_draws; ++draws) {
    auto key = co_await offload->call(generate);
    if (!key) co_return key;
    auto compromised = co_await store->is_compromised(crypto::hash_of_key(key->public_key()));
    if (!compromised) co_return fail(std::move(compromised.error()));
    if (!*compromised) co_return key;
  }
  co_return fail(Error::Kind::misconfigured, "draw a key",
                 "new keys are again and again ones that were reported as compromised: the random "
                 "numbers of this machine cannot be trusted");
}

}  // namespace certherd::fleet
