#pragma once

#include <curl/curl.h>

#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "http/client.hpp"
#include "http/curl_client.hpp"
#include "http/curl_trust.hpp"
#include "http/url.hpp"
#include "runtime/wakeup.hpp"

namespace certherd::http {

/// One exchange: libcurl's easy handle, what it sends and what it has received so far. Lives in
/// the frame of send(), which takes it off the CurlMulti before it ends.
class CurlTransfer {
 public:
  CurlTransfer(runtime::EventLoop& loop, const CurlOptions& options, const CurlTrust& trust,
               Request request, Address address);
  CurlTransfer(const CurlTransfer&) = delete;
  CurlTransfer& operator=(const CurlTransfer&) = delete;

  CURL* easy() const { return easy_.get(); }

  /// By CurlMulti, once libcurl is done with it.
  void finish(CURLcode code);

  Task<void> finished();

  /// After finished().
  Result<Response> take_result();

  /// For the op of an Error, such as "GET https://ca.example/directory".
  const std::string& name() const { return name_; }

 private:
  void set_options(const CurlOptions& options, const CurlTrust& trust);
  void set_method();
  void add_header(const std::string& line);
  bool take_header_line(std::string_view line);
  bool take_body(std::string_view bytes);
  Error to_error(CURLcode code) const;
  Error connection_error() const;
  Error tls_error() const;

  static std::size_t on_header(char* data, std::size_t size, std::size_t count, void* self);
  static std::size_t on_read(char* data, std::size_t size, std::size_t count, void* self);
  static int on_seek(void* self, curl_off_t offset, int origin);
  static std::size_t on_body(char* data, std::size_t size, std::size_t count, void* self);

  Request request_;
  Address address_;
  std::string name_;
  std::size_t body_limit_;
  runtime::Clock& clock_;
  runtime::Wakeup done_;
  std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> easy_;
  std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)> header_list_;
  std::array<char, CURL_ERROR_SIZE> words_{};  // libcurl's own description of a failure

  std::optional<CURLcode> code_;
  Response response_;
  std::size_t sent_ = 0;  // of the body
  std::size_t header_size_ = 0;
  std::string too_large_;  // what was, for people
};

/// Whether the headers can be sent as they are: a line break would smuggle in another one.
bool are_well_formed(const Headers& headers);

}  // namespace certherd::http
