#include "cli/cert.hpp"

#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <memory>

#include "cli/table.hpp"

namespace certherd::cli {
namespace {

namespace json = boost::json;

std::string joined(const std::vector<Fqdn>& names) {
  std::string text;
  for (const auto& name : names) text += (text.empty() ? "" : " ") + name.text();
  return text;
}

std::string served_text(const Certificate& certificate) {
  if (!certificate.served) return "-";
  return *certificate.served ? "yes" : "no";
}

json::object certificate_json(const Certificate& certificate) {
  json::array names;
  for (const auto& name : certificate.names) names.push_back(json::string(name.text()));
  json::value served = nullptr;
  if (certificate.served) served = *certificate.served;
  json::value revoked_at = nullptr;
  if (certificate.revoked_at) revoked_at = json::string(format_time(*certificate.revoked_at));
  json::value reason = nullptr;
  if (certificate.revocation_reason)
    reason = json::string(to_string(*certificate.revocation_reason));
  return {{"domain", certificate.domain.text()},
          {"serial", certificate.serial.text()},
          {"names", std::move(names)},
          {"issuer", certificate.issuer},
          {"not_before", format_time(certificate.not_before)},
          {"not_after", format_time(certificate.not_after)},
          {"fingerprint", certificate.fingerprint.text()},
          {"vault", json::object{{"csr", certificate.vault.csr},
                                 {"private_key", certificate.vault.private_key},
                                 {"fullchain", certificate.vault.fullchain}}},
          {"served", std::move(served)},
          {"ca", certificate.ca.text()},
          {"revoked_at", std::move(revoked_at)},
          {"revocation_reason", std::move(reason)}};
}

/// How long it is of use yet.
std::string left_text(const Certificate& certificate, Time now) {
  if (certificate.revoked_at) return "revoked";
  if (certificate.revoking()) return "being revoked";
  if (certificate.not_after <= now) return "expired";
  return format_duration(certificate.not_after - now);
}

Task<int> list(app::App* app, Context context, bool all) {
  auto certificates = co_await app->store().certificates(all);
  if (!certificates) co_return report(context, certificates.error());
  if (context.json) {
    json::array documents;
    for (const auto& certificate : *certificates) {
      documents.push_back(certificate_json(certificate));
    }
    print_json(json::object{{"certificates", std::move(documents)}});
    co_return all_done;
  }
  const Time now = app->loop().clock().now();
  Table table({"DOMAIN", "SERIAL", "NOT AFTER", "LEFT", "ISSUER", "SERVED"});
  for (const auto& certificate : *certificates) {
    table.add({certificate.domain.text(), certificate.serial.text(),
               format_time(certificate.not_after), left_text(certificate, now), certificate.issuer,
               served_text(certificate)});
  }
  table.print("no certificates yet: certherd issue gets them");
  co_return all_done;
}

void print_certificate(const Certificate& certificate) {
  const auto line = [](std::string_view label, std::string_view value) {
    fmt::print("{:<12} {}\n", label, value);
  };
  line("domain", certificate.domain.text());
  line("names", joined(certificate.names));
  line("serial", certificate.serial.text());
  line("issuer", certificate.issuer);
  line("not before", format_time(certificate.not_before));
  line("not after", format_time(certificate.not_after));
  line("fingerprint", certificate.fingerprint.text());
  line("csr", certificate.vault.csr);
  line("private key", certificate.vault.private_key);
  line("full chain", certificate.vault.fullchain);
  line("served", served_text(certificate));
  if (certificate.revocation_reason) {
    line("revoked", fmt::format("{} ({})",
                                certificate.revoked_at
                                    ? format_time(*certificate.revoked_at)
                                    : "begun, not confirmed by the CA yet: the next run asks again",
                                to_string(*certificate.revocation_reason)));
  }
}

Task<int> show(app::App* app, Context context, std::string text) {
  auto name = Fqdn::parse(text);
  if (!name) co_return report(context, name.error());
  auto row = co_await app->store().domain(*name);
  if (!row) co_return report(context, row.error());
  if (!row->certificate) {
    Error error;
    error.kind = Error::Kind::not_found;
    error.op = "cert show";
    error.detail = fmt::format("{} has no certificate yet: run certherd issue {}", *name, *name);
    co_return report(context, error);
  }
  if (context.json) {
    print_json(certificate_json(*row->certificate));
  } else {
    print_certificate(*row->certificate);
  }
  co_return all_done;
}

}  // namespace

void add_cert(CLI::App& parent, Context& context) {
  auto* command = parent.add_subcommand("cert", "The certificates");
  command->footer("Examples:\n  certherd cert list\n  certherd cert show www.example.com");
  require_command(*command);

  auto* listing = command->add_subcommand("list", "The current certificate of each domain");
  listing->footer(
      "Examples:\n"
      "  certherd cert list\n"
      "  certherd cert list --all --json | jq -r '.certificates[].serial'");
  auto all = std::make_shared<bool>(false);
  listing->add_flag("--all", *all, "The former ones too");
  listing->callback([&context, all] {
    context.action = [&context, all] {
      return with_app(context, [&](app::App* app) { return list(app, context, *all); });
    };
  });

  auto* showing = command->add_subcommand("show", "Everything about a domain's certificate");
  showing->footer(
      "Shows where its files are, never the private key itself.\n\n"
      "Example:\n"
      "  certherd cert show www.example.com");
  auto name = std::make_shared<std::string>();
  showing->add_option("NAME", *name, "A domain of the inventory")->type_name("DOMAIN")->required();
  showing->callback([&context, name] {
    context.action = [&context, name] {
      return with_app(context, [&](app::App* app) { return show(app, context, *name); });
    };
  });

  add_cert_export(*command, context);
  add_cert_revoke(*command, context);
}

}  // namespace certherd::cli
