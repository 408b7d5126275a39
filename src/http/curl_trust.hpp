#pragma once

#include <string>
#include <string_view>

namespace certherd::http {

/// The roots that a client trusts, in libcurl's terms. SSL_CERT_FILE and SSL_CERT_DIR replace the
/// system's file and folder, as OpenSSL does it by itself.
class CurlTrust {
 public:
  /// `more_pem`: roots besides the system's.
  explicit CurlTrust(std::string_view more_pem);

  /// Sets them on a CURL*, by pointers into this object.
  void apply(void* easy) const;

 private:
  std::string file_;    // empty: none
  std::string folder_;  // empty: none
  std::string pem_;     // the file's content and more; empty: the file itself is used
};

}  // namespace certherd::http
