#include "deploy/exec/exec.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <exception>
#include <map>
#include <utility>

#include "base/private_folder.hpp"
#include "crypto/x509.hpp"
#include "deploy/command_words.hpp"
#include "deploy/exec/answer.hpp"
#include "runtime/find_program.hpp"
#include "runtime/finished_before.hpp"
#include "runtime/process.hpp"
#include "runtime/slots.hpp"
#include "runtime/timeouts.hpp"
#include "runtime/wakeup.hpp"

namespace certherd::deploy {
namespace {

using Variables = std::map<std::string, std::string>;

constexpr std::array<std::pair<std::string_view, Action>, 4> actions_by_name = {{
    {"install", Action::install},
    {"retire", Action::retire},
    {"observe", Action::observe},
    {"check", Action::check},
}};

// All that we may set: none of them comes from our own environment by chance.
constexpr std::array our_variables = {
    "CERTHERD_ACTION",      "CERTHERD_DOMAIN",      "CERTHERD_NAMES",     "CERTHERD_SERIAL",
    "CERTHERD_NOT_AFTER",   "CERTHERD_PRIVATE_KEY", "CERTHERD_FULLCHAIN", "CERTHERD_CHAIN",
    "CERTHERD_CERTIFICATE", "CERTHERD_CSR",
};

constexpr Duration removal_patience = std::chrono::seconds(10);

/// A certificate as the program gets it.
struct Handover {
  PrivateFolder folder;
  Variables variables;
};

Result<Handover> hand_over(const Material& material) {
  auto chain = crypto::read_chain(material.fullchain);
  if (!chain) return fail(std::move(chain.error()));
  auto parts = crypto::split_chain(material.fullchain);
  if (!parts) return fail(std::move(parts.error()));
  auto folder = PrivateFolder::make({
      {"privkey.pem", material.private_key},
      {"fullchain.pem", Secret<std::string>(material.fullchain)},
      {"cert.pem", Secret<std::string>(parts->leaf)},
      {"chain.pem", Secret<std::string>(parts->others)},
      {"csr.pem", Secret<std::string>(material.csr)},
  });
  if (!folder) return fail(std::move(folder.error()));
  const auto path = [&folder](const char* name) { return (folder->path() / name).string(); };
  Variables variables = {
      {"CERTHERD_NAMES", fmt::format("{}", fmt::join(chain->front().names, " "))},
      {"CERTHERD_NOT_AFTER", format_time(chain->front().not_after)},
      {"CERTHERD_PRIVATE_KEY", path("privkey.pem")},
      {"CERTHERD_FULLCHAIN", path("fullchain.pem")},
      {"CERTHERD_CERTIFICATE", path("cert.pem")},
      {"CERTHERD_CHAIN", path("chain.pem")},
      {"CERTHERD_CSR", path("csr.pem")},
  };
  return Handover{std::move(*folder), std::move(variables)};
}

/// A script that shows its commands may show the key as well.
bool holds_key(std::string_view output) {
  return output.find("PRIVATE KEY-----") != std::string_view::npos;
}

class Exec final : public Target {
 public:
  Exec(runtime::EventLoop& loop, runtime::Offload& offload, ExecOptions options)
      : loop_(loop),
        offload_(offload),
        options_(std::move(options)),
        slots_(loop, options_.at_once),
        stopping_(loop),
        idle_(loop) {
    for (const auto* name : our_variables) options_.withheld.insert(name);
    PrivateFolder::remove_abandoned();
  }

  Task<Result<std::optional<Installation>>> observe(Fqdn domain) override {
    // It may stand there or not: who asks is told that nobody knows.
    if (!knows(Action::observe)) co_return Installation{};
    const auto turn = co_await take_turn();
    co_return co_await look(std::move(domain));
  }

  Task<Result<Receipt>> install(Fqdn domain, Material material, std::string version_key) override {
    Receipt receipt{Installed::installed, domain, version_key};
    const std::string op = "install " + domain.text();
    const auto turn = co_await take_turn();
    if (knows(Action::observe)) {
      auto installed = co_await look(domain);
      if (!installed) co_return fail(std::move(installed.error()).during(op));
      if (*installed && (*installed)->version_key == version_key) {
        receipt.outcome = Installed::unchanged;
        co_return receipt;
      }
    }
    auto prepare = [material = std::move(material)] { return hand_over(material); };
    auto handover = co_await offload_.call(std::move(prepare));
    if (!handover) co_return fail(std::move(handover.error()).during(op));

    auto given = std::move(handover->variables);
    given.insert({{"CERTHERD_DOMAIN", domain.text()}, {"CERTHERD_SERIAL", version_key}});
    Status done;
    std::exception_ptr thrown;
    try {
      done = co_await ask(Action::install, std::move(given));
    } catch (...) {
      thrown = std::current_exception();
    }
    co_await runtime::shielded(&loop_.clock(), removal_patience, remove(&handover->folder));
    if (thrown) std::rethrow_exception(thrown);
    if (!done) co_return fail(std::move(done.error()).during(op));
    co_return receipt;
  }

  Task<Status> clean_up(Receipt) override { co_return Status(); }

  Task<Status> retire(Receipt receipt) override {
    const std::string op = "retire " + receipt.domain.text();
    if (!knows(Action::retire)) {
      co_return fail(Error::Kind::misconfigured, op,
                     fmt::format("`{}` is not known to take certificates off: take it off by "
                                 "hand, or teach it that and add \"retire\" to `actions`",
                                 options_.command.front()));
    }
    const auto turn = co_await take_turn();
    if (knows(Action::observe)) {
      auto installed = co_await look(receipt.domain);
      if (!installed) co_return fail(std::move(installed.error()).during(op));
      const auto& wanted = receipt.version_key;
      if (!*installed || (!wanted.empty() && (*installed)->version_key != wanted)) {
        co_return Status();
      }
    }
    Variables given = {{"CERTHERD_DOMAIN", receipt.domain.text()},
                       {"CERTHERD_SERIAL", receipt.version_key}};
    auto done = co_await ask(Action::retire, std::move(given));
    if (!done) co_return fail(std::move(done.error()).during(op));
    co_return done;
  }

  Task<Status> check() override {
    auto search = [this]() -> Status {
      auto found = runtime::find_program(options_.command.front());
      if (!found) return fail(std::move(found.error()));
      return {};
    };
    auto found = co_await offload_.call(std::move(search));
    if (!found || !knows(Action::check)) co_return found;
    const auto turn = co_await take_turn();
    Variables none;
    co_return co_await ask(Action::check, std::move(none));
  }

  Task<void> stop() override {
    stopped_ = true;
    stopping_.notify_all();
    while (calls_ > 0) co_await idle_.wait();
  }

 private:
  /// Counts a call for as long as it lasts.
  class Call {
   public:
    explicit Call(Exec* exec) : exec_(exec) { exec_->calls_ += 1; }
    Call(Call&& other) noexcept : exec_(std::exchange(other.exec_, nullptr)) {}
    Call& operator=(Call&&) = delete;
    ~Call() {
      if (exec_ == nullptr) return;
      exec_->calls_ -= 1;
      if (exec_->calls_ == 0) exec_->idle_.notify_all();
    }

   private:
    Exec* exec_;
  };

  /// The right to run the program.
  struct Turn {
    Call call;
    runtime::Slots::Hold slot;
  };

  Task<Turn> take_turn() {
    Call call(this);
    auto slot = co_await slots_.take();
    co_return Turn{std::move(call), std::move(slot)};
  }

  bool knows(Action action) const { return options_.actions.contains(action); }

  // Here and below, the caller has its turn.
  Task<Result<std::optional<Installation>>> look(Fqdn domain) {
    Variables given = {{"CERTHERD_DOMAIN", domain.text()}};
    auto ended = co_await run(Action::observe, std::move(given));
    if (!ended) co_return fail(std::move(ended.error()));
    auto serial = read_serial(ended->output);
    if (!serial) co_return fail(std::move(serial.error()).during("observe " + domain.text()));
    if (serial->empty()) co_return std::nullopt;
    co_return Installation{.version_key = std::move(*serial)};
  }

  Task<Status> ask(Action action, Variables given) {
    auto ended = co_await run(action, std::move(given));
    if (!ended) co_return fail(std::move(ended.error()));
    co_return Status();
  }

  Task<Result<runtime::CommandResult>> run(Action action, Variables given) {
    const std::string op = fmt::format("{} {}", options_.command.front(), to_string(action));
    if (stopped_) co_return fail(Error::Kind::transient, op, "shutting down");
    given.emplace("CERTHERD_ACTION", to_string(action));
    runtime::Command command;
    command.arguments = options_.command;
    command.environment = std::move(given);
    command.withheld = options_.withheld;
    command.errors_apart = action == Action::observe;  // its output is an answer
    std::optional<Result<runtime::CommandResult>> ended;
    auto task = keep(std::move(command), &ended);
    co_await runtime::finished_before(until_stopped(), std::move(task));
    if (!ended) co_return fail(Error::Kind::transient, op, "interrupted by shutting down");
    if (!*ended) co_return fail(std::move(ended->error()).during(op));
    auto& result = **ended;
    if (result.exit_status == 0) co_return std::move(result);
    std::string output = action == Action::observe ? result.errors : result.output;
    if (holds_key(output)) output = "(its output is not shown: it holds a private key)";
    co_return fail(kind_of_exit(result.exit_status), op,
                   how_it_ended(options_.command, result.exit_status, output));
  }

  Task<void> keep(runtime::Command command, std::optional<Result<runtime::CommandResult>>* ended) {
    const Time deadline = loop_.clock().now() + options_.timeout;
    *ended = co_await runtime::run_command(&loop_, std::move(command), deadline);
  }

  Task<void> until_stopped() {
    while (!stopped_) co_await stopping_.wait();
  }

  Task<void> remove(PrivateFolder* folder) {
    auto work = [folder] { folder->remove(); };
    co_await offload_.run(std::move(work));
  }

  runtime::EventLoop& loop_;
  runtime::Offload& offload_;
  ExecOptions options_;
  runtime::Slots slots_;
  int calls_ = 0;
  bool stopped_ = false;
  runtime::Wakeup stopping_;
  runtime::Wakeup idle_;
};

}  // namespace

std::optional<Action> parse_action(std::string_view name) {
  for (const auto& [known, action] : actions_by_name) {
    if (known == name) return action;
  }
  return std::nullopt;
}

std::string_view to_string(Action action) {
  for (const auto& [name, value] : actions_by_name) {
    if (value == action) return name;
  }
  return {};
}

std::unique_ptr<Target> make_exec(runtime::EventLoop& loop, runtime::Offload& offload,
                                  ExecOptions options) {
  return std::make_unique<Exec>(loop, offload, std::move(options));
}

}  // namespace certherd::deploy
