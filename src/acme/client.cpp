#include "acme/client.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "runtime/together.hpp"

namespace certherd::acme {
namespace {

// Let's Encrypt takes a thousand such questions a second from one address, with a burst of a
// hundred (its page on rate limits); they are in no hurry.
constexpr std::size_t most_at_once = 16;

/// Questions, and the answers so far.
struct Asked {
  std::vector<std::string> ari_ids;
  std::vector<std::optional<Result<RenewalInfo>>> answers;
  std::size_t next = 0;
};

Task<void> ask_rest(Client* client, Asked* asked) {
  while (asked->next < asked->ari_ids.size()) {
    const auto index = asked->next++;
    auto answer = co_await client->renewal_info(std::move(asked->ari_ids[index]));
    asked->answers[index] = std::move(answer);
  }
}

}  // namespace

Task<std::vector<Result<RenewalInfo>>> Client::renewal_infos(std::vector<std::string> ari_ids) {
  Asked asked{.ari_ids = std::move(ari_ids), .answers = {}};
  const auto count = asked.ari_ids.size();
  asked.answers.resize(count);
  const auto workers = std::min(most_at_once, count);
  std::vector<Task<void>> asking;
  asking.reserve(workers);
  for (std::size_t i = 0; i < workers; ++i) asking.push_back(ask_rest(this, &asked));
  co_await runtime::together(std::move(asking));
  std::vector<Result<RenewalInfo>> answers;
  answers.reserve(count);
  for (auto& answer : asked.answers) answers.push_back(std::move(*answer));
  co_return answers;
}

}  // namespace certherd::acme
