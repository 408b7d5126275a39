#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "fakes/scripted_fastly.hpp"
#include "fakes/tls_edge.hpp"
#include "http/test_server.hpp"

namespace certherd::e2e {

/// A scripted Fastly with its API on HTTP and its edge on TLS, both on 127.0.0.1.
class FastlyStage {
 public:
  /// `now` is called on any thread.
  FastlyStage(std::string token, std::function<Time()> now);

  /// Of the API, without a path.
  std::string url() const { return server_.url(""); }
  /// Where every name is served that has TLS at this Fastly.
  std::uint16_t edge_port() const { return edge_.port(); }

  fakes::ScriptedFastly& fastly() { return fastly_; }
  const fakes::TlsEdge& edge() const { return edge_; }

 private:
  http::TestServer::Answer answer(const std::string& bytes);

  fakes::ScriptedFastly fastly_;
  fakes::TlsEdge edge_;
  http::TestServer server_;
};

}  // namespace certherd::e2e
