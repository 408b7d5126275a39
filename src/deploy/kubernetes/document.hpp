#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/secret.hpp"

namespace certherd::deploy::kubernetes {

/// What is read of a Secret.
struct StoredSecret {
  std::string uid;
  std::string resource_version;
  std::string type;
  std::map<std::string, std::string> labels;
  std::map<std::string, std::string> annotations;
  std::vector<std::string> managers;  ///< who has written fields of it, in the server's order
  std::string certificate;            ///< tls.crt; empty when it is not there
  Secret<std::string> key;            ///< tls.key

  std::string label(std::string_view name) const;
  std::string annotation(std::string_view name) const;
};

/// Nothing when the body is no Secret of the API (v1).
std::optional<StoredSecret> read_secret(const std::string& body);

/// What we say of a Secret: these fields are ours, and no others.
struct AppliedSecret {
  std::string name;
  std::string namespace_;
  std::string resource_version;  ///< of what was looked at; empty: there was nothing
  std::map<std::string, std::string> labels;
  std::map<std::string, std::string> annotations;
  std::string certificate;
  Secret<std::string> key;
};

/// As a document of the type kubernetes.io/tls, in JSON.
std::string to_json(const AppliedSecret& secret);

/// DeleteOptions: only that object, and only while nobody has changed it.
std::string deletion_of(const StoredSecret& secret);

/// A SelfSubjectAccessReview (authorization.k8s.io/v1) for a verb on Secrets.
std::string access_review(std::string_view verb, std::string_view namespace_);

/// What an access review says.
struct Access {
  bool allowed = false;
  std::string reason;  ///< may be empty
};
std::optional<Access> read_access(const std::string& body);

inline constexpr std::string_view tls_type = "kubernetes.io/tls";

}  // namespace certherd::deploy::kubernetes
