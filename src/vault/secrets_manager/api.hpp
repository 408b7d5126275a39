#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "aws/client.hpp"
#include "base/secret.hpp"
#include "runtime/budget.hpp"
#include "runtime/turnstile.hpp"
#include "vault/secrets_manager/tags.hpp"

namespace certherd::vault::secrets_manager {

/// Labels of versions.
inline constexpr const char* current_stage = "AWSCURRENT";
inline constexpr const char* previous_stage = "AWSPREVIOUS";
inline constexpr const char* pending_stage = "AWSPENDING";

using Stages = std::set<std::string>;

/// A secret without its value.
struct Description {
  std::string arn;
  std::map<std::string, Stages> versions;  ///< those that have a label, by their id
  Tags tags;
  bool deleted = false;  ///< scheduled for deletion, and restorable

  /// The version that holds this label; empty when none does.
  std::string holder(const std::string& stage) const;
};

/// A version with its value.
struct Value {
  std::string arn;
  std::string version_id;
  Secret<std::string> text;
};

template <typename T>
using Answer = tl::expected<T, aws::Failure>;

/// The calls of AWS Secrets Manager that we make, signed and within their quotas: put() and
/// move_current() take from a budget of their own, create(), tag() and restore() from another one,
/// and reads are free. Secrets are named by their name. Failures are explained(); none holds what
/// was sent. Used on the loop; session and budget outlive it.
class Api {
 public:
  Api(aws::Session& session, runtime::Budget& budget);

  /// Nothing when there is no such secret.
  Task<Answer<std::optional<Description>>> describe(std::string name);

  struct NewSecret {
    std::string name;
    Secret<std::string> value;
    std::string version_id;
    std::string kms_key_id;  ///< empty: the account's own key for Secrets Manager
    Tags tags;
  };
  /// Gives the ARN. ResourceExistsException when the name is taken.
  Task<Answer<std::string>> create(NewSecret secret);

  struct NewVersion {
    std::string name;
    Secret<std::string> value;
    std::string version_id;
    std::string stage;
  };
  /// Gives the labels that the version has afterwards. A version that is there already with this
  /// value stays as it is; ResourceExistsException when it is there with another one.
  Task<Answer<Stages>> put(NewVersion version);

  struct Move {
    std::string name;
    std::string to;
    std::string from;  ///< that holds AWSCURRENT; empty when none does
  };
  /// InvalidParameterException when `from` does not hold it.
  Task<Answer<void>> move_current(Move move);

  struct Which {
    std::string name;
    std::string version_id;  ///< empty: by the label
    std::string stage;
  };
  /// ResourceNotFoundException when secret or version are not there.
  Task<Answer<Value>> value(Which which);

  Task<Answer<void>> tag(std::string name, Tags tags);
  Task<Answer<void>> restore(std::string name);

  runtime::EventLoop& loop() { return session_.loop(); }

 private:
  struct Turnstiles {
    runtime::Turnstile writes;   ///< PutSecretValue, UpdateSecretVersionStage
    runtime::Turnstile changes;  ///< CreateSecret, TagResource, RestoreSecret
  };
  enum class Kind { read, write, switch_over, change };

  Task<aws::Reply> call(std::string operation, std::string body, Kind kind);
  Task<Status> pass(Kind kind);
  Task<Result<std::string>> account();

  aws::Session& session_;
  runtime::Budget& budget_;
  aws::Client client_;
  std::unique_ptr<Turnstiles> turnstiles_;  ///< once it is known whose quotas they are
};

}  // namespace certherd::vault::secrets_manager
