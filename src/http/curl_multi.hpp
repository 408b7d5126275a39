#pragma once

#include <curl/curl.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstddef>
#include <map>
#include <memory>

#include "http/curl_transfer.hpp"

namespace certherd::http {

/// libcurl's multi handle, driven by the loop: libcurl says which sockets and which timeout it
/// waits for, Asio waits, libcurl acts. Sockets belong to libcurl throughout; Asio only borrows
/// them and lets go before they are closed.
class CurlMulti {
 public:
  CurlMulti(boost::asio::io_context& context, int connections_per_host);
  CurlMulti(const CurlMulti&) = delete;
  CurlMulti& operator=(const CurlMulti&) = delete;
  ~CurlMulti();

  /// Until remove(). Never called from inside a callback of libcurl.
  void add(CurlTransfer& transfer);
  void remove(CurlTransfer& transfer);

 private:
  struct Socket;

  static int on_socket(CURL* easy, curl_socket_t number, int what, void* self, void* socket);
  static int on_timeout(CURLM* multi, long milliseconds, void* self);

  void watch(curl_socket_t number, int what);
  void await(const std::shared_ptr<Socket>& socket, int direction);
  void act(curl_socket_t number, int events);
  void set_timer(long milliseconds);

  boost::asio::io_context& context_;
  boost::asio::steady_timer timer_;
  std::map<curl_socket_t, std::shared_ptr<Socket>> sockets_;  // shared with waiting handlers
  std::size_t transfers_ = 0;
  // Tells a timer's handler that is already on its way that there is nothing left to act on.
  std::shared_ptr<const bool> alive_ = std::make_shared<const bool>(true);
  CURLM* multi_;
};

}  // namespace certherd::http
