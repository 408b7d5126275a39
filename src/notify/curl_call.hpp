#pragma once

#include <curl/curl.h>

#include <array>
#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
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
  CURLcode perform();

  /// libcurl's words for why it failed.
  std::string words(CURLcode code) const;

 private:
  static int on_progress(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t);

  std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> easy_;
  std::array<char, CURL_ERROR_SIZE> words_{};
  const std::atomic<bool>* stop_;
};

/// Runs `work` on `offload`, and tells it by the flag when the caller is cancelled.
Task<void> run_stoppable(runtime::EventLoop* loop, runtime::Offload* offload,
                         std::function<void(const std::atomic<bool>&)> work);

}  // namespace certherd::notify
