#include "notify/curl_call.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>

#include "runtime/together.hpp"
#include "runtime/wakeup.hpp"

namespace certherd::notify {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::milliseconds longest_connect = 15s;

/// Between the work on its thread and the task that watches over the caller.
struct Watch {
  explicit Watch(runtime::EventLoop& loop) : over(loop) {}

  std::atomic<bool> stop = false;
  bool done = false;
  runtime::Wakeup over;
};

Task<void> work_on(Watch* watch, runtime::Offload* offload,
                   const std::function<void(const std::atomic<bool>&)>* work) {
  co_await offload->run([watch, work] { (*work)(watch->stop); });
  watch->done = true;
  watch->over.notify_all();
}

// A cancelled wait throws, and so stops the work; after its end that stops nothing.
Task<void> watch_over(Watch* watch) {
  struct Stop {
    std::atomic<bool>& flag;
    ~Stop() { flag = true; }
  };
  const Stop stop{watch->stop};
  while (!watch->done) co_await watch->over.wait();
}

}  // namespace

CurlCall::CurlCall(const std::string& url, std::chrono::milliseconds limit,
                   const std::atomic<bool>* stop)
    : stop_(stop), easy_(curl_easy_init(), &curl_easy_cleanup) {
  CURL* const easy = easy_.get();
  curl_easy_setopt(easy, CURLOPT_URL, url.c_str());
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, words_.data());
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);  // no waiting for a resolver that hangs
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(limit.count()));
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
                   static_cast<long>(std::min(limit, longest_connect).count()));
  curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, &on_progress);
  curl_easy_setopt(easy, CURLOPT_XFERINFODATA, this);
  curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, &on_open);
  curl_easy_setopt(easy, CURLOPT_SOCKOPTDATA, this);
  curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, &on_close);
  curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, this);
}

CURLcode CurlCall::perform() {
  const auto code = curl_easy_perform(easy());
  for (const auto socket : sockets_) ::shutdown(socket, SHUT_RD);
  return code;
}

std::string CurlCall::words(CURLcode code) const {
  return words_.front() == '\0' ? curl_easy_strerror(code) : words_.data();
}

int CurlCall::on_progress(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  const auto* const stop = static_cast<CurlCall*>(self)->stop_;
  return stop != nullptr && *stop ? 1 : 0;
}

int CurlCall::on_open(void* self, curl_socket_t socket, curlsocktype) {
  static_cast<CurlCall*>(self)->sockets_.insert(socket);
  return CURL_SOCKOPT_OK;
}

int CurlCall::on_close(void* self, curl_socket_t socket) {
  static_cast<CurlCall*>(self)->sockets_.erase(socket);
  return ::close(socket);
}

Task<void> run_stoppable(runtime::EventLoop* loop, runtime::Offload* offload,
                         std::function<void(const std::atomic<bool>&)> work) {
  Watch watch(*loop);
  std::vector<Task<void>> tasks;
  tasks.push_back(work_on(&watch, offload, &work));
  tasks.push_back(watch_over(&watch));
  co_await runtime::together(std::move(tasks));
}

}  // namespace certherd::notify
