#include "acme/content_type.hpp"

namespace certherd::acme {

std::string content_type(const http::Response& response) {
  std::string type(response.header("content-type").value_or(""));
  type.resize(std::min(type.find(';'), type.size()));
  while (type.ends_with(' ')) type.pop_back();
  for (char& letter : type) {
    if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter - 'A' + 'a');
  }
  return type;
}

}  // namespace certherd::acme
