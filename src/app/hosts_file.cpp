#include "app/hosts_file.hpp"

#include "app/list_file.hpp"

namespace certherd::app {

Result<std::vector<Endpoint>> read_hosts(std::string_view text) {
  constexpr ListWords words = {.op = "read the hosts",
                               .undone = "no host was looked at",
                               .form = "write one host[:port][@address] a line"};
  std::vector<Endpoint> endpoints;
  auto read = read_list(text, words, [&endpoints](std::string_view line) -> Status {
    auto endpoint = Endpoint::parse(line);
    if (!endpoint) return fail(std::move(endpoint.error()));
    endpoints.push_back(std::move(*endpoint));
    return {};
  });
  if (!read) return fail(std::move(read.error()));
  return endpoints;
}

}  // namespace certherd::app
