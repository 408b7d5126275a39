#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "deploy/kubernetes/credentials.hpp"
#include "deploy/kubernetes/document.hpp"
#include "deploy/kubernetes/failure.hpp"
#include "http/client.hpp"
#include "runtime/event_loop.hpp"

namespace certherd::deploy::kubernetes {

/// Makes the client by which calls with a credential are sent: it shows its certificate.
using Connect = std::function<std::unique_ptr<http::Client>(const Credential& credential)>;

struct ApiOptions {
  std::string server;  ///< without a slash at its end
  std::string namespace_;
  Duration timeout = std::chrono::seconds(30);  ///< of each call
};

/// The calls of the Kubernetes API that we make, on the Secrets of one namespace. A credential that
/// the server refuses is fetched anew once. Errors, besides those of explained(): transient (no
/// answer, or one that was cut off), and those of the credentials. Used on the loop.
class Api {
 public:
  Api(runtime::EventLoop& loop, Connect connect, std::unique_ptr<CredentialSource> source,
      ApiOptions options);

  const std::string& name_space() const { return options_.namespace_; }

  /// Nothing when there is no such Secret.
  Task<Answer<std::optional<StoredSecret>>> get(std::string name);

  /// Server-side apply as the field manager "certherd"; overrules nobody. `look_again` when the
  /// Secret is not any more as the resource version says.
  Task<Answer<void>> apply(AppliedSecret secret);

  /// Removes the Secret as it was looked at; `look_again` when it was changed since. Harmless when
  /// it is gone.
  Task<Answer<void>> remove(std::string name, StoredSecret secret);

  /// Whether we have that right on all Secrets of the namespace (SelfSubjectAccessReview, which
  /// changes nothing). Errors: denied, saying how to get it.
  Task<Answer<void>> check_right(std::string verb);

 private:
  Task<Answer<http::Response>> call(http::Request request, Called about);
  Task<Result<http::Response>> send(http::Request request, Credential credential);
  std::string url_of(std::string_view name) const;
  Called called(std::string_view method, std::string_view verb, std::string_view name) const;

  runtime::EventLoop& loop_;
  Connect connect_;
  ApiOptions options_;
  Credentials credentials_;
  /// Shared with calls under way, which may outlast a change of the certificate.
  std::shared_ptr<http::Client> client_;
  std::string certificate_of_client_;
};

}  // namespace certherd::deploy::kubernetes
