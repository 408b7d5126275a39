#include "fastly_stage.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <utility>

namespace certherd::e2e {
namespace {

using Method = http::Request::Method;

/// What stands before the separator; it and the separator are taken away.
std::string_view cut(std::string_view& text, std::string_view separator) {
  const auto end = text.find(separator);
  const auto first = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + separator.size());
  return first;
}

Method method_of(std::string_view word) {
  constexpr std::array all = {Method::get, Method::head,  Method::post,
                              Method::put, Method::patch, Method::delete_};
  const auto* const found = std::ranges::find(all, word, &fakes::fastly::name_of);
  return found == all.end() ? Method::put : *found;  // which Fastly does not know either
}

http::Request parse(std::string_view bytes, const std::string& base) {
  http::Request request;
  auto line = cut(bytes, "\r\n");
  request.method = method_of(cut(line, " "));
  request.url = base + std::string(cut(line, " "));
  while (!bytes.starts_with("\r\n") && !bytes.empty()) {
    auto value = cut(bytes, "\r\n");
    const auto name = cut(value, ":");
    value.remove_prefix(std::min(value.find_first_not_of(' '), value.size()));
    request.headers.emplace_back(name, value);
  }
  bytes.remove_prefix(std::min<std::size_t>(2, bytes.size()));
  request.body = bytes;
  return request;
}

}  // namespace

FastlyStage::FastlyStage(std::string token, std::function<Time()> now)
    : fastly_(std::move(token), std::move(now)),
      edge_([this](const std::string& name) -> std::optional<fakes::TlsEdge::Served> {
        auto served = fastly_.served(name);
        if (!served) return std::nullopt;
        return fakes::TlsEdge::Served{.chain_pem = std::move(served->chain_pem),
                                      .key_pem = std::move(served->key_pem)};
      }),
      server_([this](const std::string& bytes) { return answer(bytes); }) {}

// Links in lists lead to where the request came.
http::TestServer::Answer FastlyStage::answer(const std::string& bytes) {
  const auto request = parse(bytes, url());
  const auto response = fastly_.answer(request);
  if (!response) return {.bytes = "", .close = true};
  std::string text = fmt::format("HTTP/1.1 {} Whatever\r\n", response->status);
  for (const auto& [name, value] : response->headers) text += name + ": " + value + "\r\n";
  if (response->status != 204) {
    text += fmt::format("Content-Length: {}\r\n", response->body.size());
  }
  text += "\r\n";
  if (request.method != Method::head) text += response->body;
  return {.bytes = std::move(text)};
}

}  // namespace certherd::e2e
