#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "cli/cert.hpp"
#include "cli/confirm.hpp"
#include "cli/work_command.hpp"
#include "model/serial.hpp"

namespace certherd::cli {
namespace {

struct Options {
  std::string name;
  std::string serial;
  std::string reason = "unspecified";
  bool by_key = false;
  bool yes = false;
};

tl::unexpected<Error> refused(std::string detail) {
  return fail(Error::Kind::misconfigured, "cert revoke", std::move(detail));
}

Result<RevocationReason> reason_of(const std::string& text) {
  const auto reason = parse_revocation_reason(text);
  if (reason) return *reason;
  return refused(
      fmt::format("\"{}\" is no reason that a subscriber may give: unspecified (0), keyCompromise "
                  "(1), affiliationChanged (3), superseded (4), cessationOfOperation (5)",
                  text));
}

// The request, held against what is known: a mistake in it must not cost a certificate.
Task<Result<WorkRequest>> request_of(app::App* app, Options options) {
  auto reason = reason_of(options.reason);
  if (!reason) co_return fail(std::move(reason.error()));
  auto name = Fqdn::parse(options.name);
  if (!name) co_return fail(std::move(name.error()));
  auto row = co_await app->store().domain(*name);
  if (!row) co_return fail(std::move(row.error()));
  auto request = request_for(row->domain, WorkRequest::Kind::revoke);
  request.arguments.reason = *reason;
  request.arguments.by_key = options.by_key;
  if (!options.serial.empty()) {
    auto serial = parse_serial(options.serial);
    if (!serial) co_return refused(fmt::format("\"{}\" is no serial", options.serial));
    request.arguments.serial = std::move(*serial);
  } else {
    if (!row->certificate) {
      co_return fail(Error::Kind::not_found, "cert revoke",
                     fmt::format("{} has no certificate", *name));
    }
    request.arguments.serial = row->certificate->serial;
  }
  auto certificate = co_await app->store().certificate(row->domain.id, request.arguments.serial);
  if (!certificate) co_return fail(std::move(certificate.error()));
  co_return request;
}

Task<int> revoke(app::App* app, Context context, Options options) {
  auto request = co_await request_of(app, options);
  if (!request) co_return report(context, request.error());
  const auto question =
      fmt::format("Revoke certificate {} of {} ({})? This cannot be undone.",
                  request->arguments.serial, request->domain, to_string(request->arguments.reason));
  if (!options.yes && !confirmed(context, question)) {
    Error error;
    error.kind = Error::Kind::misconfigured;
    error.op = "cert revoke";
    error.detail = "not confirmed, so nothing was done";
    co_return report(context, error);
  }
  co_return co_await carry_out(app, context, {std::move(*request)});
}

}  // namespace

void add_cert_revoke(CLI::App& cert, Context& context) {
  auto* command = cert.add_subcommand("revoke", "Have a certificate revoked by its CA");
  command->footer(
      "REASON is a name or number of RFC 5280: unspecified (0), keyCompromise (1),\n"
      "affiliationChanged (3), superseded (4), cessationOfOperation (5). Not every CA takes all "
      "of\n"
      "them. The account signs; with keyCompromise, with --by-key, and when the account is gone,\n"
      "the certificate's own key. After keyCompromise the key is never used again. The domain is\n"
      "due at once: certherd run --once gets it a new certificate.\n\n"
      "Examples:\n"
      "  certherd cert revoke www.example.com --reason keyCompromise\n"
      "  certherd cert revoke www.example.com --serial 03ab12 --reason superseded");
  auto options = std::make_shared<Options>();
  command->add_option("NAME", options->name, "A domain of the inventory")
      ->type_name("DOMAIN")
      ->required();
  command->add_option("--serial", options->serial, "A former certificate; else the present one")
      ->type_name("SERIAL");
  command->add_option("--reason", options->reason, "Why, by name or number")->type_name("REASON");
  command->add_flag("--by-key", options->by_key,
                    "Signed by the certificate's key; it is not used again either");
  command->add_flag("--yes", options->yes, "Do not ask, on a terminal, whether it is meant");
  command->callback([&context, options] {
    context.action = [&context, options] {
      return with_app(context, [&](app::App* app) { return revoke(app, context, *options); });
    };
  });
}

}  // namespace certherd::cli
