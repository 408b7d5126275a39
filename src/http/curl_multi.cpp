#include "http/curl_multi.hpp"

#include <chrono>
#include <stdexcept>
#include <utility>

namespace certherd::http {

namespace asio = boost::asio;
using asio::posix::stream_descriptor;

/// A socket of libcurl's that it has us watch.
struct CurlMulti::Socket {
  Socket(asio::io_context& context, curl_socket_t number) : descriptor(context, number) {}
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  ~Socket() {
    if (descriptor.is_open()) descriptor.release();
  }

  stream_descriptor descriptor;
  int wanted = 0;   // CURL_POLL_IN, CURL_POLL_OUT: what libcurl waits for
  int waiting = 0;  // the same: what Asio waits for
};

CurlMulti::CurlMulti(asio::io_context& context, int connections_per_host)
    : context_(context), timer_(context), multi_(curl_multi_init()) {
  if (multi_ == nullptr) throw std::runtime_error("libcurl cannot be initialised");
  curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, &CurlMulti::on_socket);
  curl_multi_setopt(multi_, CURLMOPT_SOCKETDATA, this);
  curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, &CurlMulti::on_timeout);
  curl_multi_setopt(multi_, CURLMOPT_TIMERDATA, this);
  curl_multi_setopt(multi_, CURLMOPT_PIPELINING, static_cast<long>(CURLPIPE_MULTIPLEX));
  curl_multi_setopt(multi_, CURLMOPT_MAX_HOST_CONNECTIONS, static_cast<long>(connections_per_host));
  // Idle connections that are kept, over all hosts. By default libcurl keeps four times as many
  // as there are transfers, so hardly any in a quiet moment.
  curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, 4L * connections_per_host);
}

CurlMulti::~CurlMulti() {
  // Closing the idle connections still calls on_socket.
  curl_multi_cleanup(multi_);
}

void CurlMulti::add(CurlTransfer& transfer) {
  ++transfers_;
  const CURLMcode code = curl_multi_add_handle(multi_, transfer.easy());
  if (code != CURLM_OK) transfer.finish(CURLE_FAILED_INIT);
}

void CurlMulti::remove(CurlTransfer& transfer) {
  curl_multi_remove_handle(multi_, transfer.easy());
  // Idle connections need no timer, and one left over would keep the loop from ending.
  if (--transfers_ == 0) timer_.cancel();
}

int CurlMulti::on_socket(CURL*, curl_socket_t number, int what, void* self, void*) {
  static_cast<CurlMulti*>(self)->watch(number, what);
  return 0;
}

int CurlMulti::on_timeout(CURLM*, long milliseconds, void* self) {
  static_cast<CurlMulti*>(self)->set_timer(milliseconds);
  return 0;
}

void CurlMulti::watch(curl_socket_t number, int what) {
  if (what == CURL_POLL_REMOVE) {
    // libcurl may close the socket next, and the number may come back as another one.
    const auto node = sockets_.extract(number);
    if (node) node.mapped()->descriptor.release();
    return;
  }
  auto& socket = sockets_[number];
  if (!socket) socket = std::make_shared<Socket>(context_, number);
  socket->wanted = what & (CURL_POLL_IN | CURL_POLL_OUT);
  await(socket, CURL_POLL_IN);
  await(socket, CURL_POLL_OUT);
}

void CurlMulti::await(const std::shared_ptr<Socket>& socket, int direction) {
  if ((socket->wanted & direction) == 0 || (socket->waiting & direction) != 0) return;
  socket->waiting |= direction;
  const auto wait =
      direction == CURL_POLL_IN ? stream_descriptor::wait_read : stream_descriptor::wait_write;
  const curl_socket_t number = socket->descriptor.native_handle();
  // Weak: released sockets, and this object's end, leave handlers behind for a moment.
  socket->descriptor.async_wait(wait, [this, number, direction, weak = std::weak_ptr(socket)](
                                          boost::system::error_code error) {
    const auto own = weak.lock();
    if (!own || !own->descriptor.is_open()) return;
    own->waiting &= ~direction;
    if ((own->wanted & direction) == 0) return;
    const int events = direction == CURL_POLL_IN ? CURL_CSELECT_IN : CURL_CSELECT_OUT;
    act(number, error ? events | CURL_CSELECT_ERR : events);
    if (own->descriptor.is_open()) await(own, direction);
  });
}

void CurlMulti::set_timer(long milliseconds) {
  if (milliseconds < 0) {
    timer_.cancel();
    return;
  }
  timer_.expires_after(std::chrono::milliseconds(milliseconds));
  timer_.async_wait([this, alive = std::weak_ptr(alive_)](boost::system::error_code error) {
    if (!error && !alive.expired()) act(CURL_SOCKET_TIMEOUT, 0);
  });
}

void CurlMulti::act(curl_socket_t number, int events) {
  int running = 0;
  curl_multi_socket_action(multi_, number, events, &running);
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    CurlTransfer* transfer = nullptr;
    const CURLcode code = message->data.result;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
    transfer->finish(code);
  }
}

}  // namespace certherd::http
