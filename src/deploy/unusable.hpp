#pragma once

#include <memory>

#include "deploy/target.hpp"

namespace certherd::deploy {

/// In the place of a target that could not be opened: every call fails for that reason, so that the
/// domains of other targets are not held up.
std::unique_ptr<Target> make_unusable(Error why);

}  // namespace certherd::deploy
