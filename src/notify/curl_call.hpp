#pragma once

#include <curl/curl.h>

#include <array>
#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <set>
#include <string>

#include "runtime/event_loop.hpp"
#include "runtime/offload.hpp"

namespace certherd::notify {

/// One call of libcurl's simple interface, which blocks a thread. It has a limit, and can be broken
/// off.
class CurlCall {
 public:
  /// `stop` (may be null) breaks it off within a second, once it is set.
  CurlCall(const std::string& url, std::chrono::milliseconds limit, const std::atomic<bool>* stop);

  CURL* easy() const { return easy_.get(); }

  /// Afterwards nothing more is read: what libcurl says for a farewell waits for no answer, since
  /// that wait would keep to no limit.
  CURLcode perform();

  /// libcurl's words for why it failed.
  std::string words(CURLcode code) const;

 private:
  static int on_progress(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t);
  static int on_open(void* self, curl_socket_t socket, curlsocktype purpose);
  static int on_close(void* self, curl_socket_t socket);

  std::array<char, CURL_ERROR_SIZE> words_{};
  const std::atomic<bool>* stop_;
  std::set<curl_socket_t> sockets_;                           // that are open
  std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> easy_;  // last: it calls back when it ends
};

/// Runs `work` on `offload`, and tells it by the flag when the caller is cancelled.
Task<void> run_stoppable(runtime::EventLoop* loop, runtime::Offload* offload,
                         std::function<void(const std::atomic<bool>&)> work);

}  // namespace certherd::notify
