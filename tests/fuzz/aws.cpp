#include <algorithm>

#include "aws/failure.hpp"
#include "aws/json_credentials.hpp"
#include "aws/session.hpp"
#include "aws/shared_file.hpp"
#include "aws/sts.hpp"
#include "aws/words.hpp"
#include "deploy/acm/api.hpp"
#include "deploy/acm/failure.hpp"
#include "dns/route53/errors.hpp"
#include "fakes/memory_budget.hpp"
#include "fuzz/fuzz.hpp"
#include "fuzz/targets.hpp"
#include "runtime/virtual_loop.hpp"
#include "vault/secrets_manager/failure.hpp"
#include "vault/secrets_manager/secrets_manager.hpp"

namespace certherd::fuzz {
namespace {

/// A session whose every call is answered by the next part of an input.
class Stage {
 public:
  explicit Stage(std::string_view input) : http_(input) {}

  aws::Session& session() { return session_; }
  runtime::Budget& budget() { return budget_; }
  void run(Task<void> task) { loop_->run(std::move(task)); }

 private:
  static aws::Settings settings() {
    aws::Settings settings;
    settings.profile = "default";
    settings.region = "eu-central-1";
    settings.max_attempts = 2;
    return settings;
  }
  static aws::Credentials keys() {
    aws::Credentials credentials;
    credentials.access_key_id = "AKIDEXAMPLE";
    credentials.secret_access_key = Secret<std::string>("secret");
    credentials.source = "the fuzzer";
    return credentials;
  }

  std::unique_ptr<runtime::EventLoop> loop_ = runtime::make_virtual_loop(now);
  std::unique_ptr<runtime::Offload> offload_ = runtime::make_inline_offload();
  runtime::SeededRandom random_{1};
  CannedHttp http_;
  fakes::MemoryBudget budget_{loop_->clock()};
  aws::Session session_{*loop_, *offload_, random_, http_, settings(), keys()};
};

// As src/aws/failure.cpp has it, for all services of AWS.
constexpr auto longest_wait = std::chrono::hours(24);

void expect_failure(const aws::Failure& failure) {
  expect_told(failure.error);
  const auto& at = failure.error.retry_at;
  if (at) {
    expect(*at >= now && *at <= now + longest_wait, "AWS makes us wait for a bounded time");
  }
}

template <typename T>
bool is_good(const tl::expected<T, aws::Failure>& answer) {
  if (!answer) expect_told(answer.error().error);
  return answer.has_value();
}
using fuzz::is_good;

Task<void> use_acm(deploy::acm::Api* api) {
  const auto page = co_await api->list("", 1000);
  if (is_good(page)) {
    for (const auto& each : page->certificates) {
      expect(!each.arn.empty(), "a certificate has an ARN");
    }
  }
  is_good(co_await api->describe("arn:aws:acm:eu-central-1:123456789012:certificate/1"));
  is_good(co_await api->tags("arn:aws:acm:eu-central-1:123456789012:certificate/1"));
  is_good(co_await api->leaf("arn:aws:acm:eu-central-1:123456789012:certificate/1"));
  deploy::acm::Api::NewCertificate wanted{.arn = {},
                                          .leaf = "leaf",
                                          .chain = {},
                                          .key = Secret<std::string>("key"),
                                          .tags = {{"managed-by", "certherd"}}};
  const auto made = co_await api->import(std::move(wanted));
  if (is_good(made)) expect(!made->empty(), "what was imported has an ARN");
  is_good(co_await api->remove("arn:aws:acm:eu-central-1:123456789012:certificate/1"));
}

Task<void> use_vault(vault::SecretsManagerVault* vault) {
  const auto domain = Fqdn::literal("example.org");
  is_good(co_await vault->load(domain));
  is_good(co_await vault->describe(domain));
  const auto account = co_await vault->load_account(CaName("le"));
  if (is_good(account) && *account) {
    expect(!(*account)->directory.empty() && !(*account)->key.empty(), "an account is whole");
  }
  Material material{.csr = "csr", .private_key = Secret<std::string>("key"), .fullchain = "chain"};
  vault::Version version{.key = "03ab12"};
  is_good(co_await vault->store(domain, std::move(material), std::move(version)));
}

void credentials(const aws::Credentials& read) {
  expect(!read.access_key_id.empty() && !read.secret_access_key.empty(), "credentials are whole");
}

}  // namespace

/// Certificate Manager, each of whose answers is the next part.
void acm(std::string_view input) {
  Stage stage(input);
  deploy::acm::Api api(stage.session(), stage.budget());
  stage.run(use_acm(&api));
}

/// Secrets Manager, the same, in both layouts.
void secrets_manager(std::string_view input) {
  using Layout = vault::SecretsManagerOptions::Layout;
  for (const auto layout : {Layout::separate, Layout::bundle}) {
    Stage stage(input);
    const auto vault = vault::make_secrets_manager(
        stage.session(), {.prefix = "tls/", .layout = layout, .kms_key_id = {}}, stage.budget());
    stage.run(use_vault(vault.get()));
  }
}

/// An answer that is no success, of any service.
void aws_failure(std::string_view input) {
  const auto response = response_of(input);
  const auto failure = aws::read_failure("GetChange", response, now);
  expect_failure(failure);
  expect_told(dns::route53::to_error(failure));
  dns::route53::wants_a_gap(failure);
  dns::route53::is_about_the_batch(failure);
  const auto by_vault = vault::secrets_manager::explained(failure);
  expect_failure(by_vault);
  const auto by_acm = deploy::acm::explained(failure);
  expect_failure(by_acm);
  for (const auto* explained : {&by_vault, &by_acm}) {
    expect(explained->error.kind != Error::Kind::rejected,
           "no answer ends an issuance that has its certificate");
  }
}

/// Credentials as processes, metadata services and STS give them; and a command line of a profile.
void aws_credentials(std::string_view input) {
  const std::string text(input);
  for (const auto* token : {"SessionToken", "Token"}) {
    if (const auto read = aws::read_json_credentials(text, token)) credentials(*read);
  }
  aws::json_member(text, "Version");
  if (const auto read = aws::read_sts_credentials(text); is_good(read)) credentials(*read);
  if (const auto account = aws::read_sts_account(text); is_good(account)) {
    expect(account->find_first_not_of("0123456789") == std::string::npos, "an account is a number");
  }
  if (const auto words = aws::split_words(input); is_good(words)) {
    for (const auto& word : *words) expect(word.size() <= input.size(), "words are of the line");
  }
}

/// The shared files of all AWS SDKs.
void aws_shared_file(std::string_view input) {
  using enum aws::SharedFileKind;
  for (const auto kind : {config, credentials}) {
    const auto read = aws::parse_shared_file(input, kind, "/home/ops/.aws/config");
    if (!is_good(read)) continue;
    for (const auto& [name, profile] : read->profiles) {
      for (const auto& [key, value] : profile) {
        expect(std::ranges::none_of(key, [](char c) { return c >= 'A' && c <= 'Z'; }),
               "keys are in lower case");
      }
    }
  }
}

}  // namespace certherd::fuzz
