#include "http/curl_trust.hpp"

#include <curl/curl.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace certherd::http {
namespace {

std::string from_environment(const char* name) {
  const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): nobody sets it
  return value == nullptr ? std::string() : std::string(value);
}

std::string content_of(const std::string& file) {
  std::ostringstream text;
  text << std::ifstream(file, std::ios::binary).rdbuf();
  return std::move(text).str();
}

}  // namespace

CurlTrust::CurlTrust(std::string_view more_pem)
    : file_(from_environment("SSL_CERT_FILE")), folder_(from_environment("SSL_CERT_DIR")) {
  const auto* built_in = curl_version_info(CURLVERSION_NOW);
  const auto or_nothing = [](const char* text) { return text == nullptr ? "" : text; };
  const bool as_built = file_.empty() && folder_.empty();
  std::error_code ignored;
  if (file_.empty() && std::filesystem::exists(or_nothing(built_in->cainfo), ignored)) {
    file_ = built_in->cainfo;
  }
  // The system's folder holds what its file holds. Leaving it out lets libcurl keep the parsed
  // roots between connections (CURLOPT_CA_CACHE_TIMEOUT), which it does for a file alone.
  if (folder_.empty() && !(as_built && !file_.empty())) folder_ = or_nothing(built_in->capath);
  if (!more_pem.empty()) {
    // libcurl takes either a file or a text.
    if (!file_.empty()) pem_ = content_of(file_) + "\n";
    pem_ += more_pem;
  }
}

void CurlTrust::apply(void* easy) const {
  const auto or_null = [](const std::string& text) {
    return text.empty() ? nullptr : text.c_str();
  };
  curl_easy_setopt(easy, CURLOPT_CAPATH, or_null(folder_));
  if (pem_.empty()) {
    curl_easy_setopt(easy, CURLOPT_CAINFO, or_null(file_));
    return;
  }
  curl_blob blob{};
  blob.data = const_cast<char*>(pem_.data());  // libcurl only reads it
  blob.len = pem_.size();
  blob.flags = CURL_BLOB_NOCOPY;
  curl_easy_setopt(easy, CURLOPT_CAINFO_BLOB, &blob);
}

}  // namespace certherd::http
