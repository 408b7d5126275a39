#pragma once

#include <string>

#include "base/result.hpp"
#include "base/secret.hpp"
#include "http/client.hpp"

namespace certherd::deploy::fastly {

/// What an answer other than 2xx means, with Fastly's own words: JSON:API errors, a problem
/// document, or the older {msg, detail}; but not where they repeat the token or a private key.
/// `token_source` is where the token comes from, for people.
/// 4xx that are about what we sent are `misconfigured`, never `rejected`: another certificate of
/// the same kind would meet the same. 429 has `retry_at`.
Error read_failure(std::string op, const http::Response& response, const Secret<std::string>& token,
                   const std::string& token_source, Time now);

/// Whether Fastly has refused it for good, as opposed to a fault that may pass or a token that may
/// not.
bool is_refusal(const Error& error);

/// When the hour of the write budget is over (Fastly-RateLimit-Reset). Nothing when it is not told,
/// has passed, or is further away than the end of any hour can be: the store would keep it.
std::optional<Time> budget_reset(const http::Response& response, Time now);

}  // namespace certherd::deploy::fastly
