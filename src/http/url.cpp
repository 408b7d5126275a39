#include "http/url.hpp"

#include <curl/curl.h>

#include <algorithm>
#include <array>
#include <boost/asio/ip/address.hpp>
#include <memory>
#include <string_view>
#include <utility>

namespace certherd::http {
namespace {

using Handle = std::unique_ptr<CURLU, decltype(&curl_url_cleanup)>;

std::string part(const Handle& handle, CURLUPart which, unsigned flags = 0) {
  char* text = nullptr;
  if (curl_url_get(handle.get(), which, &text, flags) != CURLUE_OK) return {};
  const std::unique_ptr<char, decltype(&curl_free)> owner(text, &curl_free);
  return text;
}

/// Where the machine that certherd runs on has services of its own: loopback, and the link-local
/// addresses at which EC2, ECS and EKS hand out credentials (AWS API reference, instance metadata
/// and container credentials). What goes there leaves the host by no network.
bool is_this_machine(const std::string& host) {
  constexpr std::array<std::string_view, 5> metadata = {
      "169.254.169.254", "169.254.170.2", "169.254.170.23", "fd00:ec2::23", "fd00:ec2::254"};
  if (host == "localhost") return true;
  std::string bare = host;
  if (bare.starts_with('[') && bare.ends_with(']')) bare = bare.substr(1, bare.size() - 2);
  boost::system::error_code error;
  const auto address = boost::asio::ip::make_address(bare, error);
  if (error) return false;
  return address.is_loopback() ||
         std::ranges::find(metadata, address.to_string()) != metadata.end();
}

}  // namespace

Result<Address> check_url(const std::string& url) {
  const Handle handle(curl_url(), &curl_url_cleanup);
  const auto code = curl_url_set(handle.get(), CURLUPART_URL, url.c_str(), CURLU_PATH_AS_IS);
  if (code == CURLUE_UNSUPPORTED_SCHEME) {
    return fail(Error::Kind::misconfigured, "read the URL " + url,
                "only https can be used, and http on this machine");
  }
  if (code != CURLUE_OK) {
    return fail(Error::Kind::misconfigured, "read the URL " + url, "it is not a valid URL");
  }
  Address address;
  address.scheme = part(handle, CURLUPART_SCHEME);
  address.host = part(handle, CURLUPART_HOST);
  address.port = part(handle, CURLUPART_PORT, CURLU_DEFAULT_PORT);
  const bool has_login =
      !part(handle, CURLUPART_USER).empty() || !part(handle, CURLUPART_PASSWORD).empty();
  curl_url_set(handle.get(), CURLUPART_USER, nullptr, 0);
  curl_url_set(handle.get(), CURLUPART_PASSWORD, nullptr, 0);
  curl_url_set(handle.get(), CURLUPART_QUERY, nullptr, 0);
  curl_url_set(handle.get(), CURLUPART_FRAGMENT, nullptr, 0);
  address.without_query = part(handle, CURLUPART_URL);
  if (has_login) {
    return fail(Error::Kind::misconfigured, "read the URL " + address.without_query,
                "a URL must not carry a user name or password");
  }
  if (address.scheme == "http" && !is_this_machine(address.host)) {
    return fail(Error::Kind::misconfigured, "read the URL " + address.without_query,
                "http is for this machine only; use https");
  }
  if (address.scheme != "http" && address.scheme != "https") {
    return fail(Error::Kind::misconfigured, "read the URL " + address.without_query,
                "only https can be used, and http on this machine");
  }
  return address;
}

}  // namespace certherd::http
