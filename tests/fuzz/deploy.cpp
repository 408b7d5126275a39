
#include "deploy/exec/answer.hpp"
#include "deploy/fastly/documents.hpp"
#include "deploy/fastly/failure.hpp"
#include "deploy/kubernetes/document.hpp"
#include "deploy/kubernetes/exec_credentials.hpp"
#include "deploy/kubernetes/failure.hpp"
#include "deploy/kubernetes/kubeconfig.hpp"
#include "fuzz/file.hpp"
#include "fuzz/fuzz.hpp"
#include "fuzz/targets.hpp"
#include "model/serial.hpp"
#include "runtime/virtual_loop.hpp"

namespace certherd::fuzz {
namespace {

// No server of a target is believed that asks for more.
constexpr auto longest_wait = std::chrono::hours(24);

void expect_wait(const Error& error) {
  expect_told(error);
  const auto& at = error.retry_at;
  expect(!at || (*at >= now && *at <= now + longest_wait), "nobody makes us wait for longer");
}

template <typename T>
void fastly_page(std::string_view input) {
  const auto page = deploy::fastly::read_page<T>(input);
  if (!is_good(page)) return;
  for (const auto& object : page->objects) expect(!object.id.empty(), "an object has an id");
}

template <typename T>
void fastly_object(std::string_view input) {
  const auto object = deploy::fastly::read_object<T>(input);
  if (is_good(object)) expect(!object->id.empty(), "an object has an id");
}

/// A program that prints the input.
Task<Result<runtime::CommandResult>> print(std::string output) {
  co_return runtime::CommandResult{
      .exit_status = output.starts_with('{') ? 0 : 1, .output = output, .errors = output};
}

}  // namespace

/// What the program of a target prints, and its exit status.
void exec_answer(std::string_view input) {
  const auto serial = deploy::read_serial(input);
  if (is_good(serial) && !serial->empty()) {
    expect(parse_serial(*serial) == Serial(*serial),
           "a serial is in the form in which we write it");
  }
  for (int status = 1; status < 256; ++status) deploy::kind_of_exit(status);
}

/// Answers of Fastly's API, as pages and objects of each kind, and as refusals.
void fastly(std::string_view input) {
  using namespace deploy::fastly;
  const auto response = response_of(input);
  const Secret<std::string> token("a-token");
  const auto refusal = read_failure("GET /tls/certificates", response, token, "fastly.token", now);
  expect_wait(refusal);
  expect(refusal.message().find(token.reveal()) == std::string::npos, "no error shows the token");
  if (const auto reset = budget_reset(response, now)) {
    expect(*reset > now && *reset <= now + std::chrono::hours(2), "an hour ends within two");
  }
  fastly_page<Key>(response.body);
  fastly_page<Certificate>(response.body);
  fastly_page<Activation>(response.body);
  fastly_page<BulkCertificate>(response.body);
  fastly_page<Configuration>(response.body);
  fastly_object<Key>(response.body);
  fastly_object<Certificate>(response.body);
  fastly_object<Activation>(response.body);
  fastly_object<BulkCertificate>(response.body);
}

/// A kubeconfig file, and the credentials that are read by it.
void kubeconfig(std::string_view input) {
  static File file;
  file.write(input);
  const auto cluster = deploy::kubernetes::read_kubeconfig(file.path(), "");
  if (!is_good(cluster)) return;
  expect(cluster->server.starts_with("https://"), "a cluster is called by HTTPS");
  expect(cluster->read != nullptr || cluster->exec.has_value(), "somebody gives credentials");
}

/// Answers of the Kubernetes API, and what a credential plugin prints.
void kubernetes(std::string_view input) {
  using namespace deploy::kubernetes;
  const auto response = response_of(input);
  const Called called{.op = "PATCH Secret web/example.com-tls",
                      .on_denied = role_to_add("patch", "web"),
                      .namespace_ = "web"};
  const auto failure = explained(response, called, now);
  expect_wait(failure.error);
  expect(failure.error.kind != Error::Kind::rejected,
         "no answer ends an issuance that has its certificate");
  if (const auto secret = read_secret(response.body)) {
    for (const auto& manager : secret->managers) {
      expect(manager.find('\n') == std::string::npos, "who writes a Secret is told on one line");
    }
    deletion_of(*secret);
  }
  read_access(response.body);

  const auto loop = runtime::make_virtual_loop(now);
  const auto run = [output = response.body](runtime::Command, Time) { return print(output); };
  ExecPlugin plugin{.api_version = "client.authentication.k8s.io/v1",
                    .arguments = {"get-token"},
                    .environment = {},
                    .install_hint = {},
                    .server = {},
                    .authority_pem = {},
                    .withheld = {}};
  const auto source = make_exec_credentials(*loop, run, std::move(plugin));
  const auto credential = loop->run(source->fetch());
  if (is_good(credential)) {
    expect(!credential->token.empty() || !credential->certificate_pem.empty(),
           "a credential tells who calls");
  }
}

}  // namespace certherd::fuzz
