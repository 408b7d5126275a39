#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <filesystem>
#include <memory>

#include "app/create.hpp"
#include "cli/context.hpp"

namespace certherd::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view head =
    R"(# certherd.toml - relative paths are relative to this folder.
# A secret never stands here, only where it is: { env = "NAME" } or { file = "PATH" }.

[store]
url = "sqlite:state.db"
seal_key = { file = "certherd.key" }      # seals private keys at rest: keep a copy in a safe place

[ca.letsencrypt]
directory = "https://acme-v02.api.letsencrypt.org/directory"
contact = []                              # such as ["ops@example.com"]
terms_of_service_agreed = false           # read https://letsencrypt.org/repository/, then set true
# account_key = "ecdsa-p256"              # ecdsa-p384, rsa-2048; ed25519 at CAs that take it
# eab = { kid = "K1", hmac = { env = "EAB_HMAC" } }   # where the CA binds an external account
# profile = "tlsserver"                   # one of the CA's; without it the CA chooses
# preferred_chain = "ISRG Root X1"        # by the topmost issuer's name
# finalize_within = "3m"
# max_in_flight = 500                     # orders open at one time
# requests_at_once = 64                   # exchanges with the CA under way at one time
# trust = "roots.pem"                     # further roots for the CA's own HTTPS

[ca.letsencrypt-staging]                  # for trying things out: not trusted by browsers
directory = "https://acme-staging-v02.api.letsencrypt.org/directory"
terms_of_service_agreed = false
)";

constexpr std::string_view own_machine = R"(
# certherd answers for these zones itself. Delegate the zone to this machine by an NS record, then
# point each challenge name into it:
#   _acme-challenge.www.example.com. CNAME www-example-com.acme.example.net.
[dns.responder]
type = "responder"
listen = ["0.0.0.0:53"]
zones = ["acme.example.net"]
nameservers = ["ns1.acme.example.net"]
addresses = []                            # public address of this machine, such as ["192.0.2.1"]

[vault.files]
type = "directory"
path = "certificates"                     # certificates/<domain>/{csr,private_key,fullchain}.pem
)";

constexpr std::string_view amazon = R"(
# Credentials, region and endpoints are found as every AWS SDK finds them: environment, shared
# files, roles, container, instance. docs/aws-policy.json is the policy that this takes.
[dns.aws]
type = "route53"
# requests_per_second = 4.5               # of the account's 5: budgets are kept per AWS account
# profile = "ops"
# role_arn = "arn:aws:iam::123456789012:role/certherd"

[vault.aws]
type = "aws-secrets-manager"
prefix = "tls/"                           # tls/<domain>/{csr,private_key,fullchain}
# layout = "bundle"                       # one secret for each domain: a JSON document
# region = "eu-west-1"                    # otherwise AWS_REGION, or that of the profile
# kms_key_id = "alias/certherd"
)";

constexpr std::string_view targets = R"(
# [target.nginx]
# type = "files"
# path = "/etc/nginx/certificates"        # <domain>/{privkey,fullchain}.pem
# reload = ["nginx", "-s", "reload"]
# bundle = "haproxy"                      # further files, as these servers read them: nginx, haproxy,
#                                         # apache (before 2.4.8), lighttpd, or a list of them
# owner = "root:www-data"
# mode = "0640"

# [target.fastly]                         # docs/fastly.md
# type = "fastly"
# token = { env = "FASTLY_API_TOKEN" }
# configuration_id = ""                   # of TLS; otherwise the default one
# endpoints = ["j.sni.global.fastly.net"] # where it is looked whether the new one is served

# [target.edge]                           # installed by a program: docs/targets.md
# type = "exec"
# command = ["./install.sh"]
# actions = ["install"]                   # what it can do besides: observe, retire, check
# timeout = "60s"
# at_once = 4
# keys = ["ecdsa-p256", "rsa-2048"]       # types that the place takes; otherwise all

# [notify.ops]                            # who is told when something is wrong: docs/notify.md
# type = "smtp"                           # or "webhook" with a url
# url = "smtp://mail.example.com:587"
# user = "certherd"
# password = { env = "MAIL_PASSWORD" }
# from = "certherd@example.com"
# to = ["ops@example.com"]
# events = ["failing", "expiring", "not-served", "account", "recovered"]

[defaults]
)";

constexpr std::string_view tail = R"(targets = []                              # such as ["nginx"]
key = "auto"                              # what all targets take; "keep" the present one; or a type
renew_at = 0.667                          # share of a certificate's lifetime
prove_within = "90m"

[resolver]
servers = []                              # "address:port"; empty: the system's
check = "authoritative"                   # who must show the value first: authoritative, resolver, off
check_within = "10m"
)";

struct Options {
  std::string dir = ".";
  bool aws = false;
};

std::string config_text(const Options& options) {
  const std::string defaults =
      options.aws ? "ca = \"letsencrypt-staging\"              # \"letsencrypt\" once it works\n"
                    "dns = \"aws\"\nvault = \"aws\"\n"
                  : "ca = \"letsencrypt\"\ndns = \"responder\"\nvault = \"files\"\n";
  return fmt::format("{}{}{}{}{}", head, options.aws ? amazon : own_machine, targets, defaults,
                     tail);
}

int init(const Context& context, const Options& options) {
  const auto folder = fs::absolute(options.dir).lexically_normal();
  if (auto made = app::create_folder(folder, config_text(options)); !made) {
    return report(context, made.error());
  }
  const auto config = (folder / "certherd.toml").string();
  if (context.json) {
    print_json(boost::json::object{{"config", config},
                                   {"seal_key", (folder / "certherd.key").string()},
                                   {"store", (folder / "state.db").string()}});
    return all_done;
  }
  fmt::print(
      "{0} written, with a seal key and an empty store beside it.\n"
      "Next: edit it, then\n"
      "  certherd --config {0} config check\n"
      "  certherd --config {0} domain {1}\n"
      "  certherd --config {0} issue www.example.com\n",
      config, options.aws ? "discover --add" : "add www.example.com");
  return all_done;
}

}  // namespace

void add_init(CLI::App& parent, Context& context) {
  auto* command =
      parent.add_subcommand("init", "Write a commented config, a seal key and an empty store");
  command->footer(
      "Never overwrites anything. The config is for this machine alone, with certherd answering\n"
      "the challenges itself and files as the vault, or with --aws for Route 53 and AWS Secrets\n"
      "Manager. Both can be changed, and mixed, later.\n\n"
      "Examples:\n"
      "  certherd init --dir /etc/certherd\n"
      "  certherd init --aws --dir herd");
  auto options = std::make_shared<Options>();
  command->add_option("--dir", options->dir, "The folder to write them to; else this one")
      ->type_name("DIR");
  command->add_flag("--aws", options->aws, "A config for Route 53 and AWS Secrets Manager");
  command->callback([&context, options] {
    context.action = [&context, options] { return init(context, *options); };
  });
}

}  // namespace certherd::cli
