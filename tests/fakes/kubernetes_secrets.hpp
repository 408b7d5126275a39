#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>
#include <vector>

namespace certherd::fakes::kubernetes {

/// A refusal as the API gives it (Kubernetes API reference, "Status").
struct Refusal {
  struct Cause {
    std::string reason;
    std::string message;
    std::string field;
  };
  int code = 0;
  std::string reason;
  std::string message;
  std::string kind;  ///< of what it is about
  std::string name;
  std::vector<Cause> causes;
};

template <typename T>
using Outcome = tl::expected<T, Refusal>;

/// What a Secret says, field by field: ".type", ".data.tls.crt" (decoded), ".metadata.labels.KEY",
/// ".metadata.annotations.KEY", ".immutable".
using Fields = std::map<std::string, std::string>;

struct Secret {
  std::string namespace_;
  std::string name;
  std::string uid;
  std::string resource_version;
  Fields fields;
  std::map<std::string, std::set<std::string>> owners;  ///< managers of each field

  /// Empty when it is not there.
  std::string field(const std::string& path) const;
  std::string data(const std::string& key) const { return field(".data." + key); }
  std::string label(const std::string& key) const { return field(".metadata.labels." + key); }
  std::string annotation(const std::string& key) const {
    return field(".metadata.annotations." + key);
  }
};

/// The Secrets of a cluster, with who manages which field of them.
class Secrets {
 public:
  using Key = std::pair<std::string, std::string>;  ///< namespace and name

  /// Null when it is not there.
  const Secret* find(const Key& key) const;

  /// Server-side apply without force (Kubernetes documentation, "Server-Side Apply").
  Outcome<const Secret*> apply(const Key& key, const Fields& fields,
                               const std::string& resource_version, const std::string& manager);
  /// What an update does: fields that change become the manager's alone.
  const Secret& update(const Key& key, const Fields& fields, const std::string& manager);
  /// Empty preconditions always hold.
  Outcome<void> remove(const Key& key, const std::string& uid, const std::string& resource_version);

  const std::map<Key, Secret>& all() const { return secrets_; }

 private:
  Outcome<void> check(const Secret& before, const Secret& after) const;
  void keep(const Key& key, Secret secret);

  std::map<Key, Secret> secrets_;
  int resource_version_ = 1000;
  int uids_ = 0;
};

Refusal not_found(const std::string& kind, const std::string& name);

}  // namespace certherd::fakes::kubernetes
