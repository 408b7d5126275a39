#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "fakes/fastly_edge.hpp"
#include "fakes/fastly_objects.hpp"

namespace certherd::fakes::fastly {

template <typename T>
using Outcome = tl::expected<T, Refusal>;

/// The TLS objects of one customer and what follows from them at the edge. Refuses what would
/// break their bonds; how requests look is no matter of this class. After each change settle()
/// has to be called.
class Account {
 public:
  explicit Account(std::function<Time()> now);

  // Each gives the id of what was made.
  Outcome<std::string> add_key(const std::string& pem, const std::string& name);
  Outcome<std::string> add_certificate(const std::string& blob, const std::string& name);
  Outcome<std::string> add_activation(Activation wanted);
  Outcome<std::string> add_bulk(const std::string& cert_blob, const std::string& intermediates_blob,
                                const std::vector<std::string>& configurations);
  void add_configuration(Configuration configuration);

  // The id exists. An empty name leaves the former one.
  Outcome<void> replace_certificate(const std::string& id, const std::string& blob,
                                    const std::string& name);
  Outcome<void> move_activation(const std::string& id, const std::string& certificate,
                                const std::string& mutual_authentication);
  Outcome<void> replace_bulk(const std::string& id, const std::string& cert_blob,
                             const std::string& intermediates_blob);
  Outcome<void> remove_key(const std::string& id);
  Outcome<void> remove_certificate(const std::string& id);
  void remove_activation(const std::string& id);
  void remove_bulk(const std::string& id);
  /// Of any kind, with all that cannot be without it.
  void remove_by_hand(const std::string& id);

  /// Brings the edge up to date, and notes which watched names have lost TLS; `call` is whose
  /// doing it was, empty for what somebody did by hand and what is no fault therefore.
  void settle(const std::string& call);

  void hold_elsewhere(const std::string& name) { held_elsewhere_.insert(name); }
  void may_lose(const std::string& name) { may_lose_.insert(name); }
  void set_live_after(Duration delay) { live_after_ = delay; }

  const std::map<std::string, Key>& keys() const { return keys_; }
  const std::map<std::string, Certificate>& certificates() const { return certificates_; }
  const std::map<std::string, Activation>& activations() const { return activations_; }
  const std::map<std::string, BulkCertificate>& bulk_certificates() const { return bulk_; }
  const std::map<std::string, Configuration>& configurations() const { return configurations_; }
  const std::vector<LostTls>& lost_tls() const { return lost_; }
  std::optional<Served> served(const std::string& server_name) const;

  /// The one with that public key (DER); null when there is none.
  const Key* key_of(const std::string& public_key) const;
  /// Whether a certificate of either kind has the public key.
  bool is_used(const Key& key) const;
  std::set<std::string> certificates_with(const std::string& name) const;
  std::set<std::string> activations_of(const std::string& certificate) const;
  /// Empty when TLS is off there.
  std::string activation_of(const std::string& name) const;
  /// All names on certificates of either kind.
  std::vector<std::string> domains() const;

 private:
  using Ids = std::map<std::string, std::set<std::string>>;

  Outcome<Leaf> read_upload(const std::string& chain) const;
  Outcome<Leaf> read_bulk(const std::string& cert_blob,
                          const std::string& intermediates_blob) const;
  void index(const std::string& id, const Leaf& leaf, Ids* by_name);
  void drop_index(const std::string& id, const Leaf& leaf, Ids* by_name);
  std::optional<Served> decide(const std::string& name) const;
  std::string new_id();

  std::function<Time()> now_;
  Duration live_after_{0};
  std::map<std::string, Key> keys_;
  std::map<std::string, Certificate> certificates_;
  std::map<std::string, Activation> activations_;
  std::map<std::string, BulkCertificate> bulk_;
  std::map<std::string, Configuration> configurations_;
  std::set<std::string> held_elsewhere_;

  std::map<std::string, std::string> key_by_public_;
  Ids users_;  // of a public key
  Ids certificates_by_name_;
  Ids bulk_by_name_;
  Ids activations_by_certificate_;
  std::map<std::string, std::string> activation_by_name_;

  Edge edge_;
  std::set<std::string> touched_;  // names since the last settle()
  std::set<std::string> watched_;
  std::set<std::string> may_lose_;
  std::vector<LostTls> lost_;
  std::uint64_t ids_ = 0;
  int uploads_ = 0;
};

}  // namespace certherd::fakes::fastly
