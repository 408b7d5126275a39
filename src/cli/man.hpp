#pragma once

#include <string>

namespace CLI {
class App;
}

namespace certherd::cli {

/// The manual page certherd(1), as roff with the man macros.
std::string man_page(const CLI::App& tree);

}  // namespace certherd::cli
