#include <utility>

#include "aws/chain.hpp"

namespace certherd::aws {

Found credentials_in_environment(const Environment& environment) {
  auto id = value_of(environment, "AWS_ACCESS_KEY_ID");
  auto secret = value_of(environment, "AWS_SECRET_ACCESS_KEY");
  auto token = value_of(environment, "AWS_SESSION_TOKEN");
  if (id.empty() && secret.empty()) return std::nullopt;
  if (id.empty() || secret.empty()) {
    return fail(Error::Kind::misconfigured, "read the AWS credentials in the environment",
                id.empty() ? "AWS_SECRET_ACCESS_KEY is set and AWS_ACCESS_KEY_ID is not"
                           : "AWS_ACCESS_KEY_ID is set and AWS_SECRET_ACCESS_KEY is not");
  }
  Credentials credentials;
  credentials.access_key_id = std::move(id);
  credentials.secret_access_key = Secret<std::string>(std::move(secret));
  if (!token.empty()) credentials.session_token = Secret<std::string>(std::move(token));
  credentials.source = "the environment";
  return credentials;
}

}  // namespace certherd::aws
