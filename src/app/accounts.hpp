#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "acme/client.hpp"
#include "app/config.hpp"
#include "crypto/private_key.hpp"
#include "crypto/sealer.hpp"
#include "runtime/event_loop.hpp"
#include "runtime/offload.hpp"
#include "store/store.hpp"
#include "vault/account_vault.hpp"

namespace certherd::app {

/// The purpose under which the account key of a CA is sealed (see crypto::Sealer).
std::string account_key_purpose(const CaName& ca);

/// Makes a client that signs by that key. Errors: misconfigured (a `trust` file that cannot be
/// read).
using Connect =
    std::function<Result<std::shared_ptr<acme::Client>>(const CaConfig&, crypto::PrivateKey)>;

/// The vault of that section. Errors: misconfigured when it keeps no accounts.
using AccountVaults = std::function<Result<vault::AccountVault*>(const VaultName&)>;

/// The one over HTTPS. The services must outlive it and its clients.
Connect connect_by_https(runtime::EventLoop& loop, runtime::Offload& offload);

/// The ACME accounts of the config: one key for each CA, sealed in the store before the CA hears
/// of it, so that no crash can leave an account whose key is lost. A CA with an `account_vault`
/// shares its account with other machines: see accounts_vault.cpp. Owned by App, used on the loop,
/// one call at a time.
///
/// Errors of all calls: misconfigured (no such CA; the stored account belongs to another
/// directory; another seal key), the store's and the vault's, and where a CA is asked the CA's.
/// Where a rotation broke off, the first call for its CA asks which key is in force, before
/// anything else is signed, and fails when that cannot be found out.
class Accounts {
 public:
  Accounts(const Config& config, runtime::EventLoop& loop, runtime::Offload& offload,
           crypto::KeySource& keys, const crypto::Sealer& sealer, store::Store& store,
           Connect connect, AccountVaults vaults);
  ~Accounts();

  /// A client that signs with the CA's account key, which is made when there is none. Serves until
  /// the account's key is changed.
  Task<Result<acme::Client*>> client(CaName ca);

  /// What a CA of the config offers, asked without any account.
  Task<Result<acme::Directory>> directory(CaName ca);

  /// The account at the CA, registered now unless the store knows it as valid. Registering a known
  /// key finds its account again. Errors besides: misconfigured when the terms of service are not
  /// agreed to or an external account is wanted, denied when the account has ended.
  Task<Result<Account>> ensure_registered(CaName ca);

  /// Asks the CA about the account even if it is known, and keeps what it says. Errors: as
  /// ensure_registered().
  Task<Result<Account>> register_again(CaName ca);

  /// Puts a new account with a new key in the place of one that has ended, and registers it.
  /// Errors besides: conflict when the present one is valid.
  Task<Result<Account>> replace(CaName ca);

  /// Tells the CA the contact of the config. Errors besides: not_found when nothing is registered.
  Task<Result<Account>> update(CaName ca);

  /// Ends the account at the CA for good; the store keeps what it was. Errors: as update().
  Task<Result<Account>> deactivate(CaName ca);

  /// Gives the account a new key, of the config's type unless another one is wanted. A rotation
  /// that broke off is finished instead, with the key that it had made, unless that is of another
  /// type than wanted. Nobody else may change the key or sign with it meanwhile: see alone().
  /// After an error the account has one key or the other, and the store has both until it is known
  /// which. Errors besides: as update(); not_found when the CA lets no key be changed.
  Task<Result<Account>> rotate_key(CaName ca, std::optional<KeyType> wanted);

 private:
  struct Entry {
    std::shared_ptr<acme::Client> acme;
    Account account;
    bool finished_rotation = false;  ///< a rotation of an earlier process turned out to be done
    std::optional<Error> refused;    ///< the CA takes neither key of a rotation that broke off
    /// Of what the vault keeps, once store and vault have been compared; empty: it keeps nothing.
    std::optional<std::string> vault_revision;
    bool vault_is_behind = false;  ///< it could not be told of a change
  };
  /// What the vault keeps, with its key opened.
  struct Kept {
    vault::AccountDocument document;
    crypto::PrivateKey key;
  };
  enum class Newer { store, vault, neither };
  enum class InForce { present_key, next_key, neither };

  Result<const CaConfig*> section(const CaName& ca) const;
  Task<Result<Entry*>> entry(CaName ca);
  Task<Result<Entry*>> registered(CaName ca);
  Task<Result<Account>> stored_or_new(CaName ca);
  Task<Result<Account>> first(CaName ca);
  /// In the place of `former`, if there is one.
  Task<Result<Account>> with_new_key(CaName ca, std::optional<Account> former);
  Task<Result<crypto::PrivateKey>> new_key(KeyType type);
  Result<crypto::PrivateKey> open_key(const CaName& ca, const std::string& sealed) const;
  Task<Result<acme::AccountInfo>> ask_for(Entry* entry, acme::NewAccount wanted);
  Task<Status> save(Entry* entry, Account account, std::string event,
                    std::map<std::string, std::string> detail);

  // The change of a key: accounts_rotation.cpp.
  Task<Result<InForce>> settle(Entry* entry);
  Task<Status> adopt_next_key(Entry* entry);
  Task<Status> put_next_key_in_force(Entry* entry);
  Task<Status> prepare_next_key(Entry* entry, KeyType type);

  // What is shared with other machines: accounts_vault.cpp.
  Result<vault::AccountVault*> vault_of(const CaName& ca) const;
  Task<Result<std::optional<Kept>>> kept_in_vault(CaName ca);
  Task<Result<Account>> take_from_vault(CaName ca, Kept kept, std::optional<Account> former);
  Task<Status> agree_with_vault(Entry* entry);
  Task<Status> adopt(Entry* entry, Kept kept);
  Task<Result<Newer>> newer(Entry* entry, Kept kept);
  Task<Result<Newer>> known_to_ca(Entry* entry, Kept kept);
  Task<Status> tell_vault(Entry* entry);
  Task<Status> follow(Entry* entry);
  Task<Status> end_in_vault(Entry* entry);

  const Config& config_;
  runtime::EventLoop& loop_;
  runtime::Offload& offload_;
  crypto::KeySource& keys_;
  const crypto::Sealer& sealer_;
  store::Store& store_;
  Connect connect_;
  AccountVaults vaults_;
  std::map<CaName, Entry> entries_;
};

}  // namespace certherd::app
