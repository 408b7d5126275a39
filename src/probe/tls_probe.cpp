#include "probe/tls_probe.hpp"

#include <fmt/format.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

#include "probe/host_lookup.hpp"
#include "runtime/timeouts.hpp"

namespace certherd::probe {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using Stream = asio::ssl::stream<tcp::socket>;

constexpr auto completion = asio::as_tuple(asio::use_awaitable);

// A server that does not answer our goodbye has told us all we wanted before. Many never do, and
// each of them keeps a place that others wait for.
constexpr auto goodbye_patience = std::chrono::milliseconds(250);

// OpenSSL's own default, said here because it is what bounds a hostile server.
constexpr long largest_chain = 100L << 10U;

/// What came over the wire, not judged yet.
struct Served {
  std::string address;
  crypto::ServedChain chain;
};

std::string address_text(const tcp::endpoint& endpoint) {
  const auto address = endpoint.address();
  return fmt::format(fmt::runtime(address.is_v6() ? "[{}]:{}" : "{}:{}"), address.to_string(),
                     endpoint.port());
}

/// Nothing when it is a name.
std::optional<asio::ip::address> as_address(const std::string& text) {
  error_code error;
  auto address = asio::ip::make_address(text, error);
  if (error) return std::nullopt;
  return address;
}

bool some_name_covers(const std::vector<std::string>& names, const Fqdn& host) {
  return std::ranges::any_of(names, [&host](const std::string& text) {
    const auto name = Fqdn::parse(text);
    return name && name->covers(host);
  });
}

class TlsProbe final : public Probe {
 public:
  TlsProbe(runtime::EventLoop& loop, runtime::Offload& offload, runtime::Offload& look_ups,
           TlsProbeOptions options)
      : loop_(loop),
        offload_(offload),
        look_ups_(look_ups),
        options_(std::move(options)),
        context_(asio::ssl::context::tls_client) {
    // Whatever is served is to be read first, also what nobody should trust: OpenSSL would refuse
    // small keys and old signatures in the handshake already.
    context_.set_verify_mode(asio::ssl::verify_none);
    SSL_CTX_set_security_level(context_.native_handle(), 0);
    SSL_CTX_set_min_proto_version(context_.native_handle(), TLS1_2_VERSION);
    SSL_CTX_set_max_cert_list(context_.native_handle(), largest_chain);
    // Browsers talk to servers that do not know RFC 5746; nothing is renegotiated here.
    SSL_CTX_set_options(context_.native_handle(), SSL_OP_LEGACY_SERVER_CONNECT);
  }

  Task<Result<Observation>> look(Endpoint endpoint, Time deadline) override {
    const std::string op = "probe " + endpoint.text();
    std::string stage = "looking up the host";
    auto reading = read(endpoint, deadline, &stage);
    auto served = co_await runtime::value_by(&loop_.clock(), deadline, std::move(reading));
    // What is cancelled for being late may still have given an error of its own.
    if (!served || (!*served && loop_.clock().now() >= deadline)) {
      co_return fail(Error::Kind::deadline, op, "no answer in time while " + stage);
    }
    if (!*served) co_return fail(std::move(served->error()).during(op));

    auto judge = [this, host = endpoint.host, read = std::move(**served),
                  now = loop_.clock().now()]() mutable {
      return judged(host, std::move(read), now);
    };
    auto observation = co_await offload_.call(std::move(judge));
    if (!observation) co_return fail(std::move(observation.error()).during(op));
    co_return observation;
  }

  Task<Result<std::vector<std::string>>> addresses(Endpoint endpoint, Time deadline) override {
    const std::string op = "probe " + endpoint.text();
    auto locating = locate(std::move(endpoint));
    auto found = co_await runtime::value_by(&loop_.clock(), deadline, std::move(locating));
    if (!found) {
      co_return fail(Error::Kind::deadline, op, "no answer in time while looking up the host");
    }
    if (!*found) co_return fail(std::move(found->error()).during(op));
    std::vector<std::string> texts;
    texts.reserve((*found)->size());
    for (const auto& address : **found) texts.push_back(address.to_string());
    co_return texts;
  }

 private:
  Task<Result<std::vector<asio::ip::address>>> locate(Endpoint endpoint) {
    if (const auto address = as_address(endpoint.address)) co_return std::vector{*address};
    const bool named = !endpoint.address.empty();
    if (named && !Fqdn::parse(endpoint.address)) {
      co_return fail(Error::Kind::misconfigured, "look up " + endpoint.address,
                     "neither an address nor a host name");
    }
    auto work = [host = named ? endpoint.address : endpoint.host.text()] { return look_up(host); };
    co_return co_await look_ups_.call(std::move(work));
  }

  Task<Result<Served>> read(Endpoint endpoint, Time deadline, std::string* stage) {
    auto locating = locate(endpoint);
    auto addresses = co_await std::move(locating);
    if (!addresses) co_return fail(std::move(addresses.error()));

    *stage = "connecting";
    tcp::socket socket(loop_.context());
    auto connecting = connect(&socket, std::move(*addresses), endpoint.port, deadline);
    const auto connected = co_await std::move(connecting);
    if (!connected) co_return fail(connected.error());

    *stage = "shaking hands";
    Stream stream(std::move(socket), context_);
    SSL_set_tlsext_host_name(stream.native_handle(), endpoint.host.text().c_str());
    const auto [error] = co_await stream.async_handshake(Stream::client, completion);
    if (error) {
      co_return fail(Error::Kind::transient, "handshake with " + address_text(*connected),
                     "no TLS 1.2 or newer: " + error.message());
    }
    Served served{address_text(*connected),
                  crypto::ServedChain(SSL_get_peer_cert_chain(stream.native_handle()))};
    auto goodbye = close(&stream);
    co_await runtime::finished_by(&loop_.clock(),
                                  std::min(deadline, loop_.clock().now() + goodbye_patience),
                                  std::move(goodbye));
    co_return served;
  }

  // One address after the other; none may use up the time of those behind it.
  Task<Result<tcp::endpoint>> connect(tcp::socket* socket, std::vector<asio::ip::address> addresses,
                                      std::uint16_t port, Time deadline) {
    Error failed;
    failed.op = "connect";
    failed.detail = "no address could be reached";
    for (std::size_t i = 0; i < addresses.size(); ++i) {
      const tcp::endpoint endpoint(addresses[i], port);
      const auto now = loop_.clock().now();
      const auto share = (deadline - now) / static_cast<int>(addresses.size() - i);
      error_code error;
      auto connecting = connect_to(socket, endpoint, &error);
      const bool in_time =
          co_await runtime::finished_by(&loop_.clock(), now + share, std::move(connecting));
      if (in_time && !error) co_return endpoint;
      Error cause;
      cause.op = "connect to " + address_text(endpoint);
      cause.detail = in_time ? error.message() : "no answer";
      failed.causes.push_back(std::move(cause));
    }
    if (failed.causes.size() == 1) co_return fail(std::move(failed.causes.front()));
    co_return fail(std::move(failed));
  }

  static Task<void> connect_to(tcp::socket* socket, tcp::endpoint endpoint, error_code* error) {
    error_code ignored;
    socket->close(ignored);  // of the attempt before
    std::tie(*error) = co_await socket->async_connect(endpoint, completion);
  }

  static Task<void> close(Stream* stream) { co_await stream->async_shutdown(completion); }

  Result<Observation> judged(const Fqdn& host, Served served, Time now) const {
    if (served.chain.empty()) {
      return fail(Error::Kind::transient, "handshake with " + served.address,
                  "the server sent no certificate");
    }
    auto certificates = served.chain.describe();
    Observation observation;
    if (auto trusted = options_.roots.judge(served.chain, now); !trusted) {
      observation.trust = std::move(trusted.error());
    }
    observation.address = std::move(served.address);
    observation.leaf = std::move(certificates.front());
    observation.name_matches = some_name_covers(observation.leaf.names, host);
    certificates.erase(certificates.begin());
    observation.above = std::move(certificates);
    return observation;
  }

  runtime::EventLoop& loop_;
  runtime::Offload& offload_;
  runtime::Offload& look_ups_;
  TlsProbeOptions options_;
  asio::ssl::context context_;
};

}  // namespace

std::unique_ptr<Probe> make_tls_probe(runtime::EventLoop& loop, runtime::Offload& offload,
                                      runtime::Offload& look_ups, TlsProbeOptions options) {
  return std::make_unique<TlsProbe>(loop, offload, look_ups, std::move(options));
}

}  // namespace certherd::probe
