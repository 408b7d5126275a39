#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "fakes/fastly_account.hpp"
#include "fakes/fastly_request.hpp"
#include "http/client.hpp"

namespace certherd::fakes::fastly {

// The documents of JSON:API as Fastly writes them.

http::Response respond(int status, const boost::json::object& document);
/// {"data": object}
http::Response respond_with(int status, boost::json::object object);
http::Response refuse(const Refusal& refusal);
/// In the form of the older API, which those errors have that come before JSON:API is reached.
http::Response refuse_plainly(int status, std::string_view message, std::string_view detail);
http::Response no_such_record(const Asked& asked);

boost::json::object render(const Key& key);
boost::json::object render(const Certificate& certificate);
boost::json::object render(const Activation& activation);
boost::json::object render(const BulkCertificate& bulk);
boost::json::object render(const Configuration& configuration);
/// "data" of a relationship to several objects.
boost::json::object relation(std::string_view type, const std::vector<std::string>& ids);

}  // namespace certherd::fakes::fastly
