#include "acme/token.hpp"

namespace certherd::acme {

bool is_token(std::string_view text) {
  constexpr std::string_view alphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  constexpr std::size_t longest = 256;
  return !text.empty() && text.size() <= longest &&
         text.find_first_not_of(alphabet) == std::string_view::npos;
}

}  // namespace certherd::acme
