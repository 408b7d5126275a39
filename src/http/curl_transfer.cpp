#include "http/curl_transfer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <utility>

#include "http/method.hpp"

namespace certherd::http {
namespace {

constexpr long connect_timeout_ms = 15'000;
/// All header lines of an answer together; common servers allow a request 8 to 32 KiB.
constexpr std::size_t header_limit = std::size_t{64} << 10U;

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return result;
}

/// Without the white space that RFC 9110 section 5.5 allows around a value.
std::string_view trim(std::string_view text) {
  constexpr std::string_view space = " \t\r\n";
  const auto begin = text.find_first_not_of(space);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(space) - begin + 1);
}

/// A part of a header as others take it: where a bare CR or a zero octet stands, a space does (RFC
/// 9110 section 5.5).
std::string header_text(std::string_view part) {
  std::string text(trim(part));
  std::ranges::replace_if(text, [](char c) { return c == '\r' || c == '\0'; }, ' ');
  return text;
}

/// By a pointer into the text.
void set_blob(CURL* easy, CURLoption option, const std::string& text) {
  curl_blob blob{};
  blob.data = const_cast<char*>(text.data());  // libcurl only reads it
  blob.len = text.size();
  blob.flags = CURL_BLOB_NOCOPY;
  curl_easy_setopt(easy, option, &blob);
}

bool names_header(const Headers& headers, std::string_view lower_name) {
  return std::any_of(headers.begin(), headers.end(),
                     [&](const auto& header) { return lower(header.first) == lower_name; });
}

}  // namespace

CurlTransfer::CurlTransfer(runtime::EventLoop& loop, const CurlOptions& options,
                           const CurlTrust& trust, Request request, Address address)
    : request_(std::move(request)),
      address_(std::move(address)),
      name_(fmt::format("{} {}", to_string(request_.method), address_.without_query)),
      body_limit_(options.body_limit),
      clock_(loop.clock()),
      done_(loop),
      easy_(curl_easy_init(), &curl_easy_cleanup),
      header_list_(nullptr, &curl_slist_free_all) {
  set_options(options, trust);
  set_method();
  for (const auto& [name, value] : request_.headers) {
    // libcurl's way to write a header without a value is a semicolon.
    add_header(value.empty() ? fmt::format("{};", name) : fmt::format("{}: {}", name, value));
  }
  // What libcurl would add by itself: waiting for "100 Continue", and a guess at the body's type.
  if (!names_header(request_.headers, "expect")) add_header("Expect:");
  if (!names_header(request_.headers, "content-type")) add_header("Content-Type:");
  curl_easy_setopt(easy(), CURLOPT_HTTPHEADER, header_list_.get());
}

void CurlTransfer::set_options(const CurlOptions& options, const CurlTrust& trust) {
  CURL* const easy = easy_.get();
  curl_easy_setopt(easy, CURLOPT_PRIVATE, this);
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, words_.data());
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  // Else taking off a transfer whose host is still being resolved waits for the resolver.
  curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
  curl_easy_setopt(easy, CURLOPT_URL, request_.url.c_str());
  curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);  // signatures are over the path as it was given
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, connect_timeout_ms);
  curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
  if (address_.scheme == "https") {
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_2TLS));
    curl_easy_setopt(easy, CURLOPT_PIPEWAIT, 1L);  // prefer a stream to another connection
  } else {
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
    curl_easy_setopt(easy, CURLOPT_PROXY, "");  // this machine is meant
  }
  if (!options.user_agent.empty()) {
    curl_easy_setopt(easy, CURLOPT_USERAGENT, options.user_agent.c_str());
  }
  curl_easy_setopt(easy, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
  trust.apply(easy);
  if (!options.certificate_pem.empty()) {
    // The options outlive the transfer.
    curl_easy_setopt(easy, CURLOPT_SSLCERTTYPE, "PEM");
    set_blob(easy, CURLOPT_SSLCERT_BLOB, options.certificate_pem);
    curl_easy_setopt(easy, CURLOPT_SSLKEYTYPE, "PEM");
    set_blob(easy, CURLOPT_SSLKEY_BLOB, options.key_pem.reveal());
  }
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, &CurlTransfer::on_header);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, this);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &CurlTransfer::on_body);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, this);
}

void CurlTransfer::set_method() {
  const bool carries_body = !request_.body.empty() || request_.method == Request::Method::post ||
                            request_.method == Request::Method::put ||
                            request_.method == Request::Method::patch;
  if (request_.method == Request::Method::head) {
    curl_easy_setopt(easy(), CURLOPT_NOBODY, 1L);
    return;
  }
  const bool may_be_repeated =
      request_.method != Request::Method::post && request_.method != Request::Method::patch;
  if (carries_body && !may_be_repeated) {
    // When a kept connection ends without an answer, libcurl sends the request again on another.
    // The server may have done its work by then, so nothing must be sent again unasked (RFC 9110
    // section 9.2.2). libcurl gives up when what it has read cannot be read once more.
    curl_easy_setopt(easy(), CURLOPT_POST, 1L);
    curl_easy_setopt(easy(), CURLOPT_POSTFIELDSIZE_LARGE,
                     static_cast<curl_off_t>(request_.body.size()));
    curl_easy_setopt(easy(), CURLOPT_READFUNCTION, &CurlTransfer::on_read);
    curl_easy_setopt(easy(), CURLOPT_READDATA, this);
    curl_easy_setopt(easy(), CURLOPT_SEEKFUNCTION, &CurlTransfer::on_seek);
    curl_easy_setopt(easy(), CURLOPT_SEEKDATA, this);
  } else if (carries_body) {
    curl_easy_setopt(easy(), CURLOPT_POSTFIELDSIZE_LARGE,
                     static_cast<curl_off_t>(request_.body.size()));
    curl_easy_setopt(easy(), CURLOPT_POSTFIELDS, request_.body.c_str());
  }
  if (request_.method != Request::Method::get || carries_body) {
    curl_easy_setopt(easy(), CURLOPT_CUSTOMREQUEST,
                     std::string(to_string(request_.method)).c_str());
  }
}

void CurlTransfer::add_header(const std::string& line) {
  // It gives the same list back, except for the first line.
  header_list_.reset(curl_slist_append(header_list_.release(), line.c_str()));
}

void CurlTransfer::finish(CURLcode code) {
  code_ = code;
  done_.notify_all();
}

Task<void> CurlTransfer::finished() {
  while (!code_) co_await done_.wait();
}

Result<Response> CurlTransfer::take_result() {
  if (*code_ != CURLE_OK) return fail(to_error(*code_));
  long status = 0;
  curl_easy_getinfo(easy(), CURLINFO_RESPONSE_CODE, &status);
  // libcurl takes "HTTP/200 OK" for an answer with the status 0.
  constexpr long least_status = 100;  // RFC 9110 section 15
  if (status < least_status) return fail(to_error(CURLE_WEIRD_SERVER_REPLY));
  response_.status = static_cast<int>(status);
  return std::move(response_);
}

std::size_t CurlTransfer::on_header(char* data, std::size_t size, std::size_t count, void* self) {
  const std::string_view line(data, size * count);
  return static_cast<CurlTransfer*>(self)->take_header_line(line) ? line.size() : 0;
}

std::size_t CurlTransfer::on_body(char* data, std::size_t size, std::size_t count, void* self) {
  const std::string_view bytes(data, size * count);
  // Anything but the true size makes libcurl give up the transfer.
  return static_cast<CurlTransfer*>(self)->take_body(bytes) ? bytes.size() : bytes.size() + 1;
}

std::size_t CurlTransfer::on_read(char* data, std::size_t size, std::size_t count, void* self) {
  auto& transfer = *static_cast<CurlTransfer*>(self);
  const auto part = std::string_view(transfer.request_.body).substr(transfer.sent_, size * count);
  std::ranges::copy(part, data);
  transfer.sent_ += part.size();
  return part.size();
}

int CurlTransfer::on_seek(void* self, curl_off_t offset, int origin) {
  const auto& transfer = *static_cast<const CurlTransfer*>(self);
  const bool nothing_sent = transfer.sent_ == 0 && offset == 0 && origin == SEEK_SET;
  return nothing_sent ? CURL_SEEKFUNC_OK : CURL_SEEKFUNC_FAIL;
}

bool CurlTransfer::take_header_line(std::string_view line) {
  header_size_ += line.size();
  if (header_size_ > header_limit) {
    too_large_ = fmt::format("the answer's header is larger than {} bytes", header_limit);
    return false;
  }
  if (line.starts_with("HTTP/")) {
    response_.headers.clear();  // those so far were an interim answer's (RFC 9110 section 15.2)
    return true;
  }
  const bool continues = line.starts_with(' ') || line.starts_with('\t');
  if (continues && !response_.headers.empty()) {  // RFC 9112 section 5.2
    const auto more = header_text(line);
    if (!more.empty()) response_.headers.back().second.append(" ").append(more);
    return true;
  }
  const auto colon = line.find(':');
  if (colon != std::string_view::npos) {
    response_.headers.emplace_back(lower(header_text(line.substr(0, colon))),
                                   header_text(line.substr(colon + 1)));
  }
  return true;
}

bool CurlTransfer::take_body(std::string_view bytes) {
  if (bytes.size() > body_limit_ - response_.body.size()) {
    too_large_ = fmt::format("the answer is larger than {} bytes", body_limit_);
    return false;
  }
  response_.body += bytes;
  return true;
}

bool are_well_formed(const Headers& headers) {
  const auto is_text = [](std::string_view text) {
    return std::none_of(text.begin(), text.end(),
                        [](char c) { return c == '\r' || c == '\n' || c == '\0'; });
  };
  return std::all_of(headers.begin(), headers.end(), [&](const auto& header) {
    return !header.first.empty() && header.first.find_first_of(": ;") == std::string::npos &&
           is_text(header.first) && is_text(header.second);
  });
}

}  // namespace certherd::http
