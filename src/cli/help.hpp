#pragma once

#include <memory>

namespace CLI {
class FormatterBase;
}

namespace certherd::cli {

/// Lays out what --help says, in lines that fit the terminal.
std::shared_ptr<CLI::FormatterBase> make_help_formatter();

}  // namespace certherd::cli
