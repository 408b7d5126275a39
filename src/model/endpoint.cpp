#include "model/endpoint.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <array>
#include <charconv>

namespace certherd {
namespace {

constexpr std::uint16_t https_port = 443;

tl::unexpected<Error> bad_endpoint(std::string_view text, std::string why) {
  return fail(Error::Kind::misconfigured, "endpoint " + std::string(text.substr(0, 300)),
              std::move(why));
}

bool is_address(int family, const std::string& text) {
  std::array<unsigned char, sizeof(in6_addr)> bytes{};
  return inet_pton(family, text.c_str(), bytes.data()) == 1;
}

bool is_ipv6(const std::string& text) { return is_address(AF_INET6, text); }

}  // namespace

Result<Endpoint> Endpoint::parse(std::string_view text) {
  Endpoint endpoint;
  const auto at = text.find('@');
  std::string_view host = text.substr(0, at);

  if (at != std::string_view::npos) {
    std::string_view address = text.substr(at + 1);
    const bool brackets = address.starts_with('[') && address.ends_with(']');
    if (brackets) address = address.substr(1, address.size() - 2);
    endpoint.address = std::string(address);
    const bool known =
        is_ipv6(endpoint.address) || (!brackets && is_address(AF_INET, endpoint.address));
    if (!known || endpoint.address.find('\0') != std::string::npos) {
      return bad_endpoint(text, "what follows @ is no IPv4 or IPv6 address");
    }
  }

  if (const auto colon = host.find(':'); colon != std::string_view::npos) {
    const std::string_view digits = host.substr(colon + 1);
    host = host.substr(0, colon);
    const char* const end = digits.data() + digits.size();
    const auto [stop, error] = std::from_chars(digits.data(), end, endpoint.port);
    if (error != std::errc() || stop != end || endpoint.port == 0) {
      return bad_endpoint(text,
                          "the port must be a number from 1 to 65535; an address goes behind "
                          "the name: host:port@address");
    }
  }

  auto name = Fqdn::parse(host);
  if (!name) return bad_endpoint(text, name.error().message());
  if (name->is_wildcard()) return bad_endpoint(text, "a wildcard is no host to connect to");
  endpoint.host = std::move(*name);
  return endpoint;
}

std::string Endpoint::text() const {
  std::string text = host.text();
  if (port != https_port) text += fmt::format(":{}", port);
  if (!address.empty()) text += is_ipv6(address) ? "@[" + address + "]" : "@" + address;
  return text;
}

}  // namespace certherd
