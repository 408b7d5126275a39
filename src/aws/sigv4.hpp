#pragma once

#include <string>
#include <string_view>

#include "aws/credentials.hpp"
#include "http/client.hpp"

namespace certherd::aws {

/// Percent-encodes all but A-Z a-z 0-9 - _ . ~ (RFC 3986), upper-case hex.
std::string uri_encode(std::string_view text);

/// A time as X-Amz-Date has it, such as 20150830T123600Z.
std::string amz_date(Time time);

/// What a signature is made for.
struct SigningScope {
  std::string region;   ///< "us-east-1"
  std::string service;  ///< "route53"
};

/// The key that requests are signed with: derived from the secret for a day, a region and a
/// service, and kept until it is asked for others, since four HMACs at each request would be most
/// of the work
/// (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html).
class SigningKey {
 public:
  /// `day` is the first eight digits of X-Amz-Date.
  const Secret<std::string>& of(const Credentials& credentials, const SigningScope& scope,
                                std::string_view day);

 private:
  Secret<std::string> secret_;
  std::string scope_;
  Secret<std::string> key_;
};

/// Signs a request by Signature Version 4 at `now`: adds X-Amz-Date, Authorization and, with a
/// session token, X-Amz-Security-Token. Headers that are to be signed must be there already; all
/// of them are signed, and Host (which is not added: the HTTP client sends it). The URL's path and
/// query must be percent-encoded as they go over the wire.
void sign(http::Request* request, const Credentials& credentials, const SigningScope& scope,
          Time now, SigningKey& key);

/// The canonical request that sign() hashes, for tests and for a server that checks signatures.
/// `signed_headers` in lower case, sorted, joined by ';'; their values are taken from the request
/// and, for host, from its URL.
std::string canonical_request(const http::Request& request, std::string_view signed_headers);

/// The signature (lower-case hex) over a canonical request. `date` as in X-Amz-Date.
std::string signature(const Credentials& credentials, const SigningScope& scope,
                      std::string_view date, std::string_view canonical, SigningKey& key);

}  // namespace certherd::aws
