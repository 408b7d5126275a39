#include "fleet/kept.hpp"

namespace certherd::fleet {
namespace {

tl::unexpected<Error> unfit(std::string detail) {
  return fail(Error::Kind::rejected, "check what the vault keeps", std::move(detail));
}

}  // namespace

Task<Result<Material>> load_kept(const crypto::Pki* pki, vault::Vault* vault, store::Store* store,
                                 Certificate certificate) {
  auto material = co_await vault->load(certificate.domain);
  if (!material) co_return material;
  auto chain = pki->read_chain(material->fullchain);
  if (!chain) co_return unfit("its chain cannot be read: " + chain.error().message());
  const auto& leaf = chain->front();
  if (leaf.serial != certificate.serial) {
    co_return unfit(
        fmt::format("it keeps certificate {}, and the store says {}: certherd issue {} "
                    "makes them agree",
                    leaf.serial, certificate.serial, certificate.domain));
  }
  auto key = pki->read_key(material->private_key);
  if (!key) co_return unfit("its private key cannot be read: " + key.error().message());
  if (key->public_key() != leaf.public_key) {
    co_return unfit(
        fmt::format("its private key is not the one of certificate {}: certherd issue "
                    "{} makes a new pair",
                    certificate.serial, certificate.domain));
  }
  auto compromised = co_await store->is_compromised(crypto::hash_of_key(leaf.public_key));
  if (!compromised) co_return fail(std::move(compromised.error()));
  if (*compromised) {
    co_return unfit(
        fmt::format("the key of certificate {} was compromised and is not used any "
                    "more: certherd issue {} makes a new one",
                    certificate.serial, certificate.domain));
  }
  co_return material;
}

Task<Result<crypto::PrivateKey>> load_key(const crypto::Pki* pki, vault::Vault* vault, Fqdn domain,
                                          std::string public_key) {
  auto material = co_await vault->load(domain);
  if (!material) co_return fail(std::move(material.error()));
  auto key = pki->read_key(material->private_key);
  if (!key) co_return fail(std::move(key.error()));
  if (key->public_key() != public_key) {
    co_return fail(Error::Kind::not_found, "load the certificate's key",
                   "the vault keeps the key of another certificate by now");
  }
  co_return std::move(*key);
}

Task<Result<std::optional<crypto::PrivateKey>>> find_kept_key(
    const crypto::Pki* pki, std::map<VaultName, vault::Vault*> vaults, store::Store* store,
    Fqdn domain, KeyType type) {
  auto row = co_await store->domain(domain);
  if (!row) co_return fail(std::move(row.error()));
  const auto& certificate = row->certificate;
  if (!certificate || certificate->key_compromised()) co_return std::nullopt;
  const auto vault = vaults.find(certificate->vault_name);
  if (vault == vaults.end()) co_return std::nullopt;
  auto material = co_await vault->second->load(domain);
  if (!material && material.error().kind == Error::Kind::not_found) co_return std::nullopt;
  if (!material) co_return fail(std::move(material.error()));
  auto key = pki->read_key(material->private_key);
  if (!key || key->type() != type) co_return std::nullopt;
  auto compromised = co_await store->is_compromised(crypto::hash_of_key(key->public_key()));
  if (!compromised) co_return fail(std::move(compromised.error()));
  if (*compromised) co_return std::nullopt;
  co_return std::optional(std::move(*key));
}

}  // namespace certherd::fleet
