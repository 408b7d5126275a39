#include "runtime/offload.hpp"

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>
#include <utility>

#include "runtime/timeouts.hpp"

namespace certherd::runtime {
namespace {

namespace asio = boost::asio;

/// Carries a piece of work and the suspended coroutine to a thread, and the coroutine back. It
/// keeps the loop running all the while: a coroutine counts as its work until it has ended.
struct HandOver {
  asio::thread_pool* pool;
  std::function<void()> work;
  std::exception_ptr* thrown;  // in the frame of the coroutine, which is suspended meanwhile

  template <typename Handler>
  void operator()(Handler handler) {
    asio::post(
        *pool, [work = std::move(work), thrown = thrown, handler = std::move(handler)]() mutable {
          try {
            work();
          } catch (...) {
            *thrown = std::current_exception();
          }
          work = nullptr;  // what it holds goes before the caller, to whom it may refer, goes on
          const auto loop = asio::get_associated_executor(handler);
          asio::post(loop, [handler = std::move(handler)]() mutable { std::move(handler)(); });
        });
  }
};

class ThreadOffload final : public Offload {
 public:
  explicit ThreadOffload(int threads) : pool_(static_cast<std::size_t>(threads)) {}
  ~ThreadOffload() override { pool_.join(); }

  Task<void> run(std::function<void()> work) override {
    std::exception_ptr thrown;
    HandOver start{&pool_, std::move(work), &thrown};
    co_await cancellation_point();
    co_await asio::async_initiate<const asio::use_awaitable_t<>, void()>(std::move(start),
                                                                         asio::use_awaitable);
    if (thrown) std::rethrow_exception(thrown);
  }

 private:
  asio::thread_pool pool_;
};

class InlineOffload final : public Offload {
 public:
  Task<void> run(std::function<void()> work) override {
    co_await cancellation_point();
    work();
  }
};

}  // namespace

std::unique_ptr<Offload> make_thread_offload(EventLoop&, int threads) {
  return std::make_unique<ThreadOffload>(threads);
}

std::unique_ptr<Offload> make_inline_offload() { return std::make_unique<InlineOffload>(); }

}  // namespace certherd::runtime
