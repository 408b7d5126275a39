#pragma once

#include <boost/json/object.hpp>
#include <string>

#include "sim/simulation.hpp"

namespace certherd::sim {

/// What docs/output.md tells of `certherd simulate --json`.
boost::json::object document_of(const Outcome& outcome);

/// A drawing of its days: certificates with the CA's limit, calls of Route 53 with its limit, and
/// how much of its lifetime the certificate had left that had the least. SVG 1.1, for browsers.
std::string drawing_of(const Outcome& outcome);

/// "certherd simulate --scenario chaos --domains 100 --days 400 --seed 7": repeats it. A scenario
/// of a file bears the file's name.
std::string command_of(const Scenario& scenario, const std::string& file);

/// How many certificates a day the CA lets a fleet have that has none; nothing: as many as it
/// wants.
std::optional<double> orders_per_day(const Scenario& scenario);

}  // namespace certherd::sim
