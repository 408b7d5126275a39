#pragma once

#include <deque>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "http/client.hpp"

/// What the fuzzers share. Each is a function over one input: it hands the bytes to what reads
/// them in the program, and holds what comes of it against what is promised there.
namespace certherd::fuzz {

/// What all inputs are read at.
constexpr Time now = std::chrono::sys_days(std::chrono::year(2026) / 11 / 23);

/// Ends the process where a promise is broken, so that libFuzzer keeps the input.
void expect(bool holds, std::string_view promise);

/// An error is fit to be told: as one line without control characters, of bounded length, and
/// it comes back out of the store as it went in.
void expect_told(const Error& error);

/// Whether there is a value; otherwise the error is held against the above.
template <typename T>
bool is_good(const Result<T>& result) {
  if (!result) expect_told(result.error());
  return result.has_value();
}

/// The parts of an input, which lines of four hyphens set apart.
std::vector<std::string_view> parts_of(std::string_view input);

/// A part as an answer of HTTP, in a form that people can write: a line with the status, lines with
/// headers, an empty line, the body. What is no status counts as 200.
http::Response response_of(std::string_view part);

/// Answers requests with the parts of an input in turn; then nobody answers any more.
class CannedHttp final : public http::Client {
 public:
  explicit CannedHttp(std::string_view input);

  Task<Result<http::Response>> send(http::Request request, Time deadline) override;

 private:
  std::deque<http::Response> answers_;
};

}  // namespace certherd::fuzz
