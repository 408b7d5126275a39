#pragma once

#include "aws/failure.hpp"
#include "base/result.hpp"

namespace certherd::dns::route53 {

/// What a failed call of Route 53 means: its own codes (AWS API reference, "Errors" of each
/// action) get their kind and, where somebody can do something about it, words that say what.
/// All else is as the failure has it.
Error to_error(const aws::Failure& failure);

/// Whether the call must not be repeated at once: who sends the changes of a zone has to leave it
/// alone for longer.
bool wants_a_gap(const aws::Failure& failure);

/// Whether a batch was refused for what it holds, so that its parts may be all right.
bool is_about_the_batch(const aws::Failure& failure);

/// Whether the account may hold no more of something.
bool is_about_a_quota(const aws::Failure& failure);

}  // namespace certherd::dns::route53
