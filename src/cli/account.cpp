#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <memory>

#include "cli/context.hpp"

namespace certherd::cli {
namespace {

void print_account(const Context& context, const Account& account) {
  if (context.json) {
    boost::json::array contact;
    for (const auto& address : account.contact) contact.push_back(boost::json::string(address));
    print_json(boost::json::object{{"ca", account.ca.text()},
                                   {"directory", account.directory},
                                   {"account", account.url.text()},
                                   {"status", account.status},
                                   {"contact", std::move(contact)},
                                   {"key", to_string(account.key_type)},
                                   {"thumbprint", account.thumbprint}});
    return;
  }
  const auto line = [](std::string_view label, std::string_view value) {
    fmt::print("{:<12} {}\n", label, value);
  };
  line("ca", account.ca.text());
  line("directory", account.directory);
  line("account", account.url.empty() ? "not registered yet" : account.url.text());
  line("status", account.status);
  for (const auto& address : account.contact) line("contact", address);
  line("key", to_string(account.key_type));
  line("thumbprint", account.thumbprint);
}

CaName chosen(const app::App& app, const std::string& given) {
  return given.empty() ? app.config().defaults.ca : CaName(given);
}

Task<int> register_account(app::App* app, Context context, std::string given) {
  auto account = co_await app->accounts().register_again(chosen(*app, given));
  if (!account) co_return report(context, account.error());
  print_account(context, *account);
  co_return all_done;
}

Task<int> show_account(app::App* app, Context context, std::string given) {
  const auto ca = chosen(*app, given);
  auto account = co_await app->store().account(ca);
  if (!account) co_return report(context, account.error());
  if (!*account) {
    Error error;
    error.kind = Error::Kind::not_found;
    error.op = "account show";
    error.detail =
        fmt::format("there is no account at [ca.{}] yet: run certherd account register", ca);
    co_return report(context, error);
  }
  print_account(context, **account);
  co_return all_done;
}

}  // namespace

void add_account(CLI::App& parent, Context& context) {
  auto* command = parent.add_subcommand("account", "The ACME account at a CA");
  command->footer("Example:\n  certherd account show --ca letsencrypt-staging");
  require_command(*command);
  auto ca = std::make_shared<std::string>();

  auto* registering = command->add_subcommand(
      "register", "Register the account, or find it again by its key; harmless to repeat");
  registering->footer(
      "issue and run do this by themselves. To do it beforehand shows whether the CA accepts the\n"
      "contact and the terms.\n\n"
      "Example:\n"
      "  certherd account register --ca letsencrypt-staging");
  registering->add_option("--ca", *ca, "Section [ca.NAME]; else the default one")->type_name("CA");
  registering->callback([&context, ca] {
    context.action = [&context, ca] {
      return with_app(context, [&](app::App* app) { return register_account(app, context, *ca); });
    };
  });

  auto* showing = command->add_subcommand("show", "What is known of the account");
  showing->footer(
      "Asks the store alone. The thumbprint is that of RFC 7638.\n\n"
      "Examples:\n"
      "  certherd account show\n"
      "  certherd account show --ca letsencrypt-staging --json | jq -r .account");
  showing->add_option("--ca", *ca, "Section [ca.NAME]; else the default one")->type_name("CA");
  showing->callback([&context, ca] {
    context.action = [&context, ca] {
      return with_app(context, [&](app::App* app) { return show_account(app, context, *ca); });
    };
  });
}

}  // namespace certherd::cli
