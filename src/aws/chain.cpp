#include "aws/chain.hpp"

#include <utility>

namespace certherd::aws {

Task<Result<Credentials>> find_credentials(Ground ground) {
  auto found = credentials_in_environment(ground.settings->environment);
  if (!found) co_return fail(std::move(found.error()));
  if (*found) co_return std::move(**found);
  co_return fail(Error::Kind::misconfigured, "find AWS credentials",
                 "there are none in the environment: set AWS_ACCESS_KEY_ID and "
                 "AWS_SECRET_ACCESS_KEY");
}

}  // namespace certherd::aws
