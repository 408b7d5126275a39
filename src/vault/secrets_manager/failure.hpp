#pragma once

#include "aws/failure.hpp"

namespace certherd::vault::secrets_manager {

/// Gives the codes of Secrets Manager (AWS API reference, 2017-10-17) their kind and a remedy;
/// codes that all services share keep what the aws room has made of them.
///
/// No kind here is `rejected`: that would end an issuance whose certificate has been issued, and
/// order another one, for a fault that the next certificate meets just the same. What a person has
/// to set right first waits in the slow lane and keeps the certificate.
aws::Failure explained(aws::Failure failure);

}  // namespace certherd::vault::secrets_manager
