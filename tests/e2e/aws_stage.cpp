#include "aws_stage.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <cstdlib>
#include <filesystem>

#include "app/create.hpp"

namespace certherd::e2e {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;
using namespace std::chrono_literals;

constexpr auto start_within = 60s;
constexpr auto check_within = 60s;

/// Where scripts/setup puts moto and boto3.
std::string python() {
  const char* home = std::getenv("HOME");
  return fs::path(home == nullptr ? "" : home) / ".local/share/certherd/aws-venv/bin/python";
}

std::string script(std::string_view name) { return fs::path(CERTHERD_AWS_TESTS) / name; }

/// Whatever the tester's shell says of AWS is not for this one.
std::set<std::string> variables_of_aws() {
  std::set<std::string> names;
  for (char** each = environ; *each != nullptr; ++each) {
    const std::string_view text = *each;
    if (text.starts_with("AWS_")) names.emplace(text.substr(0, text.find('=')));
  }
  return names;
}

std::string text_at(const json::value& document, std::string_view member) {
  return std::string(document.at(member).as_string());
}

}  // namespace

void OnAwsStage::start_aws(Options options) {
  for (const auto& name : variables_of_aws()) unsetenv(name.c_str());
  runtime::Command command;
  command.arguments = {python(), script("aws_stage.py"), path("aws.json")};
  command.log_file = path("aws.log");
  auto child = runtime::Child::start(loop(), command);
  ASSERT_TRUE(child) << child.error().message() << "\nremedy: scripts/setup test";
  aws_ = std::move(*child);
  const bool ready = eventually(
      loop(), start_within, [this] { return aws_->exit_status() || fs::exists(path("aws.json")); });
  ASSERT_TRUE(ready && !aws_->exit_status()) << content_of(path("aws.log"));
  const auto addresses = json::parse(content_of(path("aws.json")));
  aws_url_ = text_at(addresses, "aws");
  dns_server_ = text_at(addresses, "dns");

  fs::create_directory(path("pebble"));
  demo::PebbleOptions ca;
  ca.folder = path("pebble");
  ca.dns_server = dns_server_;
  ca.environment = std::move(options.pebble);
  auto pebble = loop().run(demo::PebbleServer::start(loop_.get(), offload_.get(), std::move(ca)));
  ASSERT_TRUE(pebble) << pebble.error().message();
  pebble_ = std::move(*pebble);
  write_file(path("pebble-https-root.pem"), pebble_->trust_pem());

  environment_ = {{"AWS_ENDPOINT_URL", aws_url_},
                  {"AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"},
                  {"AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"},
                  {"AWS_REGION", "eu-west-1"},
                  {"AWS_EC2_METADATA_DISABLED", "true"},
                  {"AWS_CONFIG_FILE", path("aws-config")},
                  {"AWS_SHARED_CREDENTIALS_FILE", path("aws-credentials")}};
}

void OnAwsStage::set_aws_stage(Options options) {
  ASSERT_NO_FATAL_FAILURE(start_aws(options));
  const auto created = app::create_folder(folder(), config(options));
  ASSERT_TRUE(created) << created.error().message();
}

std::string OnAwsStage::config(const Options& options) const {
  return fmt::format(
      "[store]\n"
      "url = \"sqlite:state.db\"\n"
      "seal_key = {{ file = \"certherd.key\" }}\n\n"
      "[ca.pebble]\n"
      "directory = \"{directory}\"\n"
      "contact = [\"ops@example.com\"]\n"
      "terms_of_service_agreed = true\n"
      "trust = \"pebble-https-root.pem\"\n"
      "requests_at_once = 1   # Pebble hangs now and then on more\n\n"
      "[dns.aws]\n"
      "type = \"route53\"\n"
      "requests_per_second = {rate}\n\n"
      "[vault.aws]\n"
      "type = \"aws-secrets-manager\"\n\n"
      "[defaults]\n"
      "ca = \"pebble\"\n"
      "dns = \"aws\"\n"
      "vault = \"aws\"\n"
      "targets = []\n\n"
      "[resolver]\n"
      "servers = [\"{dns}\"]\n"
      "authoritative_port = {port}\n"
      "check_within = \"1m\"\n",
      fmt::arg("directory", pebble_->directory_url()),
      fmt::arg("rate", options.requests_per_second), fmt::arg("dns", dns_server_),
      fmt::arg("port", dns_server_.substr(dns_server_.find(':') + 1)));
}

void OnAwsStage::TearDown() {
  if (pebble_) loop().run(pebble_->stop());
  if (!aws_) return;
  EXPECT_FALSE(aws_->exit_status()) << "moto has ended";
  EXPECT_EQ(content_of(path("aws.log")), "") << "moto has failed";
  loop().run(aws_->stop(5s));
}

json::value OnAwsStage::check(const std::string& command, const json::value& input) {
  write_file(path("check.in"), json::serialize(input));
  runtime::Command call;
  call.arguments = {"sh",     "-c",     R"("$@" <"$IN" >"$OUT")",
                    "sh",     python(), script("aws_check.py"),
                    aws_url_, command};
  call.environment = {{"IN", path("check.in")}, {"OUT", path("check.out")}};
  const Time deadline = loop().clock().now() + check_within;
  auto ended = loop().run(runtime::run_command(loop_.get(), std::move(call), deadline));
  if (!ended || ended->exit_status != 0) {
    ADD_FAILURE() << command << ": " << (ended ? ended->output : ended.error().message());
    return nullptr;
  }
  return json::parse(content_of(path("check.out")));
}

std::vector<std::string> OnAwsStage::make_zones(const std::vector<HostedZone>& zones) {
  json::array wanted;
  for (const auto& zone : zones) {
    wanted.push_back(
        {{"name", zone.name}, {"private", zone.is_private}, {"comment", zone.comment}});
  }
  return json::value_to<std::vector<std::string>>(check("zones", wanted));
}

void OnAwsStage::put(const std::vector<RecordSet>& sets) {
  json::array wanted;
  for (const auto& each : sets) {
    wanted.push_back({{"zone_id", each.zone_id},
                      {"name", each.name},
                      {"type", each.type},
                      {"values", json::value_from(each.values)}});
  }
  check("put", wanted);
}

Texts OnAwsStage::texts() {
  Texts found;
  const auto sets = check("texts", json::object());
  for (const auto& each : sets.as_array()) {
    for (const auto& value : each.at("values").as_array()) {
      found[text_at(each, "name")].emplace(value.as_string());
    }
  }
  return found;
}

json::object OnAwsStage::imported() { return check("acm", json::object()).as_object(); }

json::object OnAwsStage::secrets() { return check("secrets", {{"prefix", "tls/"}}).as_object(); }

}  // namespace certherd::e2e
