#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "model/certificate.hpp"

namespace certherd::store {

/// A certificate without its domain, which the row around it names, and without its renewal.
std::string encode_certificate(const Certificate& certificate);

/// Errors: rejected.
Result<Certificate> decode_certificate(std::string_view text);

std::string encode_renewal(const Renewal& renewal);

/// Errors: rejected.
Result<Renewal> decode_renewal(std::string_view text);

}  // namespace certherd::store
