#pragma once

#include <fmt/format.h>

#include <string>

#include "crypto/local_ca.hpp"
#include "end_to_end.hpp"
#include "fakes/tls_servers.hpp"

namespace certherd::e2e {

/// A folder made by init, whose probe trusts a CA of the test, and loopback servers.
class OnTlsHosts : public EndToEnd {
 protected:
  void SetUp() override {
    ASSERT_EQ(run({"init"}).status, 0);
    write_file(path("roots.pem"), ca_.root_pem());
    write_file(path("certherd.toml"),
               content_of(path("certherd.toml")) + "\n[probe]\ntrust = \"roots.pem\"\n");
  }

  void start_servers() {
    const auto started = servers_.start();
    ASSERT_TRUE(started) << started.error().message();
  }

  std::string at(const std::string& host) const {
    return fmt::format("{}:{}@127.0.0.1", host, servers_.port());
  }

  Time now_ = loop().clock().now();
  crypto::LocalCa ca_{"the CA of the test", now_};
  fakes::TlsServers servers_{loop()};
};

}  // namespace certherd::e2e
