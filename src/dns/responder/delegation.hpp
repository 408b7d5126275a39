#pragma once

#include <string>

#include "model/fqdn.hpp"

namespace certherd::dns::responder {

/// The line of a zone file that leads the CA from `name`, or its challenge name, into `zone`:
/// "_acme-challenge.example.com. CNAME example.com.acme.example.net."
std::string delegation_line(const Fqdn& name, const Fqdn& zone);

}  // namespace certherd::dns::responder
