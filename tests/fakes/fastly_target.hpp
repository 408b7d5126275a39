#pragma once

#include <memory>
#include <utility>

#include "deploy/fastly/fastly.hpp"
#include "fakes/memory_budget.hpp"
#include "fakes/scripted_fastly.hpp"
#include "runtime/offload.hpp"
#include "runtime/virtual_loop.hpp"

namespace certherd::fakes {

/// Hands requests on to a client that outlives it, each after a moment.
class BorrowedClient final : public http::Client {
 public:
  BorrowedClient(http::Client& client, runtime::Clock& clock) : client_(client), clock_(clock) {}

  Task<Result<http::Response>> send(http::Request request, Time deadline) override {
    co_await clock_.sleep_for(std::chrono::milliseconds(1));
    co_return co_await client_.send(std::move(request), deadline);
  }

 private:
  http::Client& client_;
  runtime::Clock& clock_;
};

/// A target at that Fastly, as one process has it.
inline std::unique_ptr<deploy::Target> make_fastly_target(
    runtime::EventLoop& loop, runtime::Offload& offload, ScriptedFastly& fastly,
    runtime::Budget& budget, deploy::FastlyOptions options, int writes_per_hour = 990) {
  options.api.endpoint = "https://api.fastly.test";
  options.api.token = Secret<std::string>("token");
  options.api.token_source = "$FASTLY_API_TOKEN";
  options.api.allowance = {.name = "fastly/user",
                           .burst = static_cast<double>(writes_per_hour),
                           .window = std::chrono::hours(1)};
  return deploy::make_fastly(loop, offload, std::make_unique<BorrowedClient>(fastly, loop.clock()),
                             budget, std::move(options));
}

}  // namespace certherd::fakes
