#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "acme/client.hpp"
#include "app/config.hpp"
#include "crypto/private_key.hpp"
#include "crypto/sealer.hpp"
#include "http/client.hpp"
#include "runtime/event_loop.hpp"
#include "runtime/offload.hpp"
#include "store/store.hpp"

namespace certherd::app {

/// The purpose under which the account key of a CA is sealed (see crypto::Sealer).
std::string account_key_purpose(const CaName& ca);

/// The ACME accounts of the config: one key for each CA, sealed in the store before the CA hears
/// of it, so that no crash can leave an account whose key is lost. Owned by App, used on the loop.
class Accounts {
 public:
  Accounts(const Config& config, runtime::EventLoop& loop, runtime::Offload& offload,
           crypto::KeySource& keys, const crypto::Sealer& sealer, store::Store& store);
  ~Accounts();

  /// A client that signs with the CA's account key, which is made when there is none. Asks the CA
  /// nothing. Errors: misconfigured (no such CA; the stored account belongs to another directory;
  /// a `trust` file that cannot be read; another seal key).
  Task<Result<acme::Client*>> client(CaName ca);

  /// What a CA of the config offers, asked without any account. Errors: misconfigured (a `trust`
  /// file that cannot be read), and the CA's.
  Task<Result<acme::Directory>> directory(CaName ca);

  /// The account at the CA, registered now unless the store knows it as valid. Registering a known
  /// key finds its account again. Errors: as client(), misconfigured when the terms of service are
  /// not agreed to, the CA's.
  Task<Result<Account>> ensure_registered(CaName ca);

  /// Asks the CA about the account even if it is known, and keeps what it says. Errors: as
  /// ensure_registered().
  Task<Result<Account>> register_again(CaName ca);

 private:
  struct Entry {
    std::unique_ptr<http::Client> http;
    std::unique_ptr<acme::Client> acme;
    Account account;
  };

  Task<Result<Entry*>> entry(CaName ca);
  Task<Result<crypto::PrivateKey>> new_key(KeyType type);
  Result<std::unique_ptr<http::Client>> http_client(const CaConfig& config);

  const Config& config_;
  runtime::EventLoop& loop_;
  runtime::Offload& offload_;
  crypto::KeySource& keys_;
  const crypto::Sealer& sealer_;
  store::Store& store_;
  std::map<CaName, Entry> entries_;
};

}  // namespace certherd::app
