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

constexpr std::string_view config_text =
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

# [target.nginx]
# type = "files"
# path = "/etc/nginx/certificates"        # <domain>/{privkey,fullchain}.pem
# reload = ["nginx", "-s", "reload"]

[defaults]
ca = "letsencrypt"
dns = "responder"
vault = "files"
targets = []                              # such as ["nginx"]
key = "auto"
renew_at = 0.667                          # share of a certificate's lifetime
prove_within = "90m"

[resolver]
servers = []                              # "address:port"; empty: the system's
check = "authoritative"                   # who must show the value first: authoritative, resolver, off
check_within = "10m"
)";

int init(const Context& context, const std::string& dir) {
  const auto folder = fs::absolute(dir).lexically_normal();
  if (auto made = app::create_folder(folder, config_text); !made)
    return report(context, made.error());
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
      "  certherd --config {0} domain add www.example.com\n"
      "  certherd --config {0} issue www.example.com\n",
      config);
  return all_done;
}

}  // namespace

void add_init(CLI::App& parent, Context& context) {
  auto* command =
      parent.add_subcommand("init", "Write a commented config, a seal key and an empty store");
  command->footer("Never overwrites anything.\n\nExample:\n  certherd init --dir /etc/certherd");
  auto dir = std::make_shared<std::string>(".");
  command->add_option("--dir", *dir, "The folder to write them to; else this one")
      ->type_name("DIR");
  command->callback(
      [&context, dir] { context.action = [&context, dir] { return init(context, *dir); }; });
}

}  // namespace certherd::cli
