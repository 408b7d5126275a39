#pragma once

#include <string>
#include <utility>
#include <vector>

#include "aws/chain.hpp"
#include "aws/client.hpp"
#include "aws/credentials.hpp"
#include "base/result.hpp"

namespace certherd::aws {

/// A call of the Security Token Service, which speaks the query protocol (version 2011-06-15).
Call sts_call(std::string operation, std::vector<std::pair<std::string, std::string>> parameters);

/// Sends such a call with `by` (unsigned when that is empty) and reads the credentials in the
/// answer. Errors: as Client::send(), transient when the answer is incomplete.
Task<Result<Credentials>> fetch_sts_credentials(Ground ground, Credentials by, Call call);

/// The Credentials element of an answer to AssumeRole or AssumeRoleWithWebIdentity.
/// Errors: transient when it is cut off or incomplete.
Result<Credentials> read_sts_credentials(const std::string& body);

/// The account's number in an answer to GetCallerIdentity. Errors: as above.
Result<std::string> read_sts_account(const std::string& body);

}  // namespace certherd::aws
