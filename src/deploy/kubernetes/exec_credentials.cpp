#include "deploy/kubernetes/exec_credentials.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <utility>

#include "base/utf8.hpp"
#include "crypto/encoding.hpp"
#include "deploy/kubernetes/members.hpp"

namespace certherd::deploy::kubernetes {
namespace {

namespace json = boost::json;

// It may itself ask a service.
constexpr std::chrono::minutes longest_run(1);
// A credential may be on its way when its end comes.
constexpr std::chrono::seconds spare(10);

/// The end of what a program complained of, on one line.
std::string last_words(std::string_view text) {
  constexpr std::size_t longest = 500;
  const auto end = text.find_last_not_of(" \n");
  if (end == std::string_view::npos) return "it does not say why";
  text = text.substr(0, end + 1);
  if (text.size() > longest) text.remove_prefix(text.size() - longest);
  return cleaned(text);
}

/// What the program is told of the cluster and of us.
std::string exec_info(const ExecPlugin& plugin) {
  json::object spec = {{"interactive", false}};
  if (!plugin.server.empty()) {
    json::object cluster = {{"server", plugin.server}};
    if (!plugin.authority_pem.empty()) {
      cluster["certificate-authority-data"] = crypto::base64(plugin.authority_pem);
    }
    spec["cluster"] = std::move(cluster);
  }
  return json::serialize(json::object{
      {"apiVersion", plugin.api_version}, {"kind", "ExecCredential"}, {"spec", std::move(spec)}});
}

Result<Credential> credential_in(const std::string& output, const ExecPlugin& plugin,
                                 const std::string& op) {
  const auto wrong = [&](std::string_view what) {
    return fail(
        Error::Kind::misconfigured, op,
        fmt::format("what it prints is no ExecCredential of {}: {}", plugin.api_version, what));
  };
  boost::system::error_code code;
  auto document = json::parse(output, code);
  if (code || !document.is_object()) return wrong("it is no JSON object");
  auto& object = document.get_object();
  if (text_in(object, "kind") != "ExecCredential" ||
      text_in(object, "apiVersion") != plugin.api_version) {
    return wrong("`kind` or `apiVersion` is another one");
  }
  auto* const status = object.if_contains("status");
  if (status == nullptr || !status->is_object()) return wrong("it has no `status`");
  auto& told = status->get_object();
  Credential credential{.token = take_secret(told, "token"),
                        .certificate_pem = text_in(told, "clientCertificateData"),
                        .key_pem = take_secret(told, "clientKeyData"),
                        .good_until = {}};
  if (credential.certificate_pem.empty() != credential.key_pem.empty()) {
    return wrong("a client certificate and its key come together");
  }
  if (credential.token.empty() && credential.certificate_pem.empty()) {
    return wrong("there is neither `token` nor `clientCertificateData`");
  }
  if (const auto end = text_in(told, "expirationTimestamp"); !end.empty()) {
    credential.good_until = parse_time(end);
    if (!credential.good_until) return wrong("`expirationTimestamp` is no time of RFC 3339");
    *credential.good_until -= spare;
  }
  return credential;
}

class ExecCredentials final : public CredentialSource {
 public:
  ExecCredentials(runtime::EventLoop& loop, RunCommand run, ExecPlugin plugin)
      : loop_(loop), run_(std::move(run)), plugin_(std::move(plugin)) {}

  Task<Result<Credential>> fetch() override {
    const auto op = fmt::format("ask {} for credentials", plugin_.arguments.front());
    runtime::Command command;
    command.arguments = plugin_.arguments;
    command.environment = plugin_.environment;
    command.environment["KUBERNETES_EXEC_INFO"] = exec_info(plugin_);
    command.withheld = plugin_.withheld;
    command.errors_apart = true;
    auto ended = co_await run_(std::move(command), loop_.clock().now() + longest_run);
    if (!ended) {
      auto error = std::move(ended.error()).during(op);
      if (error.kind == Error::Kind::misconfigured && !plugin_.install_hint.empty()) {
        error.detail += " (" + cleaned(plugin_.install_hint) + ")";
      }
      co_return fail(std::move(error));
    }
    const Secret<std::string> output(std::move(ended->output));
    if (ended->exit_status != 0) {
      co_return fail(
          Error::Kind::denied, op,
          fmt::format("it ended with {}: {}", ended->exit_status, last_words(ended->errors)));
    }
    co_return credential_in(output.reveal(), plugin_, op);
  }

 private:
  runtime::EventLoop& loop_;
  RunCommand run_;
  ExecPlugin plugin_;
};

}  // namespace

std::unique_ptr<CredentialSource> make_exec_credentials(runtime::EventLoop& loop, RunCommand run,
                                                        ExecPlugin plugin) {
  return std::make_unique<ExecCredentials>(loop, std::move(run), std::move(plugin));
}

}  // namespace certherd::deploy::kubernetes
