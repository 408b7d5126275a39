#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "aws/client.hpp"
#include "base/secret.hpp"
#include "runtime/budget.hpp"
#include "runtime/turnstile.hpp"

namespace certherd::deploy::acm {

/// Key and value.
using Tags = std::map<std::string, std::string>;

/// A certificate as a list has it.
struct Summary {
  std::string arn;
  std::vector<std::string> names;  ///< at most 100 of them
  bool has_more_names = false;
  bool imported = false;
};

struct Page {
  std::vector<Summary> certificates;
  std::string next;  ///< token of the page behind it; empty: it is the last one
};

struct Description {
  std::string arn;
  std::string serial;                  ///< lower-case hex without separators
  std::string key_algorithm;           ///< "RSA_2048", "EC_prime256v1"
  std::vector<std::string> in_use_by;  ///< ARNs of load balancers, distributions, …
};

template <typename T>
using Answer = tl::expected<T, aws::Failure>;

/// The calls of AWS Certificate Manager that we make, signed and within its quotas. Failures are
/// explained(); none holds what was sent. Used on the loop; session and budget outlive it.
class Api {
 public:
  Api(aws::Session& session, runtime::Budget& budget);

  /// Certificates with keys of any type, at most `most` (1 to 1,000), from the page with that token
  /// on; an empty one is the first.
  Task<Answer<Page>> list(std::string token, int most);

  // Nothing when there is no such certificate.
  Task<Answer<std::optional<Description>>> describe(std::string arn);
  Task<Answer<std::optional<Tags>>> tags(std::string arn);
  /// Its PEM, without the chain.
  Task<Answer<std::optional<std::string>>> leaf(std::string arn);

  struct NewCertificate {
    std::string arn;    ///< whose content it takes the place of; empty: it gets one of its own
    std::string leaf;   ///< PEM
    std::string chain;  ///< PEM of those above it; may be empty
    Secret<std::string> key;
    Tags tags;  ///< none with an ARN: ACM refuses them there
  };
  /// Gives the ARN. Without one, a call whose outcome is unknown is not repeated in here: each
  /// makes a certificate.
  Task<Answer<std::string>> import(NewCertificate certificate);

  /// Harmless when it is gone. ResourceInUseException while somebody uses it.
  Task<Answer<void>> remove(std::string arn);

 private:
  Task<aws::Reply> call(std::string operation, std::string body, bool repeatable = true);
  Task<Status> pass(std::string operation);
  Task<Result<std::string>> account();

  aws::Session& session_;
  runtime::Budget& budget_;
  aws::Client client_;
  /// By operation, once it is known whose quotas they are.
  std::map<std::string, runtime::Turnstile> turnstiles_;
};

}  // namespace certherd::deploy::acm
