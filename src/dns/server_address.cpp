#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/ip/address.hpp>
#include <charconv>
#include <optional>

#include "dns/visibility.hpp"

namespace certherd::dns {
namespace {

std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, port);
  if (text.empty() || error != std::errc() || stop != end) return std::nullopt;
  return port;
}

}  // namespace

Result<ServerAddress> ServerAddress::parse(std::string_view text, std::uint16_t default_port) {
  const auto wrong = [text](std::string_view what) {
    return fail(Error::Kind::misconfigured, "read server address",
                fmt::format("\"{}\" {}: write it as 192.0.2.1:53 or [2001:db8::1]:53", text, what));
  };

  std::string_view host = text;
  std::optional<std::string_view> port_text;
  const bool bracketed = text.starts_with('[');
  if (bracketed) {
    const auto close = text.find(']');
    if (close == std::string_view::npos) return wrong("lacks its closing bracket");
    host = text.substr(1, close - 1);
    const auto rest = text.substr(close + 1);
    if (rest.starts_with(':')) {
      port_text = rest.substr(1);
    } else if (!rest.empty()) {
      return wrong("has more after its bracket than a port");
    }
  } else if (std::ranges::count(text, ':') == 1) {
    // With more colons it is a bare IPv6 address.
    host = text.substr(0, text.find(':'));
    port_text = text.substr(text.find(':') + 1);
  }

  boost::system::error_code error;
  const auto address = boost::asio::ip::make_address(host, error);
  if (error) return wrong("is no IP address");
  if (bracketed && !address.is_v6()) return wrong("has brackets around what is no IPv6 address");

  ServerAddress result{.address = address.to_string(), .port = default_port};
  if (port_text) {
    const auto port = parse_port(*port_text);
    if (!port) return wrong("has no port between 0 and 65535");
    result.port = *port;
  }
  return result;
}

std::string ServerAddress::text() const {
  const bool v6 = address.find(':') != std::string::npos;
  return v6 ? fmt::format("[{}]:{}", address, port) : fmt::format("{}:{}", address, port);
}

}  // namespace certherd::dns
