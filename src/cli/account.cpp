#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <functional>
#include <memory>
#include <vector>

#include "app/lease.hpp"
#include "cli/context.hpp"

namespace certherd::cli {
namespace {

/// What stands behind the command: one instance for all subcommands, since only one is given.
struct Options {
  std::string ca;
  std::string key;
  bool anew = false;
  bool yes = false;
};

void print_account(const Context& context, const Account& account) {
  if (context.json) {
    boost::json::array contact;
    for (const auto& address : account.contact) contact.push_back(boost::json::string(address));
    boost::json::value next;
    if (account.next_key) next = account.next_key->thumbprint;
    print_json(boost::json::object{{"ca", account.ca.text()},
                                   {"directory", account.directory},
                                   {"account", account.url.text()},
                                   {"status", account.status},
                                   {"contact", std::move(contact)},
                                   {"key", to_string(account.key_type)},
                                   {"thumbprint", account.thumbprint},
                                   {"next_thumbprint", std::move(next)}});
    return;
  }
  const auto line = [](std::string_view label, std::string_view value) {
    fmt::print("{:<12} {}\n", label, value);
  };
  line("ca", account.ca.text());
  line("directory", account.directory);
  line("account", account.url.empty() ? "not registered yet" : account.url.text());
  line("status", account.status.empty() ? "-" : account.status);
  for (const auto& address : account.contact) line("contact", address);
  line("key", to_string(account.key_type));
  line("thumbprint", account.thumbprint);
  if (account.next_key) {
    line("next key", account.next_key->thumbprint +
                         ": a rotation broke off, certherd account rotate-key finishes it");
  }
}

Result<CaName> chosen(const app::App& app, const std::string& given) {
  const auto& cas = app.config().cas;
  const auto& defaults = app.config().defaults.cas;
  CaName ca(given);
  if (given.empty() && !defaults.empty()) ca = defaults.front();
  if (cas.contains(ca)) return ca;
  std::string known;
  for (const auto& [name, section] : cas) known += (known.empty() ? "" : ", ") + name.text();
  if (known.empty()) known = "none: add a section [ca.NAME]";
  return fail(Error::Kind::misconfigured, "choose a CA",
              given.empty()
                  ? fmt::format("the config has no default: name one with --ca ({})", known)
                  : fmt::format("there is no [ca.{}] in the config (there is: {})", given, known));
}

using Change = std::function<Task<Result<Account>>(app::App*, CaName)>;

Task<int> change_account(app::App* app, Context context, std::string given, Change change) {
  auto ca = chosen(*app, given);
  if (!ca) co_return report(context, ca.error());
  auto account = co_await change(app, std::move(*ca));
  if (!account) co_return report(context, account.error());
  print_account(context, *account);
  co_return all_done;
}

Task<Result<Account>> registered(app::App* app, CaName ca, bool anew) {
  return anew ? app->accounts().replace(std::move(ca))
              : app->accounts().register_again(std::move(ca));
}

Task<Result<Account>> shown(app::App* app, CaName ca) {
  auto account = co_await app->store().account(ca);
  if (!account) co_return fail(std::move(account.error()));
  if (*account) co_return std::move(**account);
  co_return fail(
      Error::Kind::not_found, "account show",
      fmt::format("there is no account at [ca.{}] yet: run certherd account register", ca));
}

Task<Result<Account>> deactivated(app::App* app, CaName ca, bool yes) {
  if (!yes) {
    co_return fail(Error::Kind::misconfigured, "account deactivate",
                   fmt::format("this cannot be undone: nobody can use the account at [ca.{}] any "
                               "more, and its orders under way are lost (certificates stay valid). "
                               "If that is meant, run it again with --yes",
                               ca));
  }
  auto ending = app->accounts().deactivate(std::move(ca));
  co_return co_await app::alone(app, std::move(ending));
}

Task<Result<Account>> rotated(app::App* app, CaName ca, std::string type) {
  std::optional<KeyType> wanted;
  if (!type.empty()) wanted = parse_key_type(type);
  auto rotation = app->accounts().rotate_key(std::move(ca), wanted);
  co_return co_await app::alone(app, std::move(rotation));
}

CLI::App* add_change(
    CLI::App& command, Context& context, const std::shared_ptr<Options>& options,
    const std::string& name, const std::string& about,
    const std::function<Task<Result<Account>>(app::App*, CaName, const Options&)>& change) {
  auto* added = command.add_subcommand(name, about);
  added->add_option("--ca", options->ca, "Section [ca.NAME]; else the default one")
      ->type_name("CA");
  added->callback([&context, options, change] {
    context.action = [&context, options, change] {
      return with_app(context, [&](app::App* app) {
        const Change chosen_change = [options, change](app::App* opened, CaName ca) {
          return change(opened, std::move(ca), *options);
        };
        return change_account(app, context, options->ca, chosen_change);
      });
    };
  });
  return added;
}

}  // namespace

void add_account(CLI::App& parent, Context& context) {
  auto* command = parent.add_subcommand("account", "The ACME account at a CA");
  require_command(*command);
  command->footer(
      "Each CA of the config has one account. Its key is sealed in the store before the CA hears\n"
      "of it. issue and run register it by themselves.\n\n"
      "Example:\n"
      "  certherd account show --ca letsencrypt-staging");
  auto options = std::make_shared<Options>();

  auto* registering =
      add_change(*command, context, options, "register",
                 "Register the account, or find it again by its key; harmless to repeat",
                 [](app::App* app, CaName ca, const Options& given) {
                   return registered(app, std::move(ca), given.anew);
                 });
  registering->add_flag("--new", options->anew,
                        "A new account with a new key in the place of one that has ended");
  registering->footer(
      "issue and run do this by themselves. To do it beforehand shows whether the CA accepts the\n"
      "contact and the terms. A CA that wants an external account bound needs eab under its "
      "section\n"
      "of the config.\n\n"
      "Examples:\n"
      "  certherd account register\n"
      "  certherd account register --ca zerossl\n"
      "  certherd account register --new        after account deactivate");

  auto* showing = add_change(
      *command, context, options, "show", "What is known of the account; asks the CA nothing",
      [](app::App* app, CaName ca, const Options&) { return shown(app, std::move(ca)); });
  showing->footer(
      "The thumbprint is that of RFC 7638.\n\n"
      "Examples:\n"
      "  certherd account show\n"
      "  certherd account show --ca letsencrypt-staging --json | jq -r .account");

  auto* updating =
      add_change(*command, context, options, "update", "Tell the CA the contact of the config",
                 [](app::App* app, CaName ca, const Options&) {
                   return app->accounts().update(std::move(ca));
                 });
  updating->footer(
      "Change contact under the CA's section first. Some CAs take it and tell it no more.\n\n"
      "Example:\n  certherd account update --ca letsencrypt");

  auto* rotating =
      add_change(*command, context, options, "rotate-key", "Give the account a new key",
                 [](app::App* app, CaName ca, const Options& given) {
                   return rotated(app, std::move(ca), given.key);
                 });
  rotating->add_option("--key", options->key, "Type of the new key; else account_key of the config")
      ->type_name("TYPE")
      ->check(CLI::IsMember({"ecdsa-p256", "ecdsa-p384", "rsa-2048", "ed25519"}));
  rotating->footer(
      "The new key is sealed in the store before the CA hears of it, and the old one goes when "
      "the\n"
      "CA has taken it. If that is broken off at any point, the next command for this CA finds "
      "out\n"
      "which key is in force, and rotate-key finishes what was begun. It refuses to run while\n"
      "another process executes. Orders under way stay: their challenge values are made anew.\n\n"
      "Examples:\n"
      "  certherd account rotate-key\n"
      "  certherd account rotate-key --key ecdsa-p384 --ca letsencrypt");

  auto* ending =
      add_change(*command, context, options, "deactivate", "End the account at the CA for good",
                 [](app::App* app, CaName ca, const Options& given) {
                   return deactivated(app, std::move(ca), given.yes);
                 });
  ending->add_flag("--yes", options->yes, "It is meant: this cannot be undone");
  ending->footer(
      "Its certificates stay valid. account register --new makes another account.\n\n"
      "Example:\n  certherd account deactivate --ca letsencrypt --yes");
}

}  // namespace certherd::cli
