#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <type_traits>

#include "runtime/event_loop.hpp"
#include "runtime/task.hpp"

namespace certherd::runtime {

/// Where everything goes that would hold up the loop: key generation, SQL, disk work.
class Offload {
 public:
  virtual ~Offload() = default;

  /// Runs `work` and returns on the loop afterwards. Work that was begun is always finished,
  /// and its end awaited, even when the caller is cancelled: it may write through references.
  virtual Task<void> run(std::function<void()> work) = 0;

  template <typename Work>
  auto call(Work work) -> Task<std::invoke_result_t<Work>> {
    std::optional<std::invoke_result_t<Work>> value;
    co_await run([&value, &work] { value.emplace(work()); });
    co_return std::move(*value);
  }
};

/// `threads` threads. The destructor waits for running work.
std::unique_ptr<Offload> make_thread_offload(EventLoop& loop, int threads);

/// Runs the work at once on the loop: for the virtual clock, which therefore never jumps while
/// work is outstanding.
std::unique_ptr<Offload> make_inline_offload();

}  // namespace certherd::runtime
