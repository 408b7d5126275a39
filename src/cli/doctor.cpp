#include "app/doctor/doctor.hpp"

#include <fmt/core.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <csignal>
#include <memory>
#include <span>

#include "base/log.hpp"
#include "cli/context.hpp"
#include "cli/progress.hpp"
#include "cli/table.hpp"
#include "cli/text.hpp"
#include "runtime/signals.hpp"
#include "runtime/task_group.hpp"

namespace certherd::cli {
namespace {

using app::Finding;
using app::Verdict;

constexpr int signal_status = 128;

struct Options {
  std::vector<std::string> names;
  bool all = false;
  bool write_test = false;
};

Task<Result<std::vector<Domain>>> domains_of(app::App* app, std::vector<std::string> names) {
  std::vector<Domain> domains;
  if (names.empty()) {
    auto rows = co_await app->store().domains();
    if (!rows) co_return fail(std::move(rows.error()));
    for (auto& row : *rows) {
      if (row.domain.enabled) domains.push_back(std::move(row.domain));
    }
    co_return domains;
  }
  domains.reserve(names.size());
  for (const auto& text : names) {
    auto name = Fqdn::parse(text);
    if (!name) co_return fail(std::move(name.error()));
    auto row = co_await app->store().domain(*name);
    if (!row) co_return fail(std::move(row.error()));
    domains.push_back(std::move(row->domain));
  }
  co_return domains;
}

Task<void> watch_signals(runtime::EventLoop* loop, app::Doctor* doctor, int* signal) {
  *signal = co_await runtime::wait_for_termination(loop);
  log::info("ending what is under way (once more to end at once)");
  doctor->interrupt();
  // A value that a test has written stands in the ledger, from where the next run removes it.
  _exit(signal_status + co_await runtime::wait_for_termination(loop));
}

std::string progress_of(const app::Doctor& doctor, Duration elapsed) {
  const auto progress = doctor.progress();
  auto text = fmt::format("{}/{} domains examined", progress.finished, progress.total);
  if (progress.failed > 0) text += fmt::format(" · {} failed", progress.failed);
  return text + " · " + format_duration(std::chrono::floor<std::chrono::seconds>(elapsed));
}

Verdict::Status worst(std::span<const Finding> findings) {
  auto status = Verdict::Status::ok;
  for (const auto& finding : findings) status = std::max(status, finding.verdict.status);
  return status;
}

/// `text` behind a margin of `indent` columns, in as many lines as the terminal needs.
void print_indented(std::size_t indent, std::string_view first, const std::string& text) {
  const auto width = terminal_width();
  const auto room = indent + display_width(first);
  const auto lines = width > room + 20 ? wrap(text, width - room) : std::vector{text};
  for (std::size_t i = 0; i < lines.size(); ++i) {
    fmt::print("{:{}}{}{}\n", "", indent,
               i == 0 ? std::string(first) : std::string(display_width(first), ' '), lines[i]);
  }
}

void print_finding(const Finding& finding) {
  const auto& [status, text, remedy] = finding.verdict;
  print_indented(2, fmt::format("{:<9}", to_string(status)),
                 fmt::format("{} {}: {}", finding.check, finding.subject, text));
  if (!remedy.empty()) print_indented(11, "→ ", remedy);
}

/// One line where all is well, unless everything is asked for.
void print_group(std::string_view title, std::span<const Finding> findings, bool all) {
  const auto status = worst(findings);
  fmt::print("{:<9}{}\n", to_string(status), title);
  for (const auto& finding : findings) {
    if (all || finding.verdict.status != Verdict::Status::ok) print_finding(finding);
  }
}

void print_findings(const std::vector<Finding>& findings, bool all) {
  for (auto group = findings.begin(); group != findings.end();) {
    const auto end = std::find_if(group, findings.end(), [&group](const Finding& finding) {
      return finding.domain != group->domain;
    });
    const auto title = group->domain.empty() ? "what the domains need" : group->domain.text();
    print_group(title, {group, end}, all);
    group = end;
  }
  auto counts = app::count_domains(findings);
  fmt::print("{} ok · {} with warnings · {} failed\n", counts[Verdict::Status::ok],
             counts[Verdict::Status::warning], counts[Verdict::Status::failed]);
}

Task<int> examine(app::App* app, Context context, Options options) {
  const bool every_section = options.names.empty();
  auto domains = co_await domains_of(app, std::move(options.names));
  if (!domains) co_return report(context, domains.error());
  app::Doctor doctor(*app, {.write_test = options.write_test, .every_section = every_section});
  int signal = 0;
  Result<std::vector<Finding>> findings;
  {
    const auto text = [&doctor](Duration elapsed) { return progress_of(doctor, elapsed); };
    ProgressDisplay display(app->loop().clock(), text, context.quiet);
    runtime::TaskGroup background(app->loop());
    background.spawn(watch_signals(&app->loop(), &doctor, &signal));
    background.spawn(display.run());
    findings = co_await doctor.examine(std::move(*domains));
    background.cancel();
    co_await background.join();
  }
  if (!findings) co_return report(context, findings.error());
  if (context.json) {
    print_json(app::to_json(*findings));
  } else {
    print_findings(*findings, options.all || context.verbose);
  }
  if (signal == SIGINT) co_return interrupted;
  co_return worst(*findings) == Verdict::Status::failed ? some_failed : all_done;
}

}  // namespace

void add_doctor(CLI::App& parent, Context& context) {
  auto* command = parent.add_subcommand(
      "doctor", "Look at all that a certificate will need, before an order is spent");
  command->footer(
      "Looks at the delegation of each name, its CAA records, where its challenge name leads and\n"
      "who may write there, and at CA, account, vault, targets and clock. Without names: at every\n"
      "enabled domain and every section of the config. Changes nothing, and works beside a "
      "running\n"
      "certherd. A responder answers only while certherd works, so the doctor answers in its "
      "place\n"
      "unless another process does. With --write-test a TXT value is written at each challenge\n"
      "name, seen on every name server, and removed; not while another process works.\n"
      "Exit status 1 when anything has failed; warnings alone are no failure.\n\n"
      "Examples:\n"
      "  certherd doctor\n"
      "  certherd doctor --all www.example.com\n"
      "  certherd doctor --json | jq -r '.checks[] | select(.status == \"failed\") | .finding'");
  auto options = std::make_shared<Options>();
  command->add_option("NAME", options->names, "Domains of the inventory")->type_name("DOMAIN");
  command->add_flag("--all", options->all, "Show what is well, too");
  command->add_flag("--write-test", options->write_test,
                    "Write a TXT value at each challenge name, see it, and remove it");
  command->callback([&context, options] {
    context.action = [&context, options] {
      return with_app(context, [&](app::App* app) { return examine(app, context, *options); });
    };
  });
}

}  // namespace certherd::cli
