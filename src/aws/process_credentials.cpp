#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "aws/chain.hpp"
#include "aws/json_credentials.hpp"
#include "aws/words.hpp"
#include "runtime/process.hpp"

namespace certherd::aws {
namespace {

// It may itself ask a service, or open a browser that nobody sees.
constexpr std::chrono::minutes longest_run(1);

/// The end of what a program complained of, on one line.
std::string last_words(std::string text) {
  constexpr std::size_t longest = 500;
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  if (text.size() > longest) text.erase(0, text.size() - longest);
  std::ranges::replace_if(
      text, [](char c) { return static_cast<unsigned char>(c) < 0x20U || c == 0x7f; }, ' ');
  return text;
}

}  // namespace

Task<Found> credentials_of_process(Ground ground, std::string profile) {
  const auto line = ground.settings->profile_value(profile, "credential_process");
  if (line.empty()) co_return std::nullopt;
  const auto op = fmt::format("ask the credential_process of the AWS profile {}", profile);
  auto words = split_words(line);
  if (!words) co_return fail(std::move(words.error()).during(op));
  if (words->empty()) co_return fail(Error::Kind::misconfigured, op, "its command is empty");

  runtime::Command command;
  command.arguments = std::move(*words);
  command.errors_apart = true;
  const Time deadline = ground.loop->clock().now() + longest_run;
  auto ended = co_await runtime::run_command(ground.loop, std::move(command), deadline);
  if (!ended) co_return fail(std::move(ended.error()).during(op));
  const Secret<std::string> output(std::move(ended->output));
  if (ended->exit_status != 0) {
    const auto complaint = last_words(std::move(ended->errors));
    co_return fail(Error::Kind::denied, op,
                   fmt::format("it ended with {}: {}", ended->exit_status,
                               complaint.empty() ? "it does not say why" : complaint));
  }
  auto credentials = read_json_credentials(output.reveal(), "SessionToken");
  if (!credentials || json_member(output.reveal(), "Version") != "1") {
    co_return fail(Error::Kind::misconfigured, op,
                   "what it writes is not {\"Version\": 1, \"AccessKeyId\": …, "
                   "\"SecretAccessKey\": …}");
  }
  credentials->source = fmt::format("the credential_process of profile {}", profile);
  co_return std::move(*credentials);
}

}  // namespace certherd::aws
