#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/result.hpp"
#include "base/secret.hpp"
#include "runtime/event_loop.hpp"
#include "runtime/offload.hpp"
#include "runtime/slots.hpp"
#include "runtime/task.hpp"

namespace certherd::deploy::kubernetes {

/// What tells the API server who calls: a token, a client certificate, or both.
struct Credential {
  Secret<std::string> token;
  std::string certificate_pem;
  Secret<std::string> key_pem;
  std::optional<Time> good_until;  ///< nothing: it does not end
};

bool same(const Credential& left, const Credential& right);

/// Where credentials come from.
class CredentialSource {
 public:
  virtual ~CredentialSource() = default;
  /// Errors: misconfigured, denied, transient, deadline.
  virtual Task<Result<Credential>> fetch() = 0;
};

/// Reads them from the disk or wherever `read` does, which may block; good for a minute, since
/// files like a pod's token are replaced before they expire (client-go reads them as often).
std::unique_ptr<CredentialSource> make_read_credentials(runtime::EventLoop& loop,
                                                        runtime::Offload& offload,
                                                        std::function<Result<Credential>()> read);

/// Keeps a credential while it is good. Used on the loop.
class Credentials {
 public:
  Credentials(runtime::EventLoop& loop, std::unique_ptr<CredentialSource> source)
      : loop_(loop), source_(std::move(source)), fetching_(loop, 1) {}

  /// A good one. Who comes while it is being fetched waits for what comes of that. Errors: as
  /// CredentialSource::fetch().
  Task<Result<Credential>> get();

  /// The server has refused that one: the next caller fetches another.
  void drop(const Credential& refused);

 private:
  bool is_good() const;

  runtime::EventLoop& loop_;
  std::unique_ptr<CredentialSource> source_;
  runtime::Slots fetching_;
  std::optional<Credential> kept_;
  std::uint64_t fetches_ = 0;
  std::optional<Error> failure_;  ///< of the last one
};

/// A token as it stands in a file, without the line break at its end.
Secret<std::string> trimmed(const Secret<std::string>& text);

}  // namespace certherd::deploy::kubernetes
