#pragma once

#include <cstdint>

namespace certherd::e2e {

/// $CERTHERD_SEED, else one drawn for this run; printed, so that the run can be repeated.
std::uint64_t seed_of_this_run();

}  // namespace certherd::e2e
