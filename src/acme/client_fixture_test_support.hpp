#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "acme/http_client.hpp"
#include "acme/scripted_http_test_support.hpp"
#include "crypto/jws.hpp"
#include "runtime/virtual_loop.hpp"

namespace certherd::acme {

/// A client of a scripted CA on the virtual clock.
class ScriptedCa : public testing::Test {
 protected:
  using Method = http::Request::Method;

  template <typename T>
  T run(Task<T> task) {
    return loop->run(std::move(task));
  }

  static http::Response nonced(http::Response response, std::string nonce) {
    response.headers.emplace_back("replay-nonce", std::move(nonce));
    return response;
  }

  void expect_directory() {
    http.expect(Method::get, "https://ca.example/dir", json_answer(200, R"({
        "newNonce": "https://ca.example/nonce", "newAccount": "https://ca.example/new-account",
        "newOrder": "https://ca.example/new-order"})"));
  }
  void expect_nonce(std::string nonce) {
    http.expect(Method::head, "https://ca.example/nonce",
                nonced(answer(200, "", ""), std::move(nonce)));
  }
  void expect_post(std::string url, Result<http::Response> response) {
    http.expect(Method::post, std::move(url), std::move(response));
  }

  /// Directory and first nonce, with the account known.
  void expect_first_contact() {
    client->use_account(AccountUrl("https://ca.example/account/1"));
    expect_directory();
    expect_nonce("first");
  }

  std::unique_ptr<runtime::EventLoop> loop =
      runtime::make_virtual_loop(*parse_time("2026-11-23T12:00:00Z"));
  std::unique_ptr<runtime::Offload> offload = runtime::make_inline_offload();
  ScriptedHttp http;
  crypto::PrivateKey key = *crypto::PrivateKey::generate(KeyType::ecdsa_p256);
  std::unique_ptr<Client> client =
      make_client(http, *loop, *offload, {"https://ca.example/dir", key});
};

}  // namespace certherd::acme
