#pragma once

#include "aws/failure.hpp"

namespace certherd::deploy::acm {

/// Gives the codes of Certificate Manager (AWS API reference, 2015-12-08) their kind and a remedy;
/// codes that all services share keep what the aws room has made of them.
///
/// No kind here is `rejected`, whatever the code: that would throw away a certificate that has been
/// issued, and order another one, for a fault that the next certificate meets just the same.
aws::Failure explained(aws::Failure failure);

/// Whether the call may have done its work all the same: no answer came, or none that tells.
bool may_have_worked(const aws::Failure& failure);

}  // namespace certherd::deploy::acm
