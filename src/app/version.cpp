#include "app/version.hpp"

#include <curl/curl.h>
#include <fmt/format.h>
#include <ldns/ldns.h>
#include <openssl/crypto.h>
#include <soci/soci-config.h>
#include <soci/version.h>
#include <sqlite3.h>

#include <boost/version.hpp>

namespace certherd::app {

std::string_view version() { return CERTHERD_VERSION; }
std::string_view released() { return CERTHERD_RELEASED; }

std::string user_agent() { return fmt::format("certherd/{}", version()); }

std::vector<std::pair<std::string, std::string>> libraries() {
  return {
      {"boost", fmt::format("{}.{}.{}", BOOST_VERSION / 100'000, BOOST_VERSION / 100 % 1'000,
                            BOOST_VERSION % 100)},
      {"curl", curl_version_info(CURLVERSION_NOW)->version},
      {"ldns", ldns_version()},
      {"openssl", OpenSSL_version(OPENSSL_VERSION_STRING)},
      {"soci", SOCI_LIB_VERSION},
      {"sqlite", sqlite3_libversion()},
      {"yaml-cpp", YAML_CPP_VERSION},
  };
}

}  // namespace certherd::app
